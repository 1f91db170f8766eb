# cython: language_level=3, boundscheck=False, wraparound=False, annotation_typing=False, cdivision=True
"""The loops over single bytes: checksum, LZF, copies, numbers. Each checks its whole range first, then runs unchecked."""

from __future__ import annotations

from array import array

try:
    import cython
except ImportError:
    from necropsy.evidence.rdb import plain as cython  # type: ignore[no-redef]

Bytes = bytes | bytearray | memoryview
POLYNOMIAL = 0x95AC9329AC4BC9B5
"""CRC-64 "Jones", reflected: the server's crc64.c."""


class Damaged(Exception):  # noqa: N818 -- says what the bytes are
    """Bytes that no server writes."""


def _table() -> array[int]:
    """Eight tables of 256: what a byte does to the checksum when 0 to 7 more bytes follow it."""
    rows = [[0] * 256 for _ in range(8)]
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (POLYNOMIAL if crc & 1 else 0)
        rows[0][byte] = crc
    for row in range(1, 8):
        for byte in range(256):
            crc = rows[row - 1][byte]
            rows[row][byte] = rows[0][crc & 0xFF] ^ (crc >> 8)
    return array("Q", [crc for row in rows for crc in row])


TABLE = _table()


def crc64(crc: int, data: Bytes, start: int, stop: int) -> int:
    """Continue the checksum ``crc`` over ``data[start:stop]``.

    >>> hex(crc64(0, b"123456789", 0, 9))
    '0xe9c6d914c4b8d9ca'
    """
    if start < 0 or stop < start or stop > len(data):
        raise IndexError(stop)
    if not cython.compiled:
        from necropsy.evidence.rdb.lanes import crc64_in_lanes

        return crc64_in_lanes(crc, data, start, stop)
    table = TABLE
    at = start
    while at + 8 <= stop:
        crc ^= little(data, at, 8)
        crc = (
            table[1792 + (crc & 0xFF)]
            ^ table[1536 + ((crc >> 8) & 0xFF)]
            ^ table[1280 + ((crc >> 16) & 0xFF)]
            ^ table[1024 + ((crc >> 24) & 0xFF)]
            ^ table[768 + ((crc >> 32) & 0xFF)]
            ^ table[512 + ((crc >> 40) & 0xFF)]
            ^ table[256 + ((crc >> 48) & 0xFF)]
            ^ table[crc >> 56]
        )
        at += 8
    while at < stop:
        crc = table[(crc ^ data[at]) & 0xFF] ^ (crc >> 8)
        at += 1
    return crc


def expand(data: Bytes, start: int, stop: int, out: bytearray | memoryview, limit: int) -> int:
    """Expand LZF ``data[start:stop]`` into ``out``, at most ``limit`` bytes; return how many there are.

    A control byte below 32 is followed by so many bytes and one more, to be taken as they are; any other is a copy of
    what was put out already: three bits of length, thirteen of distance (liblzf, lzf_d.c).

    Raises
    ------
    Damaged
        It refers to before its own beginning, or breaks off.
    """
    if start < 0 or stop < start or stop > len(data) or limit < 0 or limit > len(out):
        raise IndexError(stop)
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
            copy(data, at, out, to, end - to)
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
        while to < end:
            out[to] = out[back]
            to += 1
            back += 1
    return to


def copy(data: Bytes, start: int, out: bytearray | memoryview, at: int, count: int) -> int:
    """Copy ``count`` bytes of ``data`` to ``out``; the two must not be the same memory unless ``at < start``."""
    if count < 0 or start < 0 or at < 0 or start + count > len(data) or at + count > len(out):
        raise IndexError(count)
    if cython.compiled:
        for i in range(count):
            out[at + i] = data[start + i]
    else:
        out[at : at + count] = data[start : start + count]
    return 0


def same(one: Bytes, start: int, other: Bytes, at: int, count: int) -> bool:
    """Tell whether ``count`` bytes at two places are equal."""
    if count < 0 or start < 0 or at < 0 or start + count > len(one) or at + count > len(other):
        raise IndexError(count)
    if not cython.compiled:
        return one[start : start + count] == other[at : at + count]
    for i in range(count):
        if one[start + i] != other[at + i]:
            return False
    return True


def little(data: Bytes, at: int, width: int) -> int:
    """Return a little-endian number of at most 8 bytes; with 8 it is signed, as all wider ones of the format are."""
    if at < 0 or width < 0 or width > 8 or at + width > len(data):
        raise IndexError(at)
    if not cython.compiled:
        return int.from_bytes(data[at : at + width], "little", signed=width == 8)
    value = 0
    i = width
    while i > 0:
        i -= 1
        value = (value << 8) | data[at + i]
    return value


def big(data: Bytes, at: int, width: int) -> int:
    """Return a big-endian number of at most 8 bytes; with 8 it is signed."""
    if at < 0 or width < 0 or width > 8 or at + width > len(data):
        raise IndexError(at)
    if not cython.compiled:
        return int.from_bytes(data[at : at + width], "big", signed=width == 8)
    value = 0
    for i in range(width):
        value = (value << 8) | data[at + i]
    return value


def decimal(value: int, out: bytearray | memoryview) -> int:
    """Write a number of 64 bits as decimal text to the start of ``out`` (20 bytes or more); return its length.

    >>> out = bytearray(20)
    >>> bytes(out[: decimal(-120, out)])
    b'-120'
    """
    if len(out) < 20:
        raise IndexError(20)
    length = 0
    if value < 0:
        out[0] = 45
        length = 1
        rest = value  # unsigned in C: the next line is then right for the smallest number too
        rest = -rest
    else:
        rest = value
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
