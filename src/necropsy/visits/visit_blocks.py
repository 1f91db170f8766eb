"""Choice of the stretches of a log whose visits are kept one by one: all, or as many at random as the limit allows.

Births are matched with visits within seconds, so a stretch of ten minutes is as good a witness by itself as within the
whole log: a long log keeps whole stretches and not every n-th visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

BLOCK_US: Final = 600_000_000
"""Ten minutes."""
_SILENCE: Final = 1e-9
"""A stretch without visits is a hole in the log, a missing file, if it is less likely than this at the log's usual rate."""
_SEED: Final = 20190524


@dataclass(frozen=True, slots=True)
class Blocks:
    """The stretches that are kept."""

    block: NDArray[np.int64]
    """Numbers since 1970, ascending."""
    spans: tuple[tuple[int, int], ...]
    """First and last microsecond of each run of stretches, within the log's first and last visit."""
    is_fine: bool
    """Whether times are finer than a second."""


def choose(busy: pa.Table, first_us: int, last_us: int, most: int) -> Blocks:
    """Choose stretches with at most so many visits.

    Parameters
    ----------
    busy
        Step ``busy``: ``block``, ``visits`` and ``fine`` of each stretch that has visits, in order.
    first_us, last_us
        The log's first and last request, Unix microseconds.
    most
        Visits that may be kept; at least one stretch is.
    """
    block, visits = busy["block"].to_numpy(), busy["visits"].to_numpy()
    kept = np.ones(block.size, dtype=bool)
    if int(visits.sum()) > most:
        order = np.random.default_rng(_SEED).permutation(block.size)
        kept[order[1:]] = np.cumsum(visits[order])[1:] <= most
    return Blocks(block[kept], _spans(block, visits, kept, first_us, last_us), bool(busy["fine"].to_numpy().sum()))


def _spans(
    block: NDArray[np.int64], visits: NDArray[np.int64], kept: NDArray[np.bool_], first_us: int, last_us: int
) -> tuple[tuple[int, int], ...]:
    """Join neighbouring stretches; short silences belong to the log, and long ones are holes in it."""
    if not block.size:
        return ()
    longest = -np.log(_SILENCE) / max(float(np.median(visits)), 1e-3)  # in stretches, were the visits independent
    is_gap = (np.diff(block) - 1 > max(1.0, longest)) | ~kept[1:] | ~kept[:-1]
    begins = np.flatnonzero(np.concatenate([[True], is_gap]))
    ends = np.concatenate([begins[1:] - 1, [block.size - 1]])
    return tuple(
        (max(first_us, int(block[a]) * BLOCK_US), min(last_us, (int(block[b]) + 1) * BLOCK_US - 1))
        for a, b in zip(begins, ends, strict=True)
        if kept[a]
    )
