# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, infer_types=True
"""A window that moves over a dump of any size, and what every part of the format is made of: numbers and texts.

::

    00xxxxxx                     6 bits          11000000 i8         a text that is a number
    01xxxxxx xxxxxxxx            14 bits         11000001 i16
    10000000 + 4 bytes           32 bits         11000010 i32
    10000001 + 8 bytes           64 bits         11000011 stored full bytes   LZF
"""

from __future__ import annotations

from collections.abc import Callable

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.rdb.kernels import Memory

from necropsy.evidence.rdb.kernels import Damaged

CHUNK = 1 << 20
"""Bytes of the window at first."""
WIDEST = 64 << 20
"""Bytes that it may grow to, so that one packed value lies in it whole."""
LONGEST = 1 << 48
"""A length beyond this is damage, not data."""
EXPANSION = 264
"""LZF cannot make more of one byte: three bytes name at most 264, and one is what a byte of text takes."""

PLAIN, NUMBER, COMPRESSED = 0, 1, 2
"""Kinds of text."""


class Truncated(Exception):  # noqa: N818 -- says what the dump is
    """The stream ended inside of something."""


class TooWide(Exception):  # noqa: N818 -- says what the value is
    """A packed value does not fit the widest window."""


class Window:
    """Bytes ``position`` to ``filled`` of ``view`` are ahead; ``base`` is the place of ``view[0]`` in the dump."""

    def __init__(
        self,
        read: Callable[[memoryview], int],
        *,
        piece: int = WIDEST,
        summing: bool = True,
        chunk: int = CHUNK,
        widest: int = WIDEST,
    ) -> None:
        self.read = read
        self.piece = piece
        self.memory = Memory(chunk)
        self.position = 0
        self.filled = 0
        self.limit = widest
        self.base = 0
        self.summed = 0
        self.summing = summing
        self.checksum = 0
        self.ended = False
        self.scratch = Memory(4096)
        self.kind = PLAIN
        self.number = 0
        self.stored = 0
        self.length = 0
        self.opened = self.memory
        self.opened_at = 0

    def offset(self) -> int:
        """Return the place in the dump of the next byte."""
        return self.base + self.position

    def sum_up(self) -> int:
        """Bring the checksum up to the next byte and return it."""
        if self.summing:
            self.checksum = self.memory.crc64(self.checksum, self.summed, self.position)
        self.summed = self.position
        return self.checksum

    def need(self, count: int) -> int:
        """Have ``count`` bytes ahead, in one piece."""
        if self.filled - self.position < count:
            self.refill(count)
        return 0

    def refill(self, count: int) -> int:
        """Move what is ahead to the front, and read until ``count`` bytes are."""
        self.sum_up()
        if count > self.limit:
            raise TooWide(count)
        rest = self.filled - self.position
        if self.position:
            self.memory.owner[:rest] = self.memory.owner[self.position : self.filled]
            self.base += self.position
            self.position = 0
            self.summed = 0
            self.filled = rest
        while self.filled < count:
            if self.filled == self.memory.size:
                self.grow()
            got = self.read(self.memory.owner[self.filled : min(self.memory.size, self.filled + self.piece)])
            if not got:
                self.ended = True
                raise Truncated(self.base + self.filled)
            self.filled += got
        return 0

    def grow(self) -> int:
        """Double the window: only after it was filled, so that a length that lies cannot ask for memory."""
        wider = Memory(min(2 * self.memory.size, max(self.limit, self.memory.size + 1)))
        wider.owner[: self.filled] = self.memory.owner[: self.filled]
        self.memory = wider
        return 0

    def skip(self, count: int) -> int:
        """Go past ``count`` bytes, however many."""
        rest = self.filled - self.position
        while count > rest:
            self.position = self.filled
            count -= rest
            self.refill(1)
            rest = self.filled
        self.position += count
        return 0

    def take(self, count: int) -> bytes:
        """Take a few bytes."""
        self.need(count)
        self.position += count
        return bytes(self.memory.owner[self.position - count : self.position])

    def byte(self) -> int:
        """Take one byte."""
        if self.position >= self.filled:
            self.refill(1)
        value = self.memory.start[self.position]
        self.position += 1
        return value

    def little(self, width: int) -> int:
        """Take a little-endian number."""
        self.need(width)
        value = self.memory.little(self.position, width)
        self.position += width
        return value

    def big(self, width: int) -> int:
        """Take a big-endian number."""
        self.need(width)
        value = self.memory.big(self.position, width)
        self.position += width
        return value

    def size(self) -> int:
        """Take a length or a count.

        Raises
        ------
        Damaged
            It is one that nothing can have, or stands for a text.
        """
        first = self.byte()
        if first < 0x40:
            return first
        if first < 0x80:
            return ((first & 0x3F) << 8) | self.byte()
        if first == 0x80:
            return self.big(4)
        if first == 0x81:
            value = self.big(8)
            if value < 0 or value > LONGEST:
                raise Damaged("a length that nothing can have")
            return value
        raise Damaged(f"0x{first:02x} where a length belongs")

    def skip_size(self) -> int:
        """Go past a number written as a length, of any worth."""
        first = self.byte()
        if first < 0x40:
            return 0
        if first < 0x80:
            return self.skip(1)
        if first == 0x80:
            return self.skip(4)
        if first == 0x81:
            return self.skip(8)
        raise Damaged(f"0x{first:02x} where a number belongs")

    def text(self) -> int:
        """Take the head of a text: ``kind``, ``stored`` bytes that lie ahead, ``length`` of the text itself.

        For a number, ``number`` is it, nothing lies ahead, and ``length`` is that of its decimal form.
        """
        if self.position >= self.filled:
            self.refill(1)
        first = self.memory.start[self.position]
        if first < 0x40:
            self.position += 1
            self.kind = PLAIN
            self.stored = first
            self.length = first
            return 0
        if first < 0xC0:
            self.kind = PLAIN
            self.stored = self.size()
            self.length = self.stored
            return 0
        self.position += 1
        special = first & 0x3F
        if special < 3:
            width = 1 << special
            self.need(width)
            value = self.memory.signed_little(self.position, width)
            self.position += width
            self.kind = NUMBER
            self.number = value
            self.stored = 0
            self.length = self.scratch.spell(value)
            return 0
        if special == 3:
            self.kind = COMPRESSED
            self.stored = self.size()
            self.length = self.size()
            if self.length > self.stored * EXPANSION:
                raise Damaged("compressed text that would expand beyond what LZF can")
            return 0
        raise Damaged(f"0x{first:02x} where a text belongs")

    def pass_text(self) -> int:
        """Go past what lies ahead of the text whose head was taken."""
        return self.skip(self.stored)

    def skip_text(self) -> int:
        """Go past a text."""
        self.text()
        return self.skip(self.stored)

    def open_text(self, limit: int) -> int:
        """Open the first bytes of the text whose head was taken, go past all of it, and return how many they are.

        They lie in ``opened`` from ``opened_at`` on, until the window moves.

        Raises
        ------
        TooWide
            More is wanted than the widest window holds; nothing was passed.
        """
        wanted = min(limit, self.length)
        if self.kind == NUMBER:
            self.opened = self.scratch
            self.opened_at = 0
            return wanted
        if self.kind == PLAIN:
            self.need(wanted)
            self.opened = self.memory
            self.opened_at = self.position
            if self.stored == wanted:
                self.position += wanted
            elif self.stored - wanted <= self.filled - self.position - wanted:
                self.position += self.stored
            else:
                self.reserve(wanted)
                self.scratch.copy(0, self.memory, self.position, wanted)
                self.opened = self.scratch
                self.opened_at = 0
                self.skip(self.stored)
            return wanted
        room = min(self.stored, 2 * wanted + 64)  # text that LZF could not shorten grows by a 32nd
        self.need(room)
        self.reserve(wanted)
        got = self.scratch.expand(self.memory, self.position, self.position + room, wanted)
        if got < wanted:
            raise Damaged("compressed text is shorter than it says")
        self.opened = self.scratch
        self.opened_at = 0
        self.skip(self.stored)
        return wanted

    def reserve(self, count: int) -> int:
        """Have room for so many bytes beside the window."""
        if count > self.limit:
            raise TooWide(count)
        if count > self.scratch.size:
            self.scratch = Memory(2 * count)
        return 0
