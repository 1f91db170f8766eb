"""Whether memory stays where it is: a line through what a process cannot do without, from window to window, and how sure that is.

A process takes and gives back memory all the time, so the least of each window counts. One pass of a straight line through
these, by least squares, with the interval of its slope (Student's t).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WINDOWS: Final = 12
_T_95: Final = 2.228
"""Student's t at 95 %, of ten degrees of freedom: windows less the two of a line."""
_LEAST: Final = 2 * WINDOWS
"""Samples, fewer of which say nothing."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The second half of a run."""

    minima: tuple[float, ...]
    """The least of each window."""
    per_second: float
    low: float
    high: float
    """95 % interval of the slope."""

    def is_flat(self, seconds: float, most: float) -> bool:
        """Whether the slope, at the upper end of its interval, adds no more than so much in so many seconds."""
        return self.high * seconds <= most


def trend(samples: Sequence[tuple[float, float]]) -> Trend | None:
    """Return the trend of the second half of samples (seconds, value); None where these are too few.

    >>> steady = trend([(second, 40.0 + second % 7) for second in range(200)])
    >>> rising = trend([(second, 40.0 + 0.01 * second + second % 7) for second in range(200)])
    >>> steady.is_flat(1_000, 5.0), rising.is_flat(1_000, 5.0), trend([(0, 1.0), (1, 1.0)])
    (True, False, None)
    """
    if not samples:
        return None
    begin, end = samples[0][0], samples[-1][0]
    half = [(at, value) for at, value in samples if at >= (begin + end) / 2]
    if len(half) < _LEAST:
        return None
    windows: list[list[tuple[float, float]]] = [[] for _ in range(WINDOWS)]
    first, span = half[0][0], half[-1][0] - half[0][0]
    for at, value in half:
        windows[min(WINDOWS - 1, int(WINDOWS * (at - first) / span))].append((at, value))
    if not all(windows):
        return None
    middles = [first + span * (number + 0.5) / WINDOWS for number in range(WINDOWS)]
    minima = [min(value for _, value in window) for window in windows]
    slope, at_first = statistics.linear_regression(middles, minima)
    left = sum((value - at_first - slope * at) ** 2 for at, value in zip(middles, minima, strict=True))
    mean = statistics.fmean(middles)
    error = math.sqrt(left / (WINDOWS - 2) / sum((at - mean) ** 2 for at in middles))
    return Trend(tuple(minima), slope, slope - _T_95 * error, slope + _T_95 * error)
