# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
"""Copies to the columns what a projection asks for of a value, and passes the rest."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.rdb.columns import Columns, Field
    from necropsy.evidence.rdb.kernels import Memory
    from necropsy.evidence.rdb.packed import Packed
    from necropsy.evidence.rdb.read_buffer import Window

from necropsy.evidence.rdb.kernels import Damaged
from necropsy.evidence.rdb.read_buffer import TooWide
from necropsy.sessions.keyspace import MOST_COUNTED, Projection

K_NUMBER = 1
EVERY = 1 << 62
OPENED = 3
"""Kind of a value that is compared as it reads, beside the kinds of the window."""
LARGEST_REPEATED = 1 << 16
"""Stored bytes of a value that may repeat: they are compared in one piece."""
MOST_MEMBERS = 63 << 20
"""Bytes of the members of one key that are kept: almost two million session ids."""


class Picker:
    """Knows what is wanted: of which strings the start, of which hashes the fields, of which sets the members.

    What cannot be had, as it is damaged inside, does not end the read, for the dump itself says where the next key
    begins: ``hurt`` is set then and ``why`` tells; the key counts, what was asked of its value is null.
    """

    def __init__(self, window: Window, columns: Columns, projection: Projection) -> None:
        self.window = window
        self.packed = Packed()
        self.columns = columns
        self.string_bytes = projection.string_bytes
        self.field_count = len(projection.hash_fields)
        self.lengths = memoryview(bytearray(257))
        for name, _ in projection.hash_fields:
            self.lengths[min(len(name), 256)] = 1
        self.members_of = projection.members_of
        self.lasting_members = projection.lasting_members
        self.counts_empty = memoryview(bytearray(len(projection.hash_fields) + 1))
        for place, (name, _) in enumerate(projection.hash_fields):
            self.counts_empty[place] = name in projection.empty_fields_beside
        self.most_counted = MOST_COUNTED
        self.counted = False
        self.empty_fields = 0
        self.keeping = True
        self.members = False
        self.members_from = 0
        self.curtailed = False
        self.hurt = False
        self.why = ""

    def renew(self, columns: Columns) -> None:
        """Copy to other columns from now on."""
        self.columns = columns

    def begin(self, code: int, got: int, expires: bool) -> int:
        """Begin with a value of type ``code``, whose key is what the window opened last, ``got`` bytes of it."""
        self.hurt = False
        self.members = False
        self.curtailed = False
        self.counted = False
        self.empty_fields = 0
        if expires and self.lasting_members:
            return 0
        if self.keeping and self.members_of and code in (2, 3, 5, 11, 12, 17, 20):  # sets and sorted sets
            opened = self.window.opened
            name = bytes(opened.owner[self.window.opened_at : self.window.opened_at + got])
            for part in self.members_of:
                if part in name:
                    self.members = True
                    self.members_from = self.columns.member.used
        return 0

    def fields_wanted(self) -> bool:
        """Tell whether any field of a hash is."""
        return self.keeping and self.field_count > 0

    def head(self) -> int:
        """Copy the start of the string whose head was taken."""
        window = self.window
        if self.string_bytes == 0 or not self.keeping:
            return window.pass_text()
        try:
            got = window.open_text(self.string_bytes)
        except (Damaged, TooWide) as error:
            window.pass_text()
            return self.harm(str(error))
        self.columns.head.put(window.opened, window.opened_at, got)
        return self.columns.head.seal(self.columns.rows)

    def member(self) -> int:
        """Copy the text whose head was taken to the members, if they are wanted."""
        window = self.window
        if not self.members:
            return window.pass_text()
        if self.columns.member.used - self.members_from > MOST_MEMBERS:
            self.curtailed = True
            return window.pass_text()
        try:
            got = window.open_text(EVERY)
        except (Damaged, TooWide) as error:
            window.pass_text()
            return self.harm(str(error))
        return self.columns.put_member(window.opened, window.opened_at, got)

    def packed_member(self) -> int:
        """Copy the packed entry to the members."""
        self.packed.spell()
        return self.columns.put_member(self.packed.text, self.packed.start, self.packed.length)

    def seal_members(self) -> int:
        """Make the members copied so far those of this row."""
        if self.members:
            self.columns.members.seal(self.columns.rows)
        return 0

    def match(self, memory: Memory, start: int, length: int) -> int:
        """Return the number of the field that has this name among those asked for, or -1."""
        for i in range(self.field_count):
            field = self.columns.fields[i]
            if field.size == length and field.name.same(0, memory, start, length):
                return i
        return -1

    def named(self, length: int) -> int:
        """Pass the text whose head was taken; return the number of the field that it names, or -1."""
        window = self.window
        if not self.lengths[min(length, 256)]:
            window.pass_text()
            return -1
        try:
            got = window.open_text(length)
        except (Damaged, TooWide) as error:
            window.pass_text()
            self.harm(str(error))
            return -1
        return self.match(window.opened, window.opened_at, got)

    def packed_named(self) -> int:
        """Return the number of the field that the packed entry names, or -1."""
        packed = self.packed
        packed.spell()
        if not self.lengths[min(packed.length, 256)]:
            return -1
        return self.match(packed.text, packed.start, packed.length)

    def keep(self, index: int) -> int:
        """Copy the text whose head was taken to a field's column."""
        window = self.window
        field = self.columns.fields[index]
        length = window.length
        known = False
        looked_up = field.repeats and window.kind != K_NUMBER and window.stored <= LARGEST_REPEATED
        if looked_up:
            window.need(window.stored)
            known = field.known(window.memory, window.position, window.stored, window.kind)
        if known:
            window.pass_text()
        else:
            try:
                got = window.open_text(field.keep)
            except (Damaged, TooWide) as error:
                window.pass_text()
                return self.harm(str(error))
            if field.repeats and not looked_up:
                known = field.known(window.opened, window.opened_at, got, OPENED)
            if not known:
                field.texts.drop()
                field.texts.put(window.opened, window.opened_at, got)
                if field.repeats:
                    self.columns.field_bytes += 2 * got
                    field.learn()
        field.length = length
        return self.found(field, index)

    def keep_packed(self, index: int) -> int:
        """Copy the packed entry to a field's column."""
        packed = self.packed
        field = self.columns.fields[index]
        packed.spell()
        got = min(packed.length, field.keep)
        if not field.repeats or not field.known(packed.text, packed.start, got, OPENED):
            field.texts.drop()
            field.texts.put(packed.text, packed.start, got)
            if field.repeats:
                self.columns.field_bytes += 2 * got
                field.learn()
        field.length = packed.length
        return self.found(field, index)

    def found(self, field: Field, index: int) -> int:
        """Note that the hash has a field that was asked for."""
        field.found = True
        self.columns.found_fields += 1
        if self.counts_empty[index]:
            self.counted = True
        return 0

    def harm(self, why: str) -> int:
        """Note that what was asked of this value cannot be had."""
        self.hurt = True
        self.why = why
        return 0
