"""Intervals: of a probability, and of the births of one source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from necropsy.verdict.attribution.sources import Source

_Z: Final = 1.96
_LEAST: Final = 0.004
"""Half of an interval at least, as a share of the store's births: no count by time is surer."""
_LEAST_SURE: Final = 0.3
_LATE: Final = 0.05
"""Error of births that are last writes, as a share of them."""


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a probability.

    >>> low, high = wilson(0, 100)
    >>> low, round(high, 3)
    (0.0, 0.037)
    """
    if trials <= 0:
        return 0.0, 1.0
    share, square = min(1.0, successes / trials), _Z**2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = _Z * np.sqrt(share * (1 - share) / trials + square / (4 * trials**2)) / (1 + square / trials)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def of_source(source: Source, births: int, unexplained: float, derived: float) -> tuple[float, float]:
    """95 % interval of a source's births: chance, what may be its own among the unexplained, and known biases."""
    count = source.amount
    if source.evidence == "named":
        return count, count
    variance = float((source.weight * (1 - source.weight)).sum())
    # What a birth's other candidates take from each other makes the counts depend on one another (Louis 1982).
    sure = max(_LEAST_SURE, 1 - variance / max(count, 1e-9))
    half = max(2 * np.sqrt(variance) / sure, _LEAST * births)
    half += source.apart + _LATE * derived * count * (source.train is None)
    low, high = count - half, count + half + unexplained
    if source.train is not None and source.kind == "unlogged":
        # A tick whose birth came so late that it lies beside the train's window is its own, too.
        high += max(0.0, source.train.ticks.length * source.train.members / source.sharers - count)
    if source.beyond is not None:
        low -= max(0.0, source.extrapolated - source.beyond[0])
        high += max(0.0, source.beyond[1] - source.extrapolated)
    if source.also is not None:
        low = 0.0
    if source.evidence == "authenticated":
        low = 0.0
    return max(0.0, low), min(float(births), high)
