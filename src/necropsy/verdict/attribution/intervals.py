"""Intervals: of a probability, and of the births of one source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from necropsy.verdict.attribution.sources import Source

_Z: Final = 1.96
_LEAST: Final = 0.004
"""Half of an interval at least, as a share of the store's births: no count by time is surer."""
_BY_RATE: Final = 0.1
"""Error of what is inferred from the rate outside the log's time, as a share of it."""


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
    spread = float(np.sqrt((source.weight * (1 - source.weight)).sum()))
    half = max(2 * spread, _LEAST * births)
    biased = half + _BY_RATE * source.extrapolated * (source.train is None)
    biased += 0.05 * derived * count * (source.train is None)
    low, high = count - biased, count + biased + unexplained
    if source.also is not None:
        low = 0.0
    if source.evidence == "authenticated":
        low = 0.0
    return max(0.0, low), min(float(births), high)
