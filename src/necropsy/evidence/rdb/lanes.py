"""The dump's checksum without a compiler: CRC-64 of many strips side by side in numpy.

A checksum is linear: the strips of a block are summed each on its own, then put together by what a strip's worth of
zero bytes does to the sum before it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from necropsy.evidence.rdb.kernels import TABLE, Bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIP = 512
"""Bytes of a strip: as many steps of eight are taken, each over all strips at once."""


def crc64_in_lanes(crc: int, data: Bytes, start: int, stop: int) -> int:
    """Continue the checksum ``crc`` over ``data[start:stop]``, as ``kernels.crc64`` does compiled."""
    strips = (stop - start) // STRIP
    if strips > 4:
        words = np.frombuffer(data, dtype="<u8", count=strips * STRIP // 8, offset=start).reshape(strips, STRIP // 8)
        sums = np.zeros(strips, dtype=np.uint64)
        for step in range(STRIP // 8):
            sums = _fold(sums ^ words[:, step])
        shift = _shift()
        for of_strip in sums.tolist():
            crc = of_strip ^ _shifted(shift, crc)
        start += strips * STRIP
    for byte in bytes(data[start:stop]):
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


def _fold(sums: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Push eight zero bytes through every sum."""
    tables = np.frombuffer(TABLE, dtype=np.uint64).reshape(8, 256)
    out = tables[0][sums >> np.uint64(56)]
    for place in range(7):
        out = out ^ tables[7 - place][(sums >> np.uint64(8 * place)) & np.uint64(0xFF)]
    return out


@lru_cache(maxsize=1)
def _shift() -> list[list[int]]:
    """Eight tables of 256: what a strip of zero bytes makes of each byte of a sum."""
    rows = []
    for place in range(8):
        sums = np.arange(256, dtype=np.uint64) << np.uint64(8 * place)
        for _ in range(STRIP // 8):
            sums = _fold(sums)
        rows.append([int(value) for value in sums])
    return rows


def _shifted(shift: list[list[int]], crc: int) -> int:
    out = 0
    for place in range(8):
        out ^= shift[place][(crc >> (8 * place)) & 0xFF]
    return out
