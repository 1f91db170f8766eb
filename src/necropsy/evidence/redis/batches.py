"""Pages of a scan become the batches that a dump gives too."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from necropsy.evidence.redis.page import KeyWords, Page, Sparse
from necropsy.sessions.keyspace import KEY_TYPES, Projection, key_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

FARTHEST: Final = 9_000_000_000_000_000
"""Expiries, in milliseconds, are clamped here, in the year 287170: beyond it no database has a time for them."""
LEAST: Final = 64
"""Bytes of a key beside its texts, when the server does not report them: an entry, an object, rounding."""


class Batches:
    """Collects pages of one database until there are enough rows.

    Parameters
    ----------
    expiry_bytes
        What MEMORY USAGE leaves out of a key that expires: its entry in the table of expiries.
    """

    def __init__(self, projection: Projection, names: KeyWords, rows: int, expiry_bytes: int) -> None:
        self._projection = projection
        self._names = names
        self._rows = rows
        self._expiry_bytes = expiry_bytes
        self._page = Page()
        self._db = 0
        self._schema = key_schema(projection)

    def start(self, db: int) -> None:
        """Say to which database the pages that follow belong; the rows of the last one were taken."""
        self._db = db

    def add(self, page: Page) -> bool:
        """Add a page; True when there are enough rows to take."""
        self._page.extend(page)
        return len(self._page) >= self._rows

    def take(self) -> pa.RecordBatch | None:
        """Return the rows and forget them; None when there are none."""
        page, self._page = self._page, Page()
        return self._batch(page) if len(page) else None

    def _batch(self, page: Page) -> pa.RecordBatch:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = len(page)
        encodings = np.array(page.encodings, np.int8)
        expires = pa.array(page.expires, pa.int64())
        arrays: list[Any] = [
            pa.array(np.full(rows, self._db, np.int32)),
            pa.array(page.keys, pa.binary()),
            pa.DictionaryArray.from_arrays(pa.array(page.types, pa.int8()), pa.array(KEY_TYPES, pa.string())),
            pa.DictionaryArray.from_arrays(
                pa.array(encodings, mask=encodings < 0), pa.array(self._names.encodings, pa.string())
            ),
            pc.min_element_wise(expires, FARTHEST, skip_nulls=False).cast(pa.timestamp("ms")),
            pa.array(page.idle, pa.int64()),
            pa.array(page.freq, pa.int16()),
            pa.array(page.elements, pa.int64()).fill_null(0),
            self._sizes(page, expires),
            _spread(page.heads, rows, pa.binary()),
            _spread(page.members, rows, pa.list_(pa.binary())),
            _spread(page.empty_fields, rows, pa.int64()),
        ]
        fields = page.fields
        for number, (name, _) in enumerate(self._projection.hash_fields):
            values, lengths = (fields.values[number], fields.lengths[number]) if fields.rows else ([], [])
            column = _spread(Sparse(fields.rows, values), rows, pa.binary())
            sizes = pc.binary_length(column).cast(pa.int64())
            if any(lengths):
                sizes = pc.coalesce(_spread(Sparse(fields.rows, lengths), rows, pa.int64()), sizes)
            arrays.append(column.dictionary_encode() if name in self._projection.repeated else column)
            arrays.append(sizes)
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _sizes(self, page: Page, expires: pa.Array) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        sizes = pa.array(page.usage, pa.int64())
        if not sizes.null_count:
            return pc.add(sizes, pc.multiply(expires.is_valid().cast(pa.int64()), self._expiry_bytes))
        known: Counter[int] = Counter()
        for values, lengths in zip(page.fields.values, page.fields.lengths, strict=True):
            for row, value, length in zip(page.fields.rows, values, lengths, strict=True):
                known[row] += length or len(value or b"")
        return pa.array([self._guess(page, row, known[row]) for row in range(len(page))], pa.int64())

    def _guess(self, page: Page, row: int, known: int) -> int:
        """Return what a key costs at least, when MEMORY USAGE is forbidden."""
        usage = page.usage[row]
        size = usage if usage is not None else LEAST + len(page.keys[row])
        if usage is None:
            size += known + (page.elements[row] or 0) * (1 if page.types[row] == KEY_TYPES.index("string") else 16)
        return size + (self._expiry_bytes if page.expires[row] is not None else 0)


def _spread(sparse: Sparse, rows: int, kind: pa.DataType) -> pa.Array:
    """Return a column of all rows, null where the sparse one has none; what the values hold is not copied."""
    import numpy as np
    import pyarrow as pa

    if not sparse.rows or sparse.values.count(None) == len(sparse.values):
        return pa.nulls(rows, kind)
    values = pa.array(sparse.values, kind)
    if len(sparse.rows) == rows:
        return values
    present = np.zeros(rows, bool)
    present[sparse.rows] = values.is_valid().to_numpy(zero_copy_only=False)
    if kind == pa.int64():
        numbers = np.zeros(rows, np.int64)
        numbers[sparse.rows] = values.fill_null(0).to_numpy()
        return pa.array(numbers, mask=~present)
    ends = np.frombuffer(values.buffers()[1], np.int32, len(values) + 1)
    lengths = np.zeros(rows, np.int32)
    lengths[sparse.rows] = np.diff(ends)
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    buffers = [pa.py_buffer(np.packbits(present, bitorder="little")), pa.py_buffer(offsets)]
    if kind == pa.binary():
        return pa.Array.from_buffers(kind, rows, [*buffers, values.buffers()[2]])
    return pa.Array.from_buffers(kind, rows, buffers, children=[values.values])


def expiry_bytes(info: Mapping[str, str]) -> int:
    """Return what the table of expiries costs for each key in it, beside what MEMORY USAGE counts.

    An entry of three pointers and its bucket; one pointer of two and the bucket since Redis 8.2, where the key holds its
    expiry; a slot of a dense table since Valkey 8.1.

    >>> expiry_bytes({"redis_version": "7.0.15"}), expiry_bytes({"redis_version": "7.2.4", "valkey_version": "9.1.2"})
    (32, 10)
    """
    valkey = _version(info.get("valkey_version", ""))
    if valkey:
        return 10 if valkey >= (8, 1) else 32
    return 24 if _version(info.get("redis_version", "")) >= (8, 2) else 32


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdecimal())
