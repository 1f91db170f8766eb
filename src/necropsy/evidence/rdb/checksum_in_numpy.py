"""The dump's checksum without a compiler: CRC-64 of many strips side by side in numpy.

A checksum is linear: the strips of a block are summed each on its own, then put together by what a strip's worth of
zero bytes does to the sum before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def crc64_in_numpy(
    crc: int,
    data: bytes | bytearray | memoryview,
    start: int,
    stop: int,
    table: memoryview,
    shift: memoryview,
    strip: int,
) -> int:
    """Continue the checksum ``crc`` over ``data[start:stop]``, as ``checksum.crc64`` does compiled.

    Parameters
    ----------
    table, shift
        Eight tables of 256 numbers each: see ``checksum``.
    strip
        Bytes of a strip, a multiple of 8.
    """
    strips = (stop - start) // strip
    if strips > 4:
        words = np.frombuffer(data, dtype="<u8", count=strips * strip // 8, offset=start).reshape(strips, strip // 8)
        tables = np.frombuffer(table, dtype=np.uint64).reshape(8, 256)
        sums = np.zeros(strips, dtype=np.uint64)
        for step in range(strip // 8):
            sums = _fold(tables, sums ^ words[:, step])
        for of_strip in sums.tolist():
            crc = of_strip ^ _shifted(shift, crc)
        start += strips * strip
    for byte in bytes(data[start:stop]):
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


def _fold(tables: NDArray[np.uint64], sums: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Push eight zero bytes through every sum."""
    out: NDArray[np.uint64] = tables[0][sums >> np.uint64(56)]
    for place in range(7):
        out = out ^ tables[7 - place][(sums >> np.uint64(8 * place)) & np.uint64(0xFF)]
    return out


def _shifted(shift: memoryview, crc: int) -> int:
    """Push a strip of zero bytes through a sum."""
    out = 0
    for place in range(8):
        out ^= shift[256 * place + (crc >> 8 * place & 0xFF)]
    return out
