"""Columns of keys, cut and compared as wholes: what every layout needs and Arrow does not offer at this speed.

Arrow's ``extract_regex`` costs two microseconds a key. Positions of colons in the one buffer that holds all keys of a
batch cost less than a tenth of that, and cutting along them as little; where ``kernels`` is compiled, half of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from necropsy.sessions import kernels
from necropsy.sessions.keyspace import KEY_TYPES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Positions: TypeAlias = npt.NDArray[np.int64]
    Mask: TypeAlias = npt.NDArray[np.bool_]
    Bytes: TypeAlias = npt.NDArray[np.uint8]


def flat(values: pa.Array) -> tuple[Bytes, Positions]:
    """Return the buffer of a binary array and the ``len + 1`` offsets of its values in it; a null is empty.

    >>> import pyarrow as pa
    >>> data, offsets = flat(pa.array([b"ab", None, b"c"]))
    >>> bytes(data), offsets.tolist()
    (b'abc', [0, 2, 2, 3])
    """
    import numpy as np
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if values.type != pa.binary():
        values = values.cast(pa.binary())
    _, offsets, data = values.buffers()
    if offsets is None or not len(values):
        return np.zeros(0, np.uint8), np.zeros(len(values) + 1, np.int64)
    ends = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1].astype(np.int64)
    return (np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)), ends


def cut(data: Bytes, starts: Positions, ends: Positions) -> pa.Array:
    """Return a binary array of ``data[start:end]`` for each pair of positions.

    >>> import numpy as np
    >>> data = np.frombuffer(b"spring:session", np.uint8)
    >>> cut(data, np.array([0, 7]), np.array([6, 14])).to_pylist()
    [b'spring', b'session']
    """
    import numpy as np
    import pyarrow as pa

    lengths = np.maximum(ends - starts, 0)
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    if len(lengths) and (lengths == lengths[0]).all():  # ids of one length: the usual case, and three times as fast
        pieces = windows(data, starts, int(lengths[0])).ravel()
    else:
        index = np.repeat(starts - offsets[:-1], lengths)
        index += np.arange(len(index), dtype=np.int64)
        pieces = data[index]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(pieces))]
    return pa.BinaryArray.from_buffers(pa.binary(), len(lengths), buffers)


def windows(data: Bytes, starts: Positions, width: int) -> Bytes:
    """Return ``data[start:start + width]`` for each start, as rows; every window must lie within the data."""
    import numpy as np

    if not len(starts) or not width:
        return np.zeros((len(starts), width), np.uint8)
    # One copy of so many bytes a row, where a window of bytes would be gathered byte by byte.
    pieces = np.ndarray((len(data) - width + 1,), f"V{width}", np.ascontiguousarray(data), 0, (1,))[starts]
    return pieces.view(np.uint8).reshape(len(starts), width)


def begins(data: Bytes, starts: Positions, ends: Positions, word: bytes) -> Mask:
    """Return which of ``data[start:end]`` begin with a word."""
    import numpy as np

    if kernels.COMPILED and word and len(data) and len(starts):
        said = np.empty(len(starts), bool)
        kernels.begins(data, contiguous(starts), contiguous(ends), word, said.view(np.uint8))
        return said
    answer: Mask = ends - starts >= len(word)
    rows = np.flatnonzero(answer)
    if not rows.size or not word:
        return answer
    pieces = np.ndarray((len(data) - len(word) + 1,), f"V{len(word)}", np.ascontiguousarray(data), 0, (1,))
    answer[rows] = pieces[starts[rows]] == np.void(word)
    return answer


def contiguous(places: Positions) -> Positions:
    """Return positions one after another, as the compiled loops want them."""
    import numpy as np

    return np.ascontiguousarray(places, np.int64)


def colons(data: Bytes, ends: Positions) -> Positions:
    """Return where the last colons of each key are: of all keys the last colon, then of all the one before, and so on.

    Where a key has no more of them stands the place before its start.

    >>> import numpy as np
    >>> colons(np.frombuffer(b"a:b:cd", np.uint8), np.array([0, 5, 6])).tolist()
    [[3, 4], [1, 4], [-1, 4], [-1, 4]]
    """
    import numpy as np

    places = np.empty((kernels.COLONS, len(ends) - 1), np.int64)
    if kernels.COMPILED and len(data):
        kernels.colons(data, contiguous(ends), places.ravel())
        return places
    found = np.concatenate(([-1], np.flatnonzero(data == ord(":"))))
    after = np.searchsorted(found, ends[1:])
    for number in range(kernels.COLONS):
        places[number] = np.maximum(found[np.maximum(after - number - 1, 0)], ends[:-1] - 1)
    return places


class Segments:
    """Keys cut at their colons; segments are numbered from the end, the last one is 1.

    >>> import numpy as np, pyarrow as pa
    >>> keys = Segments.of_keys(pa.array([b"spring:session:sessions:abc", b"celery"]))
    >>> keys.equal(2, b"sessions").tolist()
    [True, False]
    >>> keys.text(1, np.array([0])).to_pylist(), keys.before(2, np.array([0])).to_pylist()
    ([b'abc'], [b'spring:session'])
    """

    def __init__(self, data: Bytes, offsets: Positions, places: Positions, rows: Positions | None = None) -> None:
        self._data, self._offsets, self._colons, self._rows = data, offsets, places, rows
        self._chosen: dict[int, Positions] = {}

    @classmethod
    def of_keys(cls, keys: pa.Array) -> Segments:
        """Cut all keys of a column."""
        data, offsets = flat(keys)
        return cls(data, offsets, colons(data, offsets))

    def of(self, rows: Positions) -> Segments:
        """Return the segments of some of the keys."""
        return Segments(self._data, self._offsets, self._colons, rows if self._rows is None else self._rows[rows])

    def bounds(self, number: int) -> tuple[Positions, Positions]:
        """Return start and end of a segment in each key; a key that has fewer segments has start > end."""
        return self._after(number), self._end if number == 1 else self._after(number - 1) - 1

    def _after(self, number: int) -> Positions:
        """Return the places behind the colon before a segment; most are asked for again and again."""
        if number not in self._chosen:
            self._chosen[number] = self._of_rows(self._colons[number - 1]) + 1
        return self._chosen[number]

    @property
    def _start(self) -> Positions:
        return self._of_rows(self._offsets[:-1])

    @property
    def _end(self) -> Positions:
        if 0 not in self._chosen:
            self._chosen[0] = self._of_rows(self._offsets[1:])
        return self._chosen[0]

    def _of_rows(self, places: Positions) -> Positions:
        return places if self._rows is None else places[self._rows]

    def equal(self, number: int, word: bytes) -> Mask:
        """Return which keys have this word as their segment of this number."""
        start, end = self.bounds(number)
        answer: Mask = end - start == len(word)
        if answer.any():
            answer &= begins(self._data, start, end, word)
        return answer

    def filled(self, number: int) -> Mask:
        """Return which keys have something in the segment of this number."""
        start, end = self.bounds(number)
        return end > start

    def text(self, number: int, rows: Positions) -> pa.Array:
        """Return the segment of these keys, as binary."""
        start, end = self.bounds(number)
        return cut(self._data, start[rows], end[rows])

    def before(self, number: int, rows: Positions) -> pa.Array:
        """Return everything before the segment of these keys, without the colon between, as binary."""
        start, _ = self.bounds(number)
        return cut(self._data, self._start[rows], start[rows] - 1)

    def namespaces(self, number: int, rows: Positions) -> pa.DictionaryArray:
        """Return everything before the segment of these keys as words: mostly, all have the same."""
        import numpy as np
        import pyarrow as pa

        place, _ = self.bounds(number)
        starts = self._start[rows]
        ends = np.maximum(place[rows] - 1, starts)
        if len(rows):
            first = bytes(self._data[starts[0] : ends[0]])
            if first and (ends - starts == len(first)).all() and begins(self._data, starts, ends, first).all():
                codes = pa.array(np.zeros(len(rows), np.int32))
                return pa.DictionaryArray.from_arrays(codes, pa.array([first], pa.binary()))
        return cut(self._data, starts, ends).dictionary_encode()


class Keys:
    """One batch of keys (``keyspace.key_schema``), and which of them no layout has claimed yet."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        import numpy as np
        import pyarrow.compute as pc

        self.batch = batch
        self.free: Mask = np.ones(batch.num_rows, bool)
        self._segments: Segments | None = None
        self._named: bytes | None = None
        column = batch.column("type")
        codes = np.array([KEY_TYPES.index(name) for name in column.dictionary.to_pylist()] or [-1], np.int8)
        self._types = codes[numbers(pc.fill_null(column.indices, 0))]

    def segments(self, rows: Positions) -> Segments:
        """Return the keys of these rows, cut at their colons."""
        if self._segments is None:
            self._segments = Segments.of_keys(self.batch.column("key"))
        return self._segments if len(rows) == self.batch.num_rows else self._segments.of(rows)

    def mention(self, word: bytes) -> bool:
        """Return whether a word stands in any key: one search through all of them at once, hundred times as fast as in each.

        >>> import pyarrow as pa
        >>> types = pa.array(["string", "string"]).dictionary_encode()
        >>> keys = Keys(pa.RecordBatch.from_arrays([pa.array([b"a:b", b"c"]), types], ["key", "type"]))
        >>> keys.mention(b":"), keys.mention(b"d")
        (True, False)
        """
        if self._named is None:
            data, offsets = flat(self.batch.column("key"))
            self._named = data[int(offsets[0]) : int(offsets[-1])].tobytes()
        return word in self._named

    def valid(self, name: str, rows: Positions) -> Mask:
        """Return which of these rows have something in a column."""
        import numpy as np

        if name not in self.batch.schema.names:
            return np.zeros(len(rows), bool)
        column = self.batch.column(name)
        if not column.null_count:
            return np.ones(len(rows), bool)
        known: Mask = numbers(column.is_valid())[rows]
        return known

    def of_type(self, name: str) -> Positions:
        """Return the positions of the free keys of a Redis type, ascending."""
        import numpy as np

        return np.flatnonzero(self.free & (self._types == KEY_TYPES.index(name)))

    def whole(self, name: str) -> pa.Array:
        """Return a column of all rows; all null when the reader did not bring it."""
        import pyarrow as pa

        if name not in self.batch.schema.names:
            return pa.nulls(self.batch.num_rows, pa.binary())
        return self.batch.column(name)

    def take(self, name: str, rows: Positions) -> pa.Array:
        """Return a column of these rows; all null when the reader did not bring it."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if name not in self.batch.schema.names:
            return pa.nulls(len(rows), pa.int64() if name.startswith("length:") else pa.binary())
        column = self.batch.column(name)
        if len(rows) == len(column):
            return column
        return pc.take(column, pa.array(rows), boundscheck=False)  # rows are positions in this batch, from NumPy itself


def numbers(values: pa.Array) -> npt.NDArray[Any]:
    """Return a column of numbers or truths without nulls as NumPy."""
    import numpy as np
    import pyarrow as pa

    # Of truths, Arrow would ask each; those without a row may have no buffer.
    if isinstance(values, pa.BooleanArray) and len(values):
        bits = np.unpackbits(np.frombuffer(values.buffers()[1], np.uint8), bitorder="little")
        return bits[values.offset : values.offset + len(values)].view(bool)
    return values.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def nullable(values: npt.NDArray[Any], known: Mask, kind: Any = None) -> pa.Array:
    """Return a column in which what is not known is null."""
    import pyarrow as pa

    return pa.array(values, type=kind, mask=None if known.all() else ~known)


def words(codes: npt.NDArray[Any], dictionary: Sequence[str], known: Mask | None = None) -> pa.Array:
    """Return a column of few different words, by their places in the dictionary.

    >>> import numpy as np
    >>> words(np.array([1, 0, 1]), ("no", "yes"), np.array([True, True, False])).to_pylist()
    ['yes', 'no', None]
    """
    import numpy as np
    import pyarrow as pa

    places = codes.astype(np.int32)
    column = pa.array(places) if known is None else nullable(places, known)
    # Not checked again: these places were made by us, of words that are there.
    return pa.DictionaryArray.from_arrays(column, pa.array([str(word) for word in dictionary], pa.string()), safe=False)
