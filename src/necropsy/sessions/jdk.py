"""Java's object streams, read as data: two scalars and the strings in them. Nothing is ever instantiated.

Format: Java Object Serialization Specification, chapter 6 (``STREAM_MAGIC`` ac ed 00 05, ``TC_STRING`` 74). A stream of
one ``java.lang.Long`` or ``java.lang.Integer`` is always the same bytes before its value; a string is ``74``, its length
in two bytes, and its UTF-8. What lies between strings is skipped without being understood: enough for the User-Agent of a
saved request, and nothing that a crafted stream could use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.sessions import kernels
from necropsy.sessions.columns import begins, contiguous, cut, flat, nullable, numbers, windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from necropsy.sessions.columns import Positions

STREAM_MAGIC: Final = b"\xac\xed\x00\x05"
STRING_HEADER: Final = STREAM_MAGIC + b"t"
_NUMBER: Final = b"xr\x00\x10java.lang.Number\x86\xac\x95\x1d\x0b\x94\xe0\x8b\x02\x00\x00xp"
LONG_HEADER: Final = (
    STREAM_MAGIC + b"sr\x00\x0ejava.lang.Long;\x8b\xe4\x90\xcc\x8f#\xdf\x02\x00\x01J\x00\x05value" + _NUMBER
)
INTEGER_HEADER: Final = (
    STREAM_MAGIC + b"sr\x00\x11java.lang.Integer\x12\xe2\xa0\xa4\xf7\x81\x878\x02\x00\x01I\x00\x05value" + _NUMBER
)
SCALAR_BYTES: Final = 96
"""Enough of a value to hold either scalar (82 and 81 bytes) or any number that a JSON serializer writes."""
_LONGEST_DECIMAL: Final = 18
_WRAPPED: Final = r'^\s*(?:\["java\.lang\.(?:Long|Integer)",\s*)?"?(?P<n>-?[0-9]{1,18})[lL]?"?\s*\]?\s*$'


def integers(values: pa.Array, rows: Positions | None = None) -> pa.Array:
    r"""Decode a column of serialized numbers; what is no number is null.

    JDK streams, decimal digits as JSON serializers write them, and ``["java.lang.Long",7]``; of these rows alone, if some
    are named.

    >>> import pyarrow as pa
    >>> integers(pa.array([LONG_HEADER + b"\0" * 7 + b"\x2a", b"-1", b'["java.lang.Long",7]', b"?", None])).to_pylist()
    [42, -1, 7, None, None]
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, pa.DictionaryArray):
        places = values.indices if rows is None else values.indices.take(pa.array(rows))
        return integers(values.dictionary).take(places)
    data, offsets = flat(values)
    starts, ends = offsets[:-1], offsets[1:]
    if rows is not None:
        starts, ends = starts[rows], ends[rows]
    answer, known = np.zeros(len(starts), np.int64), np.zeros(len(starts), bool)
    for header, kind in ((LONG_HEADER, ">i8"), (INTEGER_HEADER, ">i4")):
        width = np.dtype(kind).itemsize
        if kernels.COMPILED and len(data) and len(starts):
            places = contiguous(starts), contiguous(ends)
            kernels.streamed(data, *places, header, width, answer, known.view(np.uint8))
            continue
        rows = np.flatnonzero(ends - starts == len(header) + width)
        rows = rows[begins(data, starts[rows], ends[rows], header)]
        tails = np.ascontiguousarray(windows(data, ends[rows] - width, width))
        answer[rows] = tails.view(kind).ravel()
        known[rows] = True
    if known.all():
        return nullable(answer, known)
    lengths = ends - starts
    for length in range(1, _LONGEST_DECIMAL + 2):
        rows = np.flatnonzero(lengths == length)
        if not rows.size:
            continue
        digits = windows(data, starts[rows], length).astype(np.int64) - ord("0")
        negative = (digits[:, 0] == ord("-") - ord("0")) & (length > 1)
        digits[negative, 0] = 0
        good = ((digits >= 0) & (digits <= 9)).all(axis=1) & (length - negative <= _LONGEST_DECIMAL)
        total = digits[good] @ (10 ** np.arange(length - 1, -1, -1, dtype=np.int64))
        answer[rows[good]] = np.where(negative[good], -total, total)
        known[rows[good]] = True
    rows = np.flatnonzero(~known & (lengths > 0) & (lengths < SCALAR_BYTES))
    if rows.size:
        found = pc.struct_field(pc.extract_regex(cut(data, starts[rows], ends[rows]), pattern=_WRAPPED), "n")
        hits = np.flatnonzero(numbers(found.is_valid()))
        answer[rows[hits]] = [int(text) for text in found.take(hits).to_pylist()]
        known[rows[hits]] = True
    return nullable(answer, known)


def texts(values: pa.Array, prefix: bytes = b"") -> pa.Array:
    r"""Take serialized strings out of their JDK or JSON clothes, and a prefix off the text, if it is there.

    >>> import pyarrow as pa
    >>> texts(pa.array([STRING_HEADER + b"\0\x0aexpires:id", b'"expires:id"', b"id"]), b"expires:").to_pylist()
    [b'id', b'id', b'id']
    """
    import numpy as np

    data, offsets = flat(values)
    starts, ends = offsets[:-1].copy(), offsets[1:].copy()
    rows = np.flatnonzero(begins(data, starts, ends, STRING_HEADER) & (ends - starts >= len(STRING_HEADER) + 2))
    at = starts[rows] + len(STRING_HEADER)
    said = data[at].astype(np.int64) * 256 + data[at + 1]
    rows = rows[said == ends[rows] - at - 2]
    starts[rows] += len(STRING_HEADER) + 2
    bare = starts == offsets[:-1]
    rows = np.flatnonzero(bare & (ends - starts >= 2))
    rows = rows[(data[starts[rows]] == ord('"')) & (data[ends[rows] - 1] == ord('"'))]
    starts[rows] += 1
    ends[rows] -= 1
    if prefix:
        starts[begins(data, starts, ends, prefix)] += len(prefix)
    return cut(data, starts, ends)


def walk(stream: bytes) -> Iterator[tuple[str, int]]:
    r"""Yield every string of a JDK stream, in order, each with the byte that follows it (-1 at the end).

    The byte tells a header's name, which is followed by its list of values (``TC_OBJECT``, 0x73), from a value.

    >>> list(walk(STRING_HEADER + b"\0\2hi"))
    [('hi', -1)]
    >>> list(walk(b"\xac\xed"))
    []
    """
    size = len(stream)
    position = len(STREAM_MAGIC) if stream.startswith(STREAM_MAGIC) else 0
    while 0 <= (position := stream.find(b"t", position)) <= size - 3:
        end = position + 3 + (stream[position + 1] << 8 | stream[position + 2])
        text = _decode(stream[position + 3 : end]) if end <= size else None
        if text is None:  # a letter t inside a class name
            position += 1
        else:
            yield text, stream[end] if end < size else -1
            position = end


def _decode(data: bytes) -> str | None:
    """Decode Java's modified UTF-8: NUL is two bytes, a supplementary character two surrogates of three bytes each."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    try:
        halves = data.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeError:
        return None
