"""Delays of a page that answers more slowly than the others: its births come later than the log's window.

The window of a log is learnt from all its irregular visitors together, most of whom are people. A login that hashes a
password takes longer. Its births are those that lie in nobody's window, and follow its visits at one delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution import delays
from necropsy.verdict.attribution.teachers import irregular_births, keep_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.delays import Delays
    from necropsy.verdict.attribution.groups import Group
    from necropsy.verdict.attribution.timeline import Log, Timeline
    from necropsy.verdict.attribution.trains import Train
    from necropsy.verdict.evidence import Births

_FEWEST: Final = 30
"""Births in nobody's window, and visits of a page, that teach its delay."""
_LEFT: Final = 0.02
"""Share of the births of a log's time that must lie in nobody's window."""
_PART: Final = 0.3
"""Share of them, or of the page's visits, whichever are fewer, that must follow at that delay."""
_BESIDE_S: Final = 0.1
"""Largest excess of a learnt window over the usual one on its wrong side."""
_MOST: Final = 8
"""Pages of a store that are slow."""


def learn(births: Births, timeline: Timeline, groups: Sequence[Group], trains: Sequence[Train]) -> None:
    """Give pages that answer slowly a window of their own; in place."""
    free = irregular_births(births, timeline, trains, with_wide=True)
    born_s = timeline.born_s[free & (timeline.born_s >= timeline.horizon_s) & timeline.covered(timeline.born_s)]
    if born_s.size < _FEWEST or not timeline.visit_s.size:
        return
    of_group = _open_groups(timeline, groups)
    for _ in range(_MOST):
        left_s = born_s[~_is_reached(timeline, born_s)]
        if left_s.size < max(_FEWEST, _LEFT * born_s.size):
            return
        found = {}
        for number, visit_s in of_group.items():
            own = _own_delays(timeline, timeline.logs[groups[number].log], visit_s, left_s, born_s)
            if own is not None:
                found[number] = own
        if not found:
            return
        # Of two that follow as often, a page and the one before it, it is the nearer.
        best = max(found, key=lambda number: (round(found[number].learnt_from, -1), -_distance_s(found[number])))
        timeline.slow[best] = found[best]
        del of_group[best]


def _open_groups(timeline: Timeline, groups: Sequence[Group]) -> dict[int, NDArray[np.float64]]:
    """Visits of the groups whose delay can be learnt."""
    young = np.flatnonzero((timeline.visit_s >= timeline.horizon_s) & (timeline.visit_s <= timeline.until_s))
    order = young[np.argsort(timeline.group[young], kind="stable")]
    cuts = np.searchsorted(timeline.group[order], np.arange(len(groups) + 1))
    steady = keep_time(timeline, groups)
    result = {}
    for number, group in enumerate(groups):
        visit_s = timeline.visit_s[order[cuts[number] : cuts[number + 1]]]
        if visit_s.size >= _FEWEST and not group.is_static and not steady[number]:
            result[number] = visit_s
    return result


def _is_reached(timeline: Timeline, born_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each birth lies in the window of any visit."""
    low, high = timeline.windows()
    order = np.argsort(low)
    low, high = low[order], np.maximum.accumulate(high[order])
    place = np.searchsorted(low, born_s, side="right") - 1
    reached: NDArray[np.bool_] = (place >= 0) & (high[np.maximum(place, 0)] >= born_s)
    return reached


def _own_delays(
    timeline: Timeline,
    log: Log,
    visit_s: NDArray[np.float64],
    left_s: NDArray[np.float64],
    born_s: NDArray[np.float64],
) -> Delays | None:
    """Delays of one page; None where it has none of its own."""
    cut_s = timeline.resolution_s if timeline.resolution_s > 0.001 else 0.0

    def learnt(births_s: NDArray[np.float64]) -> Delays:
        return delays.learn(
            visit_s, births_s, log.resolution_s, times_are_starts=log.times_are_starts, birth_resolution_s=cut_s
        )

    own, usual = learnt(left_s), log.delays
    if own.learnt_from < max(_FEWEST, _PART * min(visit_s.size, left_s.size)):
        return None
    if usual is None or not _is_slower(own, usual, times_are_starts=log.times_are_starts):
        return None
    whole = learnt(born_s)  # with those births, too, that others' windows reach
    is_more = whole.learnt_from >= own.learnt_from
    return whole if is_more and _is_slower(whole, usual, times_are_starts=log.times_are_starts) else own


def _is_slower(own: Delays, usual: Delays, *, times_are_starts: bool) -> bool:
    """Whether births come later after the start, or earlier before the end, than usual: and not on the other side.

    What a page is followed by there is the next page's, or was the one's before it.
    """
    if times_are_starts:
        return own.high_s > usual.high_s and own.low_s >= usual.low_s - _BESIDE_S
    return own.low_s < usual.low_s and own.high_s <= usual.high_s + _BESIDE_S


def _distance_s(own: Delays) -> float:
    return abs(own.low_s + own.high_s) / 2
