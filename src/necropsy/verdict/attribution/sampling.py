"""Sampling rate of a log: shippers sample, and a periodic client shows it, as its gaps are multiples of one interval.

::

    every line     |    |    |    |    |    |    |    |
    of a sample    |         |    |              |    |      5 of 8: gaps of 2, 1, 3 and 1 intervals
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST: Final = 40
"""Visits of a client that tell."""
_SHORTEST_S: Final = 0.9
_SHORTEST_WHOLE_S: Final = 4.0
_LEAST_WHOLE_S: Final = 1.9
"""Interval; in a log of whole seconds every gap is a multiple of a second, and of a few seconds each second or third gap."""
_AS_OFTEN: Final = 0.2
"""How far the gaps of two intervals may be from their part of those of one, to be lacking lines and not two clocks."""
_LONGEST: Final = 60
"""Intervals of the longest gap that is looked at: more is a pause."""
_MULTIPLES: Final = 0.9
"""Share of the gaps that must be multiples."""
_SHORT: Final = (0.1, 0.03)
"""Share of the gaps that are one interval long, at least; a log that holds a tenth has few of them."""


def held(at_s: NDArray[np.float64]) -> float | None:
    """Share of one clockwork client's requests that a log holds; None when it does not come by the clock.

    >>> ticks = np.arange(400) * 10.0
    >>> held(ticks), round(held(ticks[np.random.default_rng(1).random(400) < 0.5]), 1)
    (1.0, 0.5)
    >>> ticks = np.arange(4000) * 10.0
    >>> 0.08 < held(ticks[np.random.default_rng(2).random(4000) < 0.1]) < 0.12
    True
    >>> ticks = np.arange(400) * 2.0
    >>> held(ticks + 0.13), held(ticks)
    (1.0, 1.0)
    >>> held(np.sort(np.concatenate([np.arange(200) * 10.0, np.arange(200) * 10.0 + 2])))
    >>> ticks = np.arange(4000) * 2.0
    >>> 0.2 < held(ticks[np.random.default_rng(2).random(4000) < 0.25]) < 0.3
    True
    """
    if at_s.size < _FEWEST:
        return None
    gaps = np.diff(at_s)
    gaps = gaps[gaps > 0]
    if gaps.size < _FEWEST - 1:
        return None
    whole = bool(np.all(at_s == np.floor(at_s)))
    return next((share for part in _SHORT if (share := _share(gaps, part, whole=whole)) is not None), None)


def _share(gaps: NDArray[np.float64], part: float, *, whole: bool) -> float | None:
    """Share of the requests, if this part of the gaps is one interval long; None if the others are no multiples of it."""
    shortest = gaps[gaps <= 1.4 * float(np.quantile(gaps, part))]
    interval = float(np.median(shortest))
    if interval < (_LEAST_WHOLE_S if whole else _SHORTEST_S):
        return None
    for _ in range(2):  # the mean over long gaps is surer than one gap
        times = np.maximum(np.round(gaps / interval), 1.0)
        near = (np.abs(gaps - times * interval) <= min(1.1, 0.06 * interval + 0.05)) & (times <= _LONGEST)
        if near.mean() < _MULTIPLES * (times <= _LONGEST).mean() or near.mean() < 0.5:
            return None
        interval = float(gaps[near].sum() / times[near].sum())
    share = _of_gaps(float(times[near].mean()))
    once, twice = int((times[near] == 1).sum()), int((times[near] == 2).sum())
    is_doubtful = whole and interval < _SHORTEST_WHOLE_S
    return None if is_doubtful and abs(twice - (1 - share) * once) > _AS_OFTEN * once else share


def _of_gaps(mean: float) -> float:
    """Share that makes gaps of so many intervals in the mean, none of them longer than ``_LONGEST``.

    >>> _of_gaps(1.0), round(_of_gaps(2.0), 2), round(_of_gaps(18.0), 2)
    (1.0, 0.5, 0.05)
    """
    low, high = 0.001, 1.0
    for _ in range(40):
        share = (low + high) / 2
        lost = (1 - share) ** _LONGEST
        expected = 1 / share - _LONGEST * lost / (1 - lost)
        low, high = (share, high) if expected > mean else (low, share)
    return 1.0 if mean <= 1.0 else (low + high) / 2
