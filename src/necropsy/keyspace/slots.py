"""The cluster slot of every key of a batch: CRC16 of the key, or of what is in its first braces, modulo 16,384.

Source: redis/redis ``src/cluster.h`` (``keyHashSlot``) and ``src/crc16.c`` (CRC-16/XMODEM: polynomial 0x1021, start 0).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from necropsy.sessions.columns import flat

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

SLOTS: Final = 16_384
_POLYNOMIAL: Final = 0x1021


def slots(keys: pa.Array) -> npt.NDArray[np.int64]:
    """Return the slot of each key of a binary column.

    >>> import pyarrow as pa
    >>> slots(pa.array([b"123456789", b"{user1000}.following", b"{user1000}.followers", b"foo{}{bar}"])).tolist()
    [12739, 3443, 3443, 8363]
    """
    import numpy as np

    data, offsets = flat(keys)
    start, end = _tagged(data, offsets)
    lengths = end - start
    # Longest first: at each place only the keys that reach so far are left, as the first rows.
    order = np.argsort(-lengths, kind="stable")
    start, lengths = start[order], lengths[order]
    reaching = np.searchsorted(-lengths, -np.arange(int(lengths[0]) if len(lengths) else 0), side="left")
    sums = np.zeros(len(lengths), np.uint16)
    table = _table()
    for place, count in enumerate(reaching.tolist()):
        head = sums[:count]
        byte = data[start[:count] + place]
        sums[:count] = (head << np.uint16(8)) ^ table[(head >> np.uint16(8)) ^ byte]
    answer = np.empty(len(lengths), np.int64)
    answer[order] = sums % SLOTS
    return answer


def _tagged(data: npt.NDArray[Any], offsets: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return where the part of each key begins and ends that decides: between its first ``{`` and the next ``}``."""
    import numpy as np

    start, end = offsets[:-1].copy(), offsets[1:].copy()
    beyond = np.array([len(data) + 1])
    opening = np.concatenate((np.flatnonzero(data == ord("{")), beyond))
    closing = np.concatenate((np.flatnonzero(data == ord("}")), beyond))
    opened = opening[np.searchsorted(opening, start)]
    closed = closing[np.minimum(np.searchsorted(closing, opened), len(closing) - 1)]
    tagged = (opened < end) & (closed < end) & (closed > opened + 1)
    return np.where(tagged, opened + 1, start), np.where(tagged, closed, end)


@cache
def _table() -> npt.NDArray[np.uint16]:
    import numpy as np

    values = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            value = ((value << 1) ^ _POLYNOMIAL if value & 0x8000 else value << 1) & 0xFFFF
        values.append(value)
    return np.array(values, np.uint16)
