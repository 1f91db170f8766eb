"""Tickers as fast as the clock of the log: a check each second, or every 1.04 s, in a log of whole seconds.

Their gaps are 1 s, now and then 2 s: neither gaps nor phases can be judged. But tick ``k`` never lies further than the
clock's resolution from ``first + k * period``, however many there are, while visitors without rhythm stray from any such
line like a random walk. A walk of n gaps of variance v keeps within a range R with a chance of about
``exp(-pi² n v / 2 R²)`` (the range of a Brownian bridge); v is taken from the most regular crawler, as for gaps, and halved,
as the line is laid through the visits themselves, which leaves them less to stray.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy.rhythm.phase_folding import SortedVisits

FASTEST: Final = 0.25
"""Mean gap in resolutions of the clock below which nothing is judged."""
SLOWEST: Final = 2.5
"""The same above which the other evidence tells more."""
_STRAY: Final = 2.5
"""Range of the ticks around their line, in resolutions: one for the clock, the rest for jitter or one missing tick."""
_SHAPE: Final = 4.0
"""Of the gamma gaps of the most regular visitor that is no prober."""
_FEWEST: Final = 30
"""Visits below which the approximation is not trusted."""
_NEAR: Final = 0.004
"""How near to tenths of a second a period is called that, seconds."""


def steady(visits: SortedVisits) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the evidence of a steady tick for each class, and its period; 0 and NaN where there is none.

    Times must be as the log has them, in whole resolutions.
    """
    import numpy as np

    owner, classes = visits.owner, visits.classes
    counts, span = visits.counts().astype(float), visits.span()
    first, _ = visits.edges()
    resolution = visits.resolution
    mean_gap = span / np.maximum(1.0, counts - 1)
    possible = (resolution >= 1) & (mean_gap >= FASTEST * resolution) & (mean_gap <= SLOWEST * resolution)
    possible &= counts >= _FEWEST
    evidence, period = np.zeros(classes), np.full(classes, np.nan)
    if not possible.any():
        return evidence, period
    number = np.arange(owner.size) - first[owner]
    since = visits.seconds - visits.seconds[first][owner]
    # Least squares: the slope of time over number.
    middle = (counts - 1) / 2
    from_middle = number - middle[owner]
    spread = np.bincount(owner, from_middle**2, classes)
    slope = np.bincount(owner, from_middle * since, classes) / np.maximum(spread, 1e-9)
    off = since - slope[owner] * number
    stray = np.maximum.reduceat(off, first) - np.minimum.reduceat(off, first)
    strays_little = possible & (stray <= _STRAY * resolution) & (slope > 0)
    variance = slope**2 / _SHAPE / 2
    chance = math.pi**2 * counts * variance / (2 * np.maximum(stray, resolution) ** 2) - np.log(2 * counts)
    evidence[strays_little] = np.maximum(0.0, chance[strays_little])
    tenths = np.round(slope, 1)
    period[strays_little] = np.where(np.abs(slope - tenths) <= _NEAR, tenths, np.round(slope, 3))[strays_little]
    return evidence, period
