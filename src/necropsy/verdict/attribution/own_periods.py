"""Periods that the births themselves show: somebody may have configured 7 s, and no list of usual intervals has it.

Without its own period a train is missed, or is read as several of a multiple: a prober of 8 s as fifteen of 120 s. After
every birth of a train another follows, a period later; so many do not by chance, which the moments beside it tell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TRIED: Final = range(2, 151)
_LOOKED_AT: Final = 3_000
"""Births after which others are looked for, at most."""
_NEAR_S: Final = 0.06
"""Half of the time in which the next birth may lie, seconds."""
_BESIDE_S: Final = (-0.45, -0.35, -0.25, 0.25, 0.35, 0.45)
_BESIDE_WHOLE_S: Final = (-3.0, -2.0, 2.0, 3.0)
"""Moments that tell chance, from the period; and those of births that are known to the second."""
_COARSE_S: Final = 0.2
"""Resolution of the births from which they count as such."""
_LEAST: Final = 0.04
"""Share of the births that another follows a period later, beyond chance and beyond a shorter period's."""
_FEWEST: Final = 25
_DEVIATIONS: Final = 6.0
_PAIRS: Final = 600_000
"""Pairs of births that are looked at, about."""
_BIN_S: Final = 0.01
_MOST: Final = 4
"""Periods that are returned, at most: each is tried at every width."""


def own_periods(born_s: NDArray[np.float64], resolution_s: float, known: Collection[float]) -> list[float]:
    """Return whole seconds after which births follow births, beyond chance, and that are not ``known``; strongest first.

    Parameters
    ----------
    born_s
        Times of the births in order, seconds.
    resolution_s
        Of these times.
    """
    if born_s.size < _FEWEST:
        return []
    count, followed = _followed(born_s)
    coarse = resolution_s >= _COARSE_S
    half_s = resolution_s / 2 if coarse else _NEAR_S
    beside = np.asarray(_BESIDE_WHOLE_S if coarse else _BESIDE_S)
    found: dict[int, float] = {}

    def share_at(later_s: float) -> float:
        """Share of the births that another follows so much later, beyond chance; 0 where chance explains it."""
        chance = float(np.median([followed(later_s + apart, half_s) for apart in beside]))
        beyond = followed(later_s, half_s) - chance
        return beyond / count if beyond >= max(_FEWEST, _DEVIATIONS * (chance + 1) ** 0.5) else 0.0

    for period in _TRIED:
        share = share_at(float(period))
        if share < _LEAST:
            continue
        # A check that waits 7.18 s after each answer comes after 39 times that, too.
        parts = (period / number for number in range(2, period + 1))
        if all(share >= share_at(part) + _LEAST for part in parts):
            found[period] = share
    fresh = [period for period in found if float(period) not in known]
    return [float(period) for period in sorted(fresh, key=lambda period: -found[period])[:_MOST]]


def _followed(born_s: NDArray[np.float64]) -> tuple[int, Callable[[float, float], float]]:
    """Return how many births were looked at, and a function: how many lie so much later than one of them, give or take."""
    span_s = _TRIED[-1] + 4.0
    births = max(1.0, born_s.size * span_s / max(span_s, float(born_s[-1] - born_s[0])))
    some = int(min(_LOOKED_AT, born_s.size, max(_FEWEST, _PAIRS / births)))
    first = np.unique(np.linspace(0, born_s.size - 1, some).astype(np.int64))
    low, high = np.searchsorted(born_s, born_s[first], side="right"), np.searchsorted(born_s, born_s[first] + span_s)
    high = np.minimum(high, low + 4 * (_PAIRS // first.size))  # a burst has too many
    each = high - low
    later = np.repeat(low - np.cumsum(each) + each, each) + np.arange(each.sum())
    apart = born_s[later] - np.repeat(born_s[first], each)
    sums = np.concatenate(
        [[0], np.cumsum(np.bincount((apart / _BIN_S).astype(np.int64), minlength=int(span_s / _BIN_S) + 2))]
    )

    def within(later_s: float, half_s: float) -> float:
        a, b = (min(sums.size - 1, max(0, round(at / _BIN_S))) for at in (later_s - half_s, later_s + half_s))
        return float(sums[b] - sums[a])

    return first.size, within
