# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
"""Hash templates (Redis 8.10): hashes alike keep their field names once, and the dump has them apart from the values.

A template is, for this reader, the number of each of its fields among those that were asked for, or -1.
"""

from __future__ import annotations

from array import array

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.rdb.projection import Picker
    from necropsy.evidence.rdb.read_buffer import Window

from necropsy.evidence.rdb.kernels import Damaged

P_LISTPACK = 0
MOST_FIELDS = 10_000_000
"""Over all templates of a dump; so many cost 20 MB here."""


class Templates:
    """The templates that a dump has defined so far."""

    def __init__(self, window: Window, picker: Picker) -> None:
        self.window = window
        self.picker = picker
        self.known: dict[int, array[int]] = {}
        self.fields = 0

    def define(self) -> int:
        """Take the definition of a template: its number, its fields."""
        number = self.window.size()
        if number in self.known:
            raise Damaged("a hash template that is defined twice")
        self.known[number] = self.texts()
        return 0

    def named(self, number: int) -> array[int]:
        """Return a template that was defined."""
        fields = self.known.get(number)
        if fields is None:
            raise Damaged(f"hash template {number}, which is not defined")
        return fields

    def inside(self) -> array[int]:
        """Take the fields that stand in a value itself: as texts, or packed."""
        form = self.window.byte()
        if form == 1:
            return self.texts()
        if form == 0:
            return self.packed_texts()
        raise Damaged(f"{form} where the form of a hash template belongs")

    def texts(self) -> array[int]:
        """Take a count and so many fields."""
        count = self.window.size()
        fields = array("h")
        for _ in range(count):
            self.window.text()
            fields.append(self.picker.named(self.window.length))
            self.fields += 1
            if self.fields > MOST_FIELDS:
                raise Damaged("more fields in hash templates than any server has")
        return fields

    def packed_texts(self) -> array[int]:
        """Take the fields of a listpack."""
        window = self.window
        packed = self.picker.packed
        window.text()
        got = window.open_text(window.length)
        packed.open(P_LISTPACK, window.opened, window.opened_at, window.opened_at + got)
        fields = array("h")
        while packed.advance():
            fields.append(self.picker.packed_named())
        return fields

    def walk(self, fields: array[int] | None, got: int) -> int:
        """Copy what was asked for of packed values, the first of which names the template; return how many there are."""
        window = self.window
        packed = self.picker.packed
        packed.open(P_LISTPACK, window.opened, window.opened_at, window.opened_at + got)
        if not packed.advance() or not packed.is_number:
            raise Damaged("a hash that names no template")
        if fields is None:
            fields = self.named(packed.number)
        count = 0
        while packed.advance():
            if count >= len(fields):
                raise Damaged("a hash with more values than its template has fields")
            if packed.length == 0 and not packed.is_number:
                self.picker.empty_fields += 1
            index = fields[count]
            if index >= 0 and self.picker.keeping:
                self.picker.keep_packed(index)
            count += 1
        return count
