# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
"""A batch of keys while it is filled: plain memory, a column each, that becomes Arrow without being copied."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.rdb.kernels import Memory

from necropsy.evidence.rdb.encodings import ENCODINGS
from necropsy.evidence.rdb.kernels import room_for
from necropsy.sessions.keyspace import KEY_TYPES, Projection

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_BYTES = 24 << 20
"""A batch is handed on when its texts reach this, however few its rows: so much the C library takes back and gives out
again, while for more the system has to clear fresh pages each time."""

MOST_TRIES = 32
"""Places that are looked at for a value that may be known: whoever makes values whose sums collide gains nothing by it."""


class Texts:
    """A column of texts. What is put belongs to the row that is sealed next; a row never sealed is null or empty."""

    def __init__(self, rows: int, nullable: bool) -> None:
        self.memory = Memory(4096)
        self.offset_memory = room_for(4 * (rows + 1))
        self.offsets = memoryview(self.offset_memory).cast("i")
        self.offsets[0] = 0
        self.valid_memory = bytearray(rows)
        self.valid = memoryview(self.valid_memory)
        self.used = 0
        self.sealed = 0
        self.rows = 0
        self.nullable = nullable

    def expect(self, count: int) -> int:
        """Make room for about so many bytes while there are none."""
        if self.used == 0:
            self.memory = Memory(count + count // 8 + 4096)
        return 0

    def room(self, count: int) -> int:
        """Have room for so many more bytes."""
        if self.used + count > self.memory.size:
            wider = Memory(max(2 * self.memory.size, self.used + count))
            wider.copy(0, self.memory, 0, self.used)
            self.memory = wider
        return 0

    def put(self, data: Memory, start: int, count: int) -> int:
        """Add bytes to the row that is sealed next."""
        self.room(count)
        self.memory.copy(self.used, data, start, count)
        self.used += count
        return 0

    def reach(self, row: int) -> int:
        """Leave every row before this one as it is: null, or empty."""
        for i in range(self.rows, row):
            self.offsets[i + 1] = self.sealed
        self.rows = row
        return 0

    def seal(self, row: int) -> int:
        """Make what was put the text of this row."""
        self.reach(row)
        self.offsets[row + 1] = self.used
        self.valid[row] = 1
        self.sealed = self.used
        self.rows = row + 1
        return 0

    def drop(self) -> int:
        """Forget what was put."""
        self.used = self.sealed
        return 0

    def more_rows(self, row: int) -> int:
        """Have room for this row too; for a column whose rows are not known beforehand."""
        if row + 2 > len(self.offsets) or row >= len(self.valid):
            wider = room_for(2 * len(self.offset_memory))
            wider[: len(self.offset_memory)] = self.offset_memory
            valid = bytearray(2 * len(self.valid_memory))
            valid[: len(self.valid_memory)] = self.valid_memory
            self.offset_memory = wider
            self.offsets = memoryview(wider).cast("i")
            self.valid_memory = valid
            self.valid = memoryview(valid)
        return 0

    def buffers(self, rows: int) -> list[Any]:
        """Return validity, offsets and bytes as Arrow has them, for so many rows."""
        self.reach(rows)
        return [
            validity(self.valid_memory, rows) if self.nullable else None,
            buffer(self.offset_memory, 4 * (rows + 1)),
            buffer(self.memory.owner, self.used),
        ]


class Field:
    """The columns of one hash field that was asked for.

    Of a field whose values repeat, ``texts`` has each value once, and the rows have its place among them. What tells that
    a value is known are its bytes as they are stored, mostly compressed: it is unpacked once.
    """

    def __init__(self, name: bytes, keep: int, rows: int, repeats: bool) -> None:
        self.name = Memory(len(name))
        self.name.owner[: len(name)] = name
        self.size = len(name)
        self.keep = keep
        self.repeats = repeats
        self.texts = Texts(64 if repeats else rows, not repeats)
        self.originals = Texts(64, False)
        self.hashes = array("Q", bytes(8 * 64))
        self.mask = 255
        self.places = array("i", bytes(4 * 256))
        self.values = memoryview(room_for(4 * rows if repeats else 4)).cast("i")
        self.valid_memory = bytearray(rows if repeats else 1)
        self.valid = memoryview(self.valid_memory)
        self.value = 0
        self.pending = 0
        self.mark = 0
        self.length_memory = room_for(8 * rows)
        self.lengths = memoryview(self.length_memory).cast("q")
        self.found = False
        self.length = 0

    def known(self, data: Memory, start: int, count: int, kind: int) -> bool:
        """Tell whether a value that is stored so was kept already, and is ``value`` then; else it is to be kept next.

        Two values of one ``kind`` of storage are the same when their stored bytes are.
        """
        mark = data.mark(start, start + count) ^ kind
        place = mark & self.mask
        tries = 0
        while self.places[place]:
            value = self.places[place] - 1
            tries += 1
            if tries > MOST_TRIES:
                place = -1
                break
            if self.hashes[value] == mark:
                at = self.originals.offsets[value]
                if self.originals.offsets[value + 1] - at == count and self.originals.memory.same(
                    at, data, start, count
                ):
                    self.value = value
                    return True
            place = (place + 1) & self.mask
        value = self.texts.rows
        self.originals.more_rows(value)
        self.originals.drop()
        self.originals.put(data, start, count)
        self.pending = place
        self.mark = mark
        return False

    def learn(self) -> int:
        """Make what was put to the texts the value that was not known."""
        value = self.texts.rows
        self.texts.more_rows(value)
        self.texts.seal(value)
        self.originals.seal(value)
        if value == len(self.hashes):
            self.hashes = widened(self.hashes)
        self.hashes[value] = self.mark
        if self.pending >= 0:
            self.places[self.pending] = value + 1
        self.value = value
        if 2 * value > self.mask:
            self.spread_out(value + 1)
        return 0

    def spread_out(self, count: int) -> int:
        """Have four times as many places for so many values."""
        self.mask = 4 * self.mask + 3
        self.places = array("i", bytes(4 * (self.mask + 1)))
        for value in range(count):
            place = self.hashes[value] & self.mask
            tries = 0
            while self.places[place] and tries < MOST_TRIES:
                place = (place + 1) & self.mask
                tries += 1
            self.places[place] = (
                value + 1
            )  # whoever stood here after so many tries is kept once more when he comes again
        return 0

    def seal(self, row: int) -> int:
        """Make what was found the value of this row; return how many bytes that took."""
        self.lengths[row] = self.length
        self.found = False
        if self.repeats:
            self.values[row] = self.value
            self.valid[row] = 1
            return 0
        taken = self.texts.used - self.texts.sealed
        self.texts.seal(row)
        return taken

    def arrays(self, rows: int) -> list[Any]:
        """Return the column of values and that of their full lengths."""
        import pyarrow as pa

        if self.repeats:
            present = validity(self.valid_memory, rows)
            count = self.texts.rows
            values = pa.Array.from_buffers(pa.binary(), count, self.texts.buffers(count))
            places = pa.Array.from_buffers(
                pa.int32(), rows, [present, buffer(memoryview(self.values).cast("B"), 4 * rows)]
            )
            lengths = pa.Array.from_buffers(pa.int64(), rows, [present, buffer(self.length_memory, 8 * rows)])
            # Unsafe: to look whether places that we gave ourselves are there would take longer than all the rest.
            return [pa.DictionaryArray.from_arrays(places, values, safe=False), lengths]
        buffers = self.texts.buffers(rows)
        return [
            pa.Array.from_buffers(pa.binary(), rows, buffers),
            pa.Array.from_buffers(pa.int64(), rows, [buffers[0], buffer(self.length_memory, 8 * rows)]),
        ]


class Columns:
    """Room for ``capacity`` keys. ``commit`` makes what the scanner found so far the next row; ``drop`` forgets it."""

    def __init__(self, projection: Projection, capacity: int) -> None:
        self.capacity = capacity
        self.rows = 0
        self.byte_limit = BATCH_BYTES
        self.has_head = projection.string_bytes > 0
        self.has_members = bool(projection.members_of)
        self.memories = {}
        for name, width in WIDTHS:
            self.memories[name] = bytearray(capacity) if width == 1 else room_for(width * capacity)
        self.db = memoryview(self.memories["db"]).cast("i")
        self.type = memoryview(self.memories["type"]).cast("b")
        self.encoding = memoryview(self.memories["encoding"]).cast("b")
        self.expires_at = memoryview(self.memories["expires_at"]).cast("q")
        self.expires = memoryview(self.memories["expires"])
        self.idle = memoryview(self.memories["idle"]).cast("q")
        self.idles = memoryview(self.memories["idles"])
        self.frequency = memoryview(self.memories["frequency"]).cast("h")
        self.frequencies = memoryview(self.memories["frequencies"])
        self.elements = memoryview(self.memories["elements"]).cast("q")
        self.bytes = memoryview(self.memories["bytes"]).cast("q")
        self.empty_fields = memoryview(self.memories["empty_fields"]).cast("q")
        self.empty_counted = memoryview(self.memories["empty_counted"])
        self.key = Texts(capacity, False)
        self.head = Texts(capacity if self.has_head else 1, True)
        self.members = Texts(capacity if self.has_members else 1, True)
        self.member = Texts(1024, False)
        self.fields = [
            Field(name, keep, capacity, name in projection.repeated) for name, keep in projection.hash_fields
        ]
        self.found_fields = 0
        self.field_bytes = 0

    def another(self, projection: Projection) -> Columns:
        """Return columns like these, empty: batches are much alike, so their texts get the room that these took."""
        columns = Columns(projection, self.capacity)
        columns.key.expect(self.key.used)
        columns.head.expect(self.head.used)
        for i in range(len(self.fields)):
            field = self.fields[i]
            other = columns.fields[i]
            other.texts.expect(field.texts.used)
        return columns

    def full(self) -> bool:
        """Tell whether the batch is to be handed on."""
        texts = self.key.used + self.head.used + self.member.used + self.field_bytes
        return self.rows >= self.capacity or texts >= self.byte_limit

    def commit(self) -> int:
        """Seal the texts of the row whose numbers were written at ``rows``, and go to the next."""
        at = self.rows
        self.key.seal(at)
        if self.found_fields:
            for field in self.fields:
                if field.found:
                    self.field_bytes += field.seal(at)
            self.found_fields = 0
        self.rows = at + 1
        return 0

    def drop_value(self) -> int:
        """Forget what was put of the value, not the key."""
        self.head.drop()
        if self.has_members:
            self.members.drop()
            self.member.rows = self.members.used
            self.member.used = self.member.offsets[self.member.rows]
            self.member.sealed = self.member.used
        for field in self.fields:
            field.texts.drop()
            field.found = False
        self.found_fields = 0
        return 0

    def drop(self) -> int:
        """Forget the row that was begun."""
        self.key.drop()
        return self.drop_value()

    def put_member(self, data: Memory, start: int, count: int) -> int:
        """Add a member to the row that is sealed next."""
        self.member.more_rows(self.member.rows)
        self.member.put(data, start, count)
        self.member.seal(self.member.rows)
        self.members.used += 1
        return 0

    def batch(self, schema: pa.Schema) -> pa.RecordBatch:
        """Return the rows as Arrow; the memory is theirs from then on.

        Parameters
        ----------
        schema
            ``key_schema`` of the projection that the columns were made for.
        """
        import pyarrow as pa

        rows = self.rows
        memories = self.memories
        arrays = [
            numbers(pa.int32(), rows, memories["db"], 4),
            pa.Array.from_buffers(pa.binary(), rows, self.key.buffers(rows)),
            words(rows, memories["type"], KEY_TYPES),
            words(rows, memories["encoding"], ENCODINGS),
            numbers(pa.timestamp("ms"), rows, memories["expires_at"], 8, memories["expires"]),
            numbers(pa.int64(), rows, memories["idle"], 8, memories["idles"]),
            numbers(pa.int16(), rows, memories["frequency"], 2, memories["frequencies"]),
            numbers(pa.int64(), rows, memories["elements"], 8),
            numbers(pa.int64(), rows, memories["bytes"], 8),
            self.heads(rows),
            self.member_lists(rows),
            numbers(pa.int64(), rows, memories["empty_fields"], 8, memories["empty_counted"]),
        ]
        for field in self.fields:
            arrays.extend(field.arrays(rows))
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def heads(self, rows: int) -> pa.Array:
        """Return the column of the starts of strings."""
        import pyarrow as pa

        if not self.has_head:
            return pa.nulls(rows, pa.binary())
        return pa.Array.from_buffers(pa.binary(), rows, self.head.buffers(rows))

    def member_lists(self, rows: int) -> pa.Array:
        """Return the column of members."""
        import pyarrow as pa

        if not self.has_members:
            return pa.nulls(rows, pa.list_(pa.binary()))
        count = self.member.rows
        values = pa.Array.from_buffers(pa.binary(), count, self.member.buffers(count))
        lists = self.members.buffers(rows)[:2]
        return pa.Array.from_buffers(pa.list_(pa.binary()), rows, lists, children=[values])


WIDTHS = (
    ("db", 4),
    ("type", 1),
    ("encoding", 1),
    ("expires_at", 8),
    ("expires", 1),
    ("idle", 8),
    ("idles", 1),
    ("frequency", 2),
    ("frequencies", 1),
    ("elements", 8),
    ("bytes", 8),
    ("empty_fields", 8),
    ("empty_counted", 1),
)


def widened(numbers: Any) -> array[int]:
    """Return numbers of 64 bits with room for as many more."""
    wider = array("Q", bytes(16 * len(numbers)))
    memoryview(wider)[: len(numbers)] = memoryview(numbers)
    return wider


def numbers(type_: pa.DataType, rows: int, memory: bytearray, width: int, valid: bytearray | None = None) -> pa.Array:
    """Return a column of numbers; without ``valid`` none of them is null."""
    import pyarrow as pa

    present = None if valid is None else validity(valid, rows)
    return pa.Array.from_buffers(type_, rows, [present, buffer(memory, width * rows)])


def words(rows: int, memory: bytearray, dictionary: tuple[str, ...]) -> pa.Array:
    """Return a column of few different words."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(numbers(pa.int8(), rows, memory, 1), pa.array(dictionary, pa.string()))


def buffer(memory: bytearray | memoryview, size: int) -> Any:
    """Return the first bytes of a memory as an Arrow buffer."""
    import pyarrow as pa

    return pa.py_buffer(memoryview(memory)[:size])


def validity(flags: bytearray, rows: int) -> Any:
    """Return a byte a row as Arrow's bit a row; None when no row is null."""
    import numpy as np
    import pyarrow as pa

    seen = np.frombuffer(flags, dtype=np.uint8, count=rows)
    if seen.all():
        return None
    return pa.py_buffer(np.packbits(seen, bitorder="little"))
