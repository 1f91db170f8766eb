"""The dump's checksum without a compiler: CRC-64 of many strips side by side in numpy.

A checksum is linear: the strips of a block are summed each on its own, then put together by what a strip's worth of
zero bytes does to the sum before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from necropsy.evidence.rdb.checksum import SHIFT, STRIP, TABLE, Bytes, shifted

if TYPE_CHECKING:
    from numpy.typing import NDArray


def crc64_in_lanes(crc: int, data: Bytes, start: int, stop: int) -> int:
    """Continue the checksum ``crc`` over ``data[start:stop]``, as ``kernels.crc64`` does compiled."""
    strips = (stop - start) // STRIP
    if strips > 4:
        words = np.frombuffer(data, dtype="<u8", count=strips * STRIP // 8, offset=start).reshape(strips, STRIP // 8)
        sums = np.zeros(strips, dtype=np.uint64)
        for step in range(STRIP // 8):
            sums = _fold(sums ^ words[:, step])
        for of_strip in sums.tolist():
            crc = of_strip ^ shifted(SHIFT, crc)
        start += strips * STRIP
    for byte in bytes(data[start:stop]):
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


def _fold(sums: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Push eight zero bytes through every sum."""
    tables = np.frombuffer(TABLE, dtype=np.uint64).reshape(8, 256)
    out: NDArray[np.uint64] = tables[0][sums >> np.uint64(56)]
    for place in range(7):
        out = out ^ tables[7 - place][(sums >> np.uint64(8 * place)) & np.uint64(0xFF)]
    return out
