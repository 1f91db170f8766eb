"""The number of probers that share a train, over time: one of two that is fixed leaves half of the births.

::

    births a tick   2 2 2 2 2 2 2 2 1 1 1 1 1 1      two probers some milliseconds apart, of which one ended
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK: Final = (12, 60)
"""Fewest and most ticks of a block, in which births are counted."""
_BLOCKS: Final = 4
"""Blocks from which a number is told, and changes of it."""
_WHOLE: Final = 0.2
"""Deviation of a block's births a tick from a whole number, at most."""
_MOST_BLOCKS: Final = 0.85
"""Share of the blocks that must have a whole number: the others hold a change."""


def by_number(number: NDArray[np.int64], dust_per_tick: float) -> list[tuple[int, int]]:
    """Stretches of ticks, first and last, each with a whole number of births a tick; none where that is no reading.

    ``number``: tick of each birth, in order. At least one stretch has two births a tick, and there are two stretches.

    >>> both = np.sort(np.concatenate([np.arange(200), np.arange(120)]))
    >>> by_number(both, 0.0)
    [(0, 119), (120, 199)]
    """
    start = int(number[0])
    counts = np.bincount(number - start).astype(np.float64)
    size = int(np.clip(counts.size // 20, *_BLOCK))
    blocks = counts.size // size
    if blocks < _BLOCKS:
        return []
    mean = counts[: blocks * size].reshape(blocks, size).mean(axis=1) - dust_per_tick
    level = np.rint(mean).astype(np.int64)
    is_whole = np.abs(mean - level) <= _WHOLE
    if is_whole.mean() < _MOST_BLOCKS:
        return []
    runs: list[list[int]] = []  # level, first and last block
    for block in np.flatnonzero(is_whole).tolist():
        if runs and runs[-1][0] == level[block]:
            runs[-1][2] = block
        else:
            runs.append([int(level[block]), block, block])
    if len(runs) < 2 or max(run[0] for run in runs) < 2:
        return []
    cuts = [0, *(_change(counts, one, other, size) for one, other in pairwise(runs)), counts.size]
    return [
        (start + first, start + last - 1)
        for (held, *_), (first, last) in zip(runs, pairwise(cuts), strict=True)
        if held > 0 and last > first
    ]


def _change(counts: NDArray[np.float64], one: list[int], other: list[int], size: int) -> int:
    """Tick between the last block of one run and the first of the next from which the other's number fits better."""
    first, last = one[2] * size, min(counts.size, (other[1] + 1) * size)
    part = counts[first:last]
    before = np.concatenate([[0.0], np.cumsum((part - one[0]) ** 2)])
    after = np.concatenate([[0.0], np.cumsum((part - other[0]) ** 2)])
    return first + int((before + after[-1] - after).argmin())
