"""Sessions that may go, or be shortened, with the other keys that belong to them.

``Expectations`` says what must still be there for a session to be shortened: exactly the columns that its layout judged, as
words for the script. Sessions of one layout have few shapes: which fields are compared by value, which must be absent, which
by their length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from necropsy.sessions.pieces import HAVE_PIECES, NONE, Pieces, pieces
from necropsy.wire.redis.connection import PackedCommand, pack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.treat.purge.judge import Candidates

_BY_VALUE: Final = 256
"""Bytes of a field up to which it is compared by value; longer ones by length: the times of use are short."""
_JDK: Final = b"\xac\xed"
_NO_WORDS: Final = PackedCommand(0, b"")


class Shape(NamedTuple):
    """Rules for the comparison of sessions of one kind."""

    kind: bytes
    exact: tuple[bytes, ...] = ()
    absent: tuple[bytes, ...] = ()
    sized: tuple[bytes, ...] = ()
    marker: bool = False


@dataclass(slots=True)
class ExpectedSession:
    """One session that may go."""

    at: int
    """Its place among the candidates that it was found with."""
    key: bytes
    expires_ms: int
    pieces: Pieces
    ends_ms: int
    bytes: int
    """Memory of its record, estimated."""
    silent: bool = False
    """Its application may use it and write nothing: then the server's idle time alone tells."""
    unproven: bool = False
    """It goes only if that idle time says so: nothing else does."""
    named: bool = False
    """It has attributes of the application's own, of which one may name a user."""
    words: PackedCommand = _NO_WORDS
    """Shape, key, expiry, elements, values: what the script compares, where one compares them."""


def of_candidates(found: Candidates, places: npt.NDArray[np.int64]) -> list[ExpectedSession]:
    """Return the sessions at these places of what was found."""
    import pyarrow as pa

    if not len(places):
        return []
    batch = found.batch.select(["key", "type", "expires_at", "bytes"]).take(pa.array(found.rows[places]))
    keys: list[bytes] = batch.column("key").to_pylist()
    expires = batch.column("expires_at").cast(pa.int64()).fill_null(-1).to_pylist()
    sizes: list[int] = batch.column("bytes").to_pylist()
    ends = found.ends_ms[places].tolist()
    family = found.layout.family
    if family not in HAVE_PIECES:
        beside = [NONE] * len(keys)
    else:
        hashes = [kind == "hash" for kind in batch.column("type").cast(pa.string()).to_pylist()]
        jdk = _serialized(found, places)
        beside = [
            pieces(family, key, ends_ms=end if end >= 0 else None, jdk=jdk[row]) if hashes[row] else NONE
            for row, (key, end) in enumerate(zip(keys, ends, strict=True))
        ]
    flags = (mask[places].tolist() for mask in (found.silent, found.unproven, found.named))
    rows = zip(places.tolist(), keys, expires, beside, ends, sizes, *flags, strict=True)
    return [ExpectedSession(*row) for row in rows]


def _serialized(found: Candidates, places: npt.NDArray[np.int64]) -> list[bool]:
    """Whether the JDK serialized the short fields of each: its member in an index is then serialized as well."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pa.array(found.rows[places])
    said = pa.array([True] * len(rows))
    for name, _ in found.layout.projection.hash_fields:
        length = found.batch.column(f"length:{name.decode()}").take(rows)
        text = found.batch.column(f"field:{name.decode()}").take(rows).cast(pa.binary())
        short = pc.and_(pc.less_equal(length, _BY_VALUE), pc.equal(pc.binary_length(text), length))
        fine = pc.or_(pc.invert(short.fill_null(False)), pc.equal(pc.binary_slice(text, 0, 2), _JDK).fill_null(True))
        said = pc.and_(said, fine)
    return list(said.to_pylist())


class Expectations:
    """Numbers the shapes that it meets; they go with every call."""

    def __init__(self) -> None:
        self._numbers: dict[Shape, int] = {}

    def packed_shapes(self) -> PackedCommand:
        """Return the shapes as arguments of the script."""
        words: list[bytes | int] = [len(self._numbers)]
        for shape in self._numbers:
            words += [shape.kind, int(shape.marker), len(shape.exact), len(shape.absent), len(shape.sized)]
            words += [*shape.exact, *shape.absent, *shape.sized]
        return pack(words)

    def sessions(self, found: Candidates, places: npt.NDArray[np.int64]) -> list[ExpectedSession]:
        """Return the sessions at these places of what was found."""
        import numpy as np
        import pyarrow as pa

        if not len(places):
            return []
        batch = found.batch.take(pa.array(found.rows[places]))
        types = np.array(batch.column("type").cast(pa.string()).to_pylist())
        if (types != types[0]).any():  # a layout that keeps sessions in two types
            return self.sessions(found, places[types == types[0]]) + self.sessions(found, places[types != types[0]])
        keys: list[bytes] = batch.column("key").to_pylist()
        expires = [-1 if at is None else at for at in batch.column("expires_at").cast(pa.int64()).to_pylist()]
        elements: list[int] = batch.column("elements").to_pylist()
        sizes: list[int] = batch.column("bytes").to_pylist()
        ends = found.ends_ms[places].tolist()
        family = found.layout.family
        hashes = types[0] == "hash"
        values, jdk = self._fields(found, batch) if hashes else self._heads(batch)
        sessions = []
        for row, key in enumerate(keys):
            end = ends[row] if ends[row] >= 0 else None
            beside = pieces(family, key, ends_ms=end, jdk=jdk[row]) if hashes else NONE
            shape, compared = values[row]
            if beside.marker:
                shape = shape._replace(marker=True)
            number = self._numbers.setdefault(shape, len(self._numbers) + 1)
            words = pack([number, key, expires[row], elements[row], *compared])
            sessions.append(
                ExpectedSession(int(places[row]), key, expires[row], beside, ends[row], sizes[row], words=words)
            )
        return sessions

    def _fields(
        self, found: Candidates, batch: pa.RecordBatch
    ) -> tuple[list[tuple[Shape, list[bytes | int]]], list[bool]]:
        names = [name for name, _ in found.layout.projection.hash_fields]
        columns = [
            (batch.column(f"length:{name.decode()}").to_pylist(), batch.column(f"field:{name.decode()}").to_pylist())
            for name in names
        ]
        rows: list[tuple[Shape, list[bytes | int]]] = []
        jdk = []
        for row in range(batch.num_rows):
            exact: list[bytes] = []
            absent: list[bytes] = []
            sized: list[bytes] = []
            by_value: list[bytes | int] = []
            by_length: list[bytes | int] = []
            serialized = True
            for name, (lengths, texts) in zip(names, columns, strict=True):
                length = lengths[row]
                if length is None:
                    absent.append(name)
                elif length <= _BY_VALUE and texts[row] is not None and len(texts[row]) == length:
                    exact.append(name)
                    by_value.append(texts[row])
                    serialized &= texts[row][:2] == _JDK
                else:
                    sized.append(name)
                    by_length.append(length)
            rows.append((Shape(b"hash", tuple(exact), tuple(absent), tuple(sized)), by_value + by_length))
            jdk.append(serialized)
        return rows, jdk

    def _heads(self, batch: pa.RecordBatch) -> tuple[list[tuple[Shape, list[bytes | int]]], list[bool]]:
        heads = batch.column("head").to_pylist()
        shape = Shape(b"string")
        return [(shape, [head or b""]) for head in heads], [False] * len(heads)
