"""Application servers whose clocks differ: births that one of them dates lie beside the visits of a prober that both answer.

A session's time of birth is its application server's. Behind a balancer the visits of one client are answered by each in
turn; if the clock of one is 2.4 s late, the births of its half are 2.4 s early: as many as the visits lack, each once, and
at those visits alone. A hidden prober of the same interval would have births at all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.join import is_joined, join

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.groups import Group
    from necropsy.verdict.attribution.timeline import Timeline
    from necropsy.verdict.evidence import Births

_FEWEST: Final = 40
"""Visits of either kind that tell."""
_MOST: Final = 4_000
"""Visits of a group that are looked at."""
_FARTHEST_S: Final = 90.0
_STEPS: Final = 4
_LEVEL: Final = 0.02
"""Difference of shares that are as high."""
_PART: Final = 0.05
"""Least share of a client's visits that lack a birth, and that have one."""
_NEARLY_ALL: Final = 0.85
"""Share of the visits that lack a birth which must have one at the other clock's distance."""
_HARDLY: Final = 0.25
"""The same of those that have one at once, as a share of it: by chance."""


@dataclass(frozen=True, slots=True)
class ServerClock:
    """The births of one store with those of another clock put right."""

    births: Births
    order: NDArray[np.int64]
    """For each of them its place in the order of before."""
    ahead_s: float
    """By how much the other clock is ahead; negative: behind."""
    moved: int


def put_right(births: Births, timeline: Timeline, groups: Sequence[Group]) -> ServerClock | None:
    """Find a second clock, and move its births; None where one clock explains them."""
    if not timeline.visit_s.size or timeline.born_s.size < 2 * _FEWEST:
        return None
    low, high = timeline.windows()
    testify = timeline.covered(timeline.visit_s) & (timeline.visit_s >= timeline.horizon_s + _FARTHEST_S)
    testify &= timeline.visit_s <= min(timeline.until_s, float(timeline.born_s[-1])) - _FARTHEST_S
    ahead_s, lacking, its = None, 0, -1
    for number, group in enumerate(groups):
        if group.is_clockwork and not group.is_harmless_by_name:
            mine = np.flatnonzero(testify & (timeline.group == number))[:_MOST]
            ahead_s = _distance(low[mine], high[mine], timeline.born_s)
            if ahead_s is not None:
                lacking, its = int((~is_joined(low[mine], high[mine], timeline.born_s)).sum()), number
                break
    if ahead_s is None:
        return None
    found = join(low, high, timeline.born_s)
    explained = np.zeros(timeline.born_s.size, dtype=bool)
    explained[found.birth] = True
    lonely = np.ones(timeline.visit_s.size, dtype=bool)
    lonely[found.visit] = False
    lonely |= timeline.group == its  # where there are many births, one of somebody else's is at its visits now and then
    others = np.flatnonzero(~explained)
    again = join(low[lonely] + ahead_s, high[lonely] + ahead_s, timeline.born_s[others])
    moved = np.unique(others[again.birth])
    if moved.size < _NEARLY_ALL * lacking:
        return None
    born_ms = births.born_ms.copy()
    born_ms[moved] -= round(ahead_s * 1000)
    order = np.argsort(born_ms, kind="stable")
    right = replace(
        births, born_ms=born_ms[order], authenticated=births.authenticated[order], creator=births.creator[order]
    )
    return ServerClock(right, order, ahead_s, moved.size)


def _distance(low: NDArray[np.float64], high: NDArray[np.float64], born_s: NDArray[np.float64]) -> float | None:
    """Distance from the births at once to those of the visits that lack one; None where these have none."""
    if low.size < 2 * _FEWEST:
        return None
    has = is_joined(low, high, born_s)
    if not _PART <= has.mean() <= 1 - _PART or min(int(has.sum()), int((~has).sum())) < _FEWEST:
        return None
    free = np.ones(born_s.size, dtype=bool)
    free[join(low, high, born_s).birth] = False
    left_s = born_s[free]
    width = float(np.median(high - low))
    lacking, others = (_near(low[mine], left_s, width) for mine in (~has, has))
    best = int(lacking.argmax())
    if lacking[best] < _NEARLY_ALL or others[best] > _HARDLY * lacking[best]:
        return None
    alike = np.flatnonzero(lacking >= lacking[best] - _LEVEL)
    best = int(np.median(alike[np.abs(alike - best) <= _STEPS + 1]))
    rough_s = float(best * width / _STEPS - _FARTHEST_S)
    return rough_s + _delay(low[~has] + rough_s, width, left_s) - _delay(low[has], width, born_s)


def _delay(low: NDArray[np.float64], width: float, born_s: NDArray[np.float64]) -> float:
    """Usual time from a window's begin to the birth in it."""
    found = join(low, low + width, born_s)
    return float(np.median(born_s[found.birth] - low[found.visit]))


def _near(low: NDArray[np.float64], born_s: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Share of the visits that have a birth in their window moved by each distance, in steps of a quarter of its width."""
    step = width / _STEPS
    steps = int(2 * _FARTHEST_S / step) + 1
    first = np.searchsorted(born_s, low - _FARTHEST_S)
    count = np.searchsorted(born_s, low + _FARTHEST_S) - first
    visit = np.repeat(np.arange(low.size), count)
    birth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    place = ((born_s[birth] - low[visit] + _FARTHEST_S) / step).astype(np.int64)
    # A birth is in the windows that begin at its own step, and at the steps before.
    key = np.concatenate([visit * steps + np.maximum(place - back, 0) for back in range(_STEPS + 1)])
    return np.bincount(np.unique(key) % steps, minlength=steps)[:steps] / max(1, low.size)
