# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
# ruff: noqa: C901, PLR0911, PLR0912 -- the cases of two formats, in the order of their tables
"""Packed encodings of a value in one text: listpack, ziplist, zipmap, intset. One cursor walks them all.

A listpack of ``"ab", 5``, as ``DUMP`` shows it::

    0d 00 00 00   13 bytes in all          82 61 62   a text of 2      03   and 3 bytes back to its start
    02 00         2 entries                05 01      the number 5     ff   end

Sources: the server's listpack.c, ziplist.c, zipmap.c, intset.c.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.rdb.kernels import Memory

from necropsy.evidence.rdb.kernels import Damaged

LISTPACK, ZIPLIST, ZIPMAP, INTSET = 0, 1, 2, 3
"""Formats."""


class Packed:
    """A cursor over the entries of a packed value; for a zipmap, fields and values in turn.

    ``open`` sets ``count``: how many entries the head claims, or -1 when it does not say. After ``advance`` the entry
    is ``length`` bytes of ``text`` from ``start`` on, or ``number`` when ``is_number`` (``spell`` then writes it out as text).
    """

    def __init__(self) -> None:
        self.digits = Memory(24)
        self.memory = self.digits
        self.text = self.digits
        self.format = LISTPACK
        self.at = 0
        self.stop = 0
        self.count = 0
        self.width = 0
        self.start = 0
        self.length = 0
        self.is_number = False
        self.number = 0
        self.at_value = False

    def open(self, format: int, memory: Memory, start: int, stop: int) -> int:  # noqa: A002 -- it is one
        """Begin with the packed bytes from ``start`` to ``stop``.

        Raises
        ------
        Damaged
            The head contradicts the length.
        """
        self.memory = memory
        self.format = format
        self.at_value = False
        head = stop - start
        if format == LISTPACK:
            if head < 7 or memory.little(start, 4) != head or memory.byte(stop - 1) != 0xFF:
                raise Damaged("a listpack whose head contradicts its length")
            size = memory.little(start + 4, 2)
            self.count = -1 if size == 0xFFFF else size
            self.at = start + 6
            self.stop = stop - 1
        elif format == ZIPLIST:
            if head < 11 or memory.little(start, 4) != head or memory.byte(stop - 1) != 0xFF:
                raise Damaged("a ziplist whose head contradicts its length")
            size = memory.little(start + 8, 2)
            self.count = -1 if size == 0xFFFF else size
            self.at = start + 10
            self.stop = stop - 1
        elif format == ZIPMAP:
            if head < 2 or memory.byte(stop - 1) != 0xFF:
                raise Damaged("a zipmap without an end")
            size = memory.byte(start)
            self.count = -1 if size >= 254 else 2 * size
            self.at = start + 1
            self.stop = stop - 1
        else:
            if head < 8:
                raise Damaged("an intset without a head")
            self.width = memory.little(start, 4)
            self.count = memory.little(start + 4, 4)
            if self.width not in (2, 4, 8) or self.count * self.width != head - 8:
                raise Damaged("an intset whose head contradicts its length")
            self.at = start + 8
            self.stop = stop
        return 0

    def advance(self) -> bool:
        """Go to the next entry; False at the end.

        Raises
        ------
        Damaged
            The entry reaches beyond the end.
        """
        if self.at >= self.stop:
            if self.at_value:
                raise Damaged("a zipmap that ends with a field without value")
            return False
        if self.format == LISTPACK:
            return self.advance_listpack()
        if self.format == ZIPLIST:
            return self.advance_ziplist()
        if self.format == ZIPMAP:
            return self.advance_zipmap()
        return self.take_number(self.at, self.width, self.at + self.width)

    def spell(self) -> int:
        """Make the entry a text if it is a number."""
        if self.is_number:
            self.length = self.digits.spell(self.number)
            self.text = self.digits
            self.start = 0
            self.is_number = False
        return 0

    def take_number(self, at: int, width: int, after: int) -> bool:
        """Make a signed little-endian number the entry."""
        if after > self.stop:
            raise Damaged("a packed number that reaches beyond the end")
        self.number = self.memory.signed_little(at, width)
        self.is_number = True
        self.at = after
        return True

    def take_text(self, at: int, length: int, after: int) -> bool:
        """Make a text the entry."""
        if length < 0 or after > self.stop:
            raise Damaged("a packed text that reaches beyond the end")
        self.text = self.memory
        self.start = at
        self.length = length
        self.is_number = False
        self.at = after
        return True

    def advance_listpack(self) -> bool:
        """Take an entry: encoding, content, and its own length once more for those who walk backwards."""
        at = self.at
        first = self.memory.byte(at)
        if first < 0x80:
            self.number = first
            self.is_number = True
            self.at = at + 2
            if self.at > self.stop:
                raise Damaged("a packed number that reaches beyond the end")
            return True
        if first < 0xC0:
            length = first & 0x3F
            body = at + 1
        elif first < 0xE0:  # 13 bits, signed
            number = ((first & 0x1F) << 8) | self.memory.byte(at + 1)
            if number >= 0x1000:
                number -= 0x2000
            if at + 3 > self.stop:
                raise Damaged("a packed number that reaches beyond the end")
            self.number = number
            self.is_number = True
            self.at = at + 3
            return True
        elif first < 0xF0:
            length = ((first & 0x0F) << 8) | self.memory.byte(at + 1)
            body = at + 2
        elif first == 0xF0:
            if at + 5 > self.stop:
                raise Damaged("a packed text that reaches beyond the end")
            length = self.memory.little(at + 1, 4)
            body = at + 5
        elif first <= 0xF4:
            width = first - 0xEF if first < 0xF4 else 8
            if at + 2 + width > self.stop:
                raise Damaged("a packed number that reaches beyond the end")
            return self.take_number(at + 1, width, at + 2 + width)
        else:
            raise Damaged(f"0x{first:02x} where a listpack entry belongs")
        total = body - at + length
        if total <= 127:
            after = body + length + 1
        elif total < 16383:
            after = body + length + 2
        elif total < 2097151:
            after = body + length + 3
        elif total < 268435455:
            after = body + length + 4
        else:
            after = body + length + 5
        return self.take_text(body, length, after)

    def advance_ziplist(self) -> bool:
        """Take an entry: length of the one before, encoding, content."""
        at = self.at + (1 if self.memory.byte(self.at) < 254 else 5)
        if at >= self.stop:
            raise Damaged("a ziplist entry that reaches beyond the end")
        first = self.memory.byte(at)
        if first < 0x40:
            return self.take_text(at + 1, first, at + 1 + first)
        if first < 0x80:
            length = ((first & 0x3F) << 8) | self.memory.byte(at + 1)
            return self.take_text(at + 2, length, at + 2 + length)
        if first == 0x80:
            if at + 5 > self.stop:
                raise Damaged("a ziplist entry that reaches beyond the end")
            length = self.memory.big(at + 1, 4)
            return self.take_text(at + 5, length, at + 5 + length)
        if first == 0xC0:
            return self.take_number(at + 1, 2, at + 3)
        if first == 0xD0:
            return self.take_number(at + 1, 4, at + 5)
        if first == 0xE0:
            return self.take_number(at + 1, 8, at + 9)
        if first == 0xF0:
            return self.take_number(at + 1, 3, at + 4)
        if first == 0xFE:
            return self.take_number(at + 1, 1, at + 2)
        if 0xF1 <= first <= 0xFD:
            self.number = first - 0xF1
            self.is_number = True
            self.at = at + 1
            return True
        raise Damaged(f"0x{first:02x} where a ziplist entry belongs")

    def advance_zipmap(self) -> bool:
        """Take a field, or a value with the spare bytes that may follow it."""
        at = self.at
        first = self.memory.byte(at)
        if first < 254:
            length = first
            at += 1
        elif first == 254 and at + 5 <= self.stop:
            length = self.memory.little(at + 1, 4)
            at += 5
        else:
            raise Damaged("a zipmap entry that reaches beyond the end")
        if not self.at_value:
            self.at_value = True
            return self.take_text(at, length, at + length)
        if at >= self.stop:
            raise Damaged("a zipmap entry that reaches beyond the end")
        self.at_value = False
        free = self.memory.byte(at)
        return self.take_text(at + 1, length, at + 1 + length + free)
