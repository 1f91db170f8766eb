# cython: language_level=3, boundscheck=False, wraparound=False, annotation_typing=False, cdivision=True
# ruff: noqa: PLR0911 -- loops that are to compile to loops
"""A piece of memory and the loops over its bytes: copies, numbers, LZF. Each checks its whole range, then runs unchecked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if cython.compiled:
    from cython.cimports.libc.string import memcpy
    from cython.cimports.necropsy.evidence.rdb.checksum import crc64
else:
    from necropsy.evidence.rdb.checksum import crc64

if TYPE_CHECKING:
    from necropsy.evidence.rdb.checksum import Bytes


BEYOND = "a length that reaches beyond the end"
SEED = 0x1F0D3804B5A3C7E1
MIXER = 0xD6E8FEB86659FD93
ALL_BITS = 0xFFFFFFFFFFFFFFFF
LARGE = 1 << 16
"""Bytes from which on a memory is not cleared before it is used."""


class Damaged(Exception):  # noqa: N818 -- says what the bytes are
    """Bytes that no server writes."""


class Memory:
    """Bytes of a fixed number, each reached through a check: out of range is Damaged, compiled or not.

    >>> memory = Memory(24)
    >>> bytes(memory.owner[: memory.spell(-120)])
    b'-120'
    """

    def __init__(self, size: int) -> None:
        self.owner = memoryview(room_for(size) if size >= LARGE else bytearray(max(size, 1)))
        self.size = len(self.owner)
        if not cython.compiled:
            self.start = self.owner
        else:
            self.start = cython.cast("unsigned char*", cython.address(cython.cast("unsigned char[::1]", self.owner)[0]))

    def byte(self, at: int) -> int:
        """Return one byte."""
        if at < 0 or at >= self.size:
            raise Damaged(BEYOND)
        return self.start[at]

    def little(self, at: int, width: int) -> int:
        """Return a little-endian number of at most 8 bytes; with 8 it is signed, as all such of the format are."""
        check(self, at, width)
        if not cython.compiled:
            return int.from_bytes(self.start[at : at + width], "little", signed=width == 8)
        value = 0
        i = width
        while i > 0:
            i -= 1
            value = (value << 8) | self.start[at + i]
        return value

    def signed_little(self, at: int, width: int) -> int:
        """Return a signed little-endian number of at most 8 bytes.

        >>> memory = Memory(4)
        >>> memory.owner[:4] = bytes((0xFE, 0xFF, 0xFF, 0xFF))
        >>> [memory.signed_little(0, width) for width in (1, 2, 3, 4)]
        [-2, -2, -2, -2]
        """
        value = self.little(at, width)
        if width < 8:
            limit = 1
            limit <<= 8 * width
            if value >= limit >> 1:
                value -= limit
        return value

    def big(self, at: int, width: int) -> int:
        """Return a big-endian number of at most 8 bytes; with 8 it is signed."""
        check(self, at, width)
        if not cython.compiled:
            return int.from_bytes(self.start[at : at + width], "big", signed=width == 8)
        value = 0
        for i in range(width):
            value = (value << 8) | self.start[at + i]
        return value

    def copy(self, at: int, other: Memory, start: int, count: int) -> int:
        """Copy bytes of another memory to this one."""
        check(self, at, count)
        check(other, start, count)
        return move(other.start, start, self.start, at, count)

    def same(self, at: int, other: Memory, start: int, count: int) -> bool:
        """Tell whether ``count`` bytes are as those of another memory."""
        check(self, at, count)
        check(other, start, count)
        return equal(self.start, at, other.start, start, count)

    def spell(self, value: int) -> int:
        """Write a number of 64 bits as decimal text to the start; return its length."""
        check(self, 0, 20)
        out = self.start
        length = 0
        rest = value
        if value < 0:
            out[0] = 45
            length = 1
            rest = -rest  # unsigned in C: right for the smallest number too
        at = length
        while True:
            out[at] = 48 + rest % 10
            at += 1
            rest //= 10
            if rest == 0:
                break
        i = length
        end = at - 1
        while i < end:
            digit = out[i]
            out[i] = out[end]
            out[end] = digit
            i += 1
            end -= 1
        return at

    def expand(self, other: Memory, start: int, stop: int, limit: int) -> int:
        """Expand LZF of another memory into this one, at most ``limit`` bytes; return how many there are.

        A control byte below 32 is followed by so many bytes and one more, to be taken as they are; any other is a copy
        of what was put out already: three bits of length, thirteen of distance (liblzf, lzf_d.c).

        Raises
        ------
        Damaged
            It refers to before its own beginning, or breaks off.
        """
        check(other, start, stop - start)
        check(self, 0, limit)
        data = other.start
        out = self.start
        at = start
        to = 0
        while at < stop and to < limit:
            control = data[at]
            at += 1
            if control < 32:
                length = control + 1
                if at + length > stop:
                    raise Damaged("compressed text breaks off")
                end = min(to + length, limit)
                move(data, at, out, to, end - to)
                to = end
                at += length
                continue
            length = control >> 5
            if length == 7:
                if at >= stop:
                    raise Damaged("compressed text breaks off")
                length += data[at]
                at += 1
            if at >= stop:
                raise Damaged("compressed text breaks off")
            back = to - ((control & 31) << 8) - data[at] - 1
            at += 1
            if back < 0:
                raise Damaged("compressed text refers to before its beginning")
            end = min(to + length + 2, limit)
            if end - to <= to - back:
                move(out, back, out, to, end - to)
                to = end
            else:  # it reaches into what it puts out itself
                while to < end:
                    out[to] = out[back]
                    to += 1
                    back += 1
        return to

    def is_number(self, start: int, length: int) -> bool:
        """Tell whether a text is the decimal form of a number of 64 bits: the server then keeps it as one.

        >>> memory = Memory(20)
        >>> memory.owner[:20] = b"-9223372036854775808"
        >>> memory.is_number(0, 20), memory.is_number(1, 19), memory.is_number(1, 2)
        (True, False, True)
        """
        check(self, start, length)
        if length == 0 or length > 20:
            return False
        return numeric(self.start, start, length, b"922337203685477580")

    def spread(self, start: int, stop: int) -> int:
        """Return 64 bits that depend on all bytes and are spread evenly, to choose keys by (the checksum, mixed)."""
        value = self.crc64(SEED, start, stop)
        value ^= value >> 32
        value = (value * MIXER) & ALL_BITS
        value ^= value >> 29
        return (value * MIXER) & ALL_BITS

    def mark(self, start: int, stop: int) -> int:
        """Return 64 bits by which equal bytes are found again: cheaper than ``spread``, for bytes that are compared then."""
        check(self, start, stop - start)
        return marked(self.start, start, stop)

    def crc64(self, crc: int, start: int, stop: int) -> int:
        """Continue a checksum over the bytes from ``start`` to ``stop``."""
        check(self, start, stop - start)
        return crc64(crc, self.start, start, stop)  # type: ignore[no-any-return]  # as cimported it is untyped


def room_for(count: int) -> Any:
    """Return so many bytes that nobody has cleared: to clear them takes longer than to fill them."""
    import numpy as np

    return np.empty(count, np.uint8)


def check(memory: Memory, at: int, count: int) -> int:
    """Raise Damaged unless so many bytes are there."""
    if at < 0 or count < 0 or at > memory.size or count > memory.size - at:
        raise Damaged(BEYOND)
    return 0


def move(source: Bytes, start: int, target: memoryview, at: int, count: int) -> int:
    """Copy bytes whose range was checked."""
    if cython.compiled:
        memcpy(cython.address(target[at]), cython.address(source[start]), count)
    else:
        target[at : at + count] = source[start : start + count]
    return 0


def equal(one: Bytes, start: int, other: Bytes, at: int, count: int) -> bool:
    """Compare bytes whose range was checked."""
    if not cython.compiled:
        return one[start : start + count] == other[at : at + count]
    return bool(equal_words(cython.address(one[start]), cython.address(other[at]), count))  # type: ignore[name-defined]  # noqa: F821 -- of the .pxd


def marked(data: Bytes, start: int, stop: int) -> int:
    """Mix bytes whose range was checked: four lanes of eight bytes, as none need wait for another, then the rest."""
    value = stop - start
    second, third, fourth = value + 1, value + 2, value + 3
    while start + 32 <= stop:
        value = mixed(value, word(data, start, 8))
        second = mixed(second, word(data, start + 8, 8))
        third = mixed(third, word(data, start + 16, 8))
        fourth = mixed(fourth, word(data, start + 24, 8))
        start += 32
    value = mixed(mixed(mixed(value, second), third), fourth)
    while start + 8 <= stop:
        value = mixed(value, word(data, start, 8))
        start += 8
    return mixed(value, word(data, start, stop - start))


def mixed(value: int, more: int) -> int:
    """Mix eight bytes more into a lane."""
    value = (value ^ more) * MIXER
    if not cython.compiled:
        value &= ALL_BITS
    return value ^ (value >> 32)


def word(data: Bytes, at: int, count: int) -> int:
    """Return up to eight bytes whose range was checked as one number."""
    if not cython.compiled:
        return int.from_bytes(data[at : at + count], "little")
    value = 0
    memcpy(cython.address(value), cython.address(data[at]), count)
    return value


def numeric(text: Bytes, at: int, length: int, largest: bytes) -> bool:
    """Tell whether 1 to 20 bytes whose range was checked are a number; ``largest`` has all its digits but the last."""
    stop = at + length
    last = 55
    if text[at] == 45:
        at += 1
        last = 56
        if at == stop or text[at] == 48:
            return False
    digits = stop - at
    if text[at] == 48:
        return digits == 1
    if digits > 19:
        return False
    for i in range(at, stop):
        if text[i] < 48 or text[i] > 57:
            return False
    if digits < 19:
        return True
    for i in range(18):
        most = largest[i]
        if text[at + i] != most:
            return text[at + i] < most
    return text[at + 18] <= last
