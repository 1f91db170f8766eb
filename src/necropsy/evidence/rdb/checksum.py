# cython: language_level=3, boundscheck=False, wraparound=False, annotation_typing=False, cdivision=True
"""The checksum that ends a dump: CRC-64 "Jones", reflected, no inversion (the server's crc64.c).

Summed by eights (M. E. Kounavis, F. L. Berry: "A Systematic Approach to Building High Performance Software-based CRC
Generators"), three neighbouring strips at a time, as the sum of one need not wait for that of another. Compiled, where the
processor multiplies without carries, 64 bytes at a time instead (V. Gopal et al.: "Fast CRC Computation for Generic
Polynomials Using PCLMULQDQ Instruction"): a tenth of the time.
"""

from __future__ import annotations

from array import array

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

POLYNOMIAL = 0x95AC9329AC4BC9B5
STRIP = 1024
"""Bytes that are summed on their own before they are put together with their neighbours."""
BLOCK = 64
"""Bytes that are multiplied onward at once: four times 16."""
Bytes = bytes | bytearray | memoryview


def _tables() -> array[int]:
    """Eight tables of 256: what a byte does to the sum when 0 to 7 more bytes follow it."""
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


TABLE = memoryview(_tables())


def _shift() -> array[int]:
    """Eight tables of 256: what a strip of zero bytes makes of each byte of a sum."""
    table = TABLE.tolist() if isinstance(TABLE, memoryview) else list(TABLE)
    bits = []
    for bit in range(64):
        crc = 1 << bit
        for _ in range(STRIP):
            crc = table[crc & 0xFF] ^ (crc >> 8)
        bits.append(crc)
    rows = array("Q")
    for place in range(8):
        row = [0] * 256
        for byte in range(1, 256):
            low = byte & -byte
            row[byte] = row[byte ^ low] ^ bits[8 * place + low.bit_length() - 1]
        rows.extend(row)
    return rows


SHIFT = memoryview(_shift())


def _powers() -> array[int]:
    """Effect of a block, and of 16 bytes, of zeros on the halves of the 16 bytes before them: powers of x.

    A product of two reflected numbers is one place short, so each is the power below.
    """
    powers = []
    power = 1 << 63
    for _ in range(8 * BLOCK + 64):
        powers.append(power)
        power = (power >> 1) ^ (POLYNOMIAL if power & 1 else 0)
    return array("Q", [powers[bits] for bits in (8 * BLOCK + 63, 8 * BLOCK - 1, 128 + 63, 128 - 1)])


ONWARD = memoryview(_powers())
FOLDS = bool(can_fold()) if cython.compiled else False  # type: ignore[name-defined]  # noqa: F821 -- of the .pxd


def crc64(crc: int, data: Bytes, start: int, stop: int) -> int:
    """Continue the checksum ``crc`` over ``data[start:stop]``, whose range the caller has checked."""
    if not cython.compiled:
        from necropsy.evidence.rdb.checksum_in_numpy import crc64_in_numpy

        return crc64_in_numpy(crc, data, start, stop, TABLE, SHIFT, STRIP)
    table = cython.address(TABLE[0])
    shift = cython.address(SHIFT[0])
    at = start
    if FOLDS and stop - start >= 2 * BLOCK:
        blocks = (stop - start) // BLOCK
        fold_blocks(crc, cython.address(data[at]), blocks, cython.address(ONWARD[0]), rest)  # type: ignore[name-defined]  # noqa: F821
        crc = fold(table, word(rest))  # type: ignore[name-defined]  # noqa: F821
        crc = fold(table, crc ^ word(cython.address(rest[8])))  # type: ignore[name-defined]  # noqa: F821
        at += blocks * BLOCK
    while at + 3 * STRIP <= stop:
        crc = three_strips(crc, data, at, table, shift)
        at += 3 * STRIP
    while at + 8 <= stop:
        crc = fold(table, crc ^ word(cython.address(data[at])))
        at += 8
    while at < stop:
        crc = table[(crc ^ data[at]) & 0xFF] ^ (crc >> 8)
        at += 1
    return crc


def three_strips(crc: int, data: Bytes, at: int, table: memoryview, shift: memoryview) -> int:
    """Sum three neighbouring strips at once."""
    second = 0
    third = 0
    end = at + STRIP
    while at < end:
        crc = fold(table, crc ^ word(cython.address(data[at])))
        second = fold(table, second ^ word(cython.address(data[at + STRIP])))
        third = fold(table, third ^ word(cython.address(data[at + 2 * STRIP])))
        at += 8
    return shifted(shift, shifted(shift, crc) ^ second) ^ third


def word(data: Bytes) -> int:
    """Return the 8 bytes at a pointer as one unsigned number, little-endian: one load, where the processor is such."""
    value = data[7]
    value = (value << 8) | data[6]
    value = (value << 8) | data[5]
    value = (value << 8) | data[4]
    value = (value << 8) | data[3]
    value = (value << 8) | data[2]
    value = (value << 8) | data[1]
    return (value << 8) | data[0]


def fold(table: memoryview, crc: int) -> int:
    """Push eight zero bytes through a sum: the first byte of it goes farthest."""
    return (
        table[1792 + (crc & 0xFF)]
        ^ table[1536 + ((crc >> 8) & 0xFF)]
        ^ table[1280 + ((crc >> 16) & 0xFF)]
        ^ table[1024 + ((crc >> 24) & 0xFF)]
        ^ table[768 + ((crc >> 32) & 0xFF)]
        ^ table[512 + ((crc >> 40) & 0xFF)]
        ^ table[256 + ((crc >> 48) & 0xFF)]
        ^ table[crc >> 56]
    )


def shifted(shift: memoryview, crc: int) -> int:
    """Push a strip of zero bytes through a sum."""
    return (
        shift[crc & 0xFF]
        ^ shift[256 + ((crc >> 8) & 0xFF)]
        ^ shift[512 + ((crc >> 16) & 0xFF)]
        ^ shift[768 + ((crc >> 24) & 0xFF)]
        ^ shift[1024 + ((crc >> 32) & 0xFF)]
        ^ shift[1280 + ((crc >> 40) & 0xFF)]
        ^ shift[1536 + ((crc >> 48) & 0xFF)]
        ^ shift[1792 + (crc >> 56)]
    )
