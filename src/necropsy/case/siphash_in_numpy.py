"""SipHash-2-4 without a compiler: texts of as many words go through its rounds side by side in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]

_AT_ONCE: Final = 1 << 20
"""Bytes of texts that are hashed at a time, about; bounds memory."""


def hash_side_by_side(key: tuple[int, int, int, int], data: Any, offsets: Any, answers: Any) -> None:
    """Hash texts that lie one after another; parameters and errors as for ``siphash.Hasher.column``.

    Parameters
    ----------
    key
        The four words that the hash begins with: the constants of the specification, each with half of the key.
    """
    texts, ends, hashes = np.asarray(data, np.uint8), np.asarray(offsets).astype(np.int64), np.asarray(answers)
    starts, sizes = ends[:-1], np.diff(ends)
    if ends[0] < 0 or ends[-1] > texts.size or (sizes < 0).any():
        raise ValueError("an offset beyond the texts")
    words = sizes // 8 + 1
    for count in np.unique(words):
        same = np.flatnonzero(words == count)
        step = max(1, _AT_ONCE // (8 * int(count)))
        for rows in np.split(same, range(step, same.size, step)):
            hashes[rows] = _hashed(key, _padded(texts, starts[rows], sizes[rows], int(count)))


def _padded(texts: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int64], count: int) -> Words:
    """Return so many words of each text, little-endian: zeros behind its end, and its size in the last byte."""
    place = np.arange(8 * count)
    inside = place < sizes[:, None]
    block = np.where(inside, texts[np.minimum(starts[:, None] + place, texts.size - 1)], 0).astype(np.uint8)
    block[:, -1] = sizes & 0xFF
    return block.view("<u8").astype(np.uint64)


def _hashed(key: tuple[int, int, int, int], words: Words) -> Words:
    a, b, c, d = (np.full(len(words), one, np.uint64) for one in key)
    for word in words.T:
        d ^= word
        a, b, c, d = _rounds(a, b, c, d, 2)
        a ^= word
    c ^= np.uint64(0xFF)
    a, b, c, d = _rounds(a, b, c, d, 4)
    return a ^ b ^ c ^ d


def _rounds(a: Words, b: Words, c: Words, d: Words, count: int) -> tuple[Words, Words, Words, Words]:
    for _ in range(count):
        a = a + b
        b = _turn(b, 13) ^ a
        a = _turn(a, 32)
        c = c + d
        d = _turn(d, 16) ^ c
        a = a + d
        d = _turn(d, 21) ^ a
        c = c + b
        b = _turn(b, 17) ^ c
        c = _turn(c, 32)
    return a, b, c, d


def _turn(value: Words, count: int) -> Words:
    """Rotate 64 bits to the left."""
    return (value << np.uint64(count)) | (value >> np.uint64(64 - count))
