"""Births that come late: a busy machine answers some probes after the window of phase in which the others are answered.

A tick of a train without a birth in its window, and a birth of nobody soon after it: one such pair may be chance. Where there are
many times more of them than births of nobody would make, they are the train's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.ticks import Ticks

_REACH: Final = 0.1
_REACH_S: Final = 1.0
"""How far behind its window a birth may lie: this share of the period, and not more seconds than this."""
_TIMES_CHANCE: Final = 3.0


def late_births(
    since_s: NDArray[np.float64],
    own: NDArray[np.int64],
    free: NDArray[np.int64],
    ticks: Ticks,
    period_s: float,
    width_s: float,
) -> NDArray[np.int64]:
    """Return the births of nobody that are a train's: at most one for each tick that has none.

    Parameters
    ----------
    since_s
        All births, in order: seconds since a start of the train's window.
    own
        Indices of the train's own births.
    free
        Indices of those of nobody.
    ticks, period_s, width_s
        Of the train; of one prober.
    """
    none = np.empty(0, dtype=np.int64)
    if not free.size or ticks.occupied >= ticks.length:
        return none
    reach = min(_REACH * period_s, _REACH_S)
    tick = np.floor(since_s[free] / period_s).astype(np.int64)
    behind = since_s[free] - tick * period_s - width_s
    has = np.floor(since_s[own] / period_s).astype(np.int64)
    near = (behind >= 0) & (behind < reach) & ticks.holds(tick) & ~np.isin(tick, has)
    _, first = np.unique(tick[near], return_index=True)
    late = free[near][first]
    span_s = max(float(since_s[-1] - since_s[0]), period_s)
    chance = free.size / span_s * reach * (ticks.length - ticks.occupied)
    return late if late.size > 1 + _TIMES_CHANCE * chance else none
