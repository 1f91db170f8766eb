"""The clock and the delays of each log, set by the births of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution import clock, delays, named
from necropsy.verdict.attribution.groups import Group, make_groups
from necropsy.verdict.attribution.join import is_joined
from necropsy.verdict.attribution.teachers import irregular_births, keep_time
from necropsy.verdict.attribution.ticks_as_teachers import learn_from_ticks
from necropsy.verdict.attribution.timeline import Log, Timeline, lay_out
from necropsy.verdict.evidence import BY_EXPIRY, Births, Circumstances, ClockOffset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.trains import Train

    _Lesson = tuple[NDArray[np.float64], NDArray[np.float64]]  # visits and births, in seconds

_TAUGHT: Final = 0.05
"""Share of the births within the log's time that must have taught its delays."""
_MOSTLY: Final = 0.5
"""Share of births that are last writes from which all are taken for such."""
_RATHER: Final = 1.2
"""Least gain of followed visits by another log's lag."""
_TO_A_SECOND: Final = 1.0
"""Accuracy of a lag, seconds."""
_TEACH: Final = 30
"""Births of no train that can set a clock."""


def set_clocks(
    births: Births, timeline: Timeline, groups: Sequence[Group], trains: Sequence[Train]
) -> list[ClockOffset]:
    """Correct the clock of each log by whole seconds, and learn its delays; in place."""
    is_clockwork = np.asarray([group.is_clockwork for group in groups], dtype=bool)
    found = []
    irregular_born = irregular_births(births, timeline, trains, with_wide=False)
    if irregular_born.sum() < _TEACH:
        irregular_born = named.names_no_machine(births)
    if irregular_born.sum() < _TEACH:  # a crawler's, that name it
        irregular_born[:] = True
    born_s = timeline.born_s[irregular_born]
    spread_s = timeline.born_s[irregular_births(births, timeline, trains, with_wide=True)]
    steady = keep_time(timeline, groups)
    of_log = [np.flatnonzero(timeline.log == number) for number in range(len(timeline.logs))]
    firsts = [
        timeline.visit_s[
            mine[clock.first_visits(timeline.visit_s[mine], timeline.client[mine], timeline.group[mine], is_clockwork)]
        ]
        for mine in of_log
    ]
    lags = [
        _lag(births, first_s, timeline.visit_s[mine[~is_clockwork[timeline.group[mine]]]], born_s)
        for mine, first_s in zip(of_log, firsts, strict=True)
    ]
    cut_s = timeline.resolution_s if timeline.resolution_s > 0.001 else 0.0
    taught: list[Sequence[_Lesson]] = []
    for log, mine, irregular, own_lag in zip(timeline.logs, of_log, firsts, lags, strict=True):
        lag = own_lag or _shared_lag(log, timeline.visit_s[mine], timeline.born_s, lags)
        if lag is not None:
            timeline.visit_s[mine] += lag.seconds
            irregular = irregular + lag.seconds  # noqa: PLW2901 -- the same visits by the right clock
            log.spans_s = log.spans_s + lag.seconds
            log.offset_s = -lag.seconds
            calibrates = births.derived > 0.5
            found.append(
                ClockOffset(
                    births.store, log.name, -lag.seconds, lag.score, applied=True,
                    reason=BY_EXPIRY if calibrates
                    else "births follow this log's visits after that delay, not at once",
                )
            )  # fmt: skip
        loose = mine[~is_clockwork[timeline.group[mine]]]
        unsteady = mine[~steady[timeline.group[mine]]]
        young = timeline.visit_s >= timeline.horizon_s
        lessons = (
            (irregular[irregular >= timeline.horizon_s], born_s),
            (timeline.visit_s[loose[young[loose]]], born_s),
            (timeline.visit_s[unsteady[young[unsteady]]], spread_s),
        )
        log.delays = _learnt(lessons, log, cut_s, _TAUGHT * int(log.covers(born_s).sum()))
        taught.append(lessons)
    _learn_together(timeline, taught, cut_s)
    for number, log in enumerate(timeline.logs):
        if _is_untaught(log) and (by_ticks := learn_from_ticks(timeline, number, groups, trains)) is not None:
            log.delays = by_ticks
    if found:
        order = np.argsort(timeline.visit_s, kind="stable")
        for name in ("visit_s", "group", "client", "row", "log"):
            setattr(timeline, name, getattr(timeline, name)[order])
    return found


def _learn_together(timeline: Timeline, taught: Sequence[Sequence[_Lesson]], cut_s: float) -> None:
    """Let logs of one lag teach those among them that few visits taught nothing: one machine's clock is behind them all.

    A lag is found to a second. Where nothing teaches the rest, the window is as uncertain.
    """
    kinds: dict[tuple[float, float, bool], list[int]] = {}
    for number, log in enumerate(timeline.logs):
        kinds.setdefault((log.offset_s, log.resolution_s, log.times_are_starts), []).append(number)
    for (offset_s, _, _), alike in kinds.items():
        ignorant = [log for log in (timeline.logs[number] for number in alike) if _is_untaught(log)]
        if not ignorant or not offset_s:
            continue
        lessons = [
            (np.sort(np.concatenate([visit_s for visit_s, _ in same])), same[0][1])
            for same in zip(*(taught[number] for number in alike), strict=True)
        ]
        learnt = _learnt(lessons, ignorant[0], cut_s, 0.0)
        for log in ignorant:
            log.delays = learnt if learnt.learnt_from > 0 else delays.widened(learnt, _TO_A_SECOND)


def _is_untaught(log: Log) -> bool:
    return log.delays is None or log.delays.learnt_from <= 0


def _learnt(lessons: Sequence[_Lesson], log: Log, cut_s: float, enough: float) -> delays.Delays:
    """Delays of a log: first visits teach where people are; a client that never stops has only one, so then all irregular visits.

    Where neither teaches anything, a service that spreads its checks does: the last of the lessons.
    """
    best: delays.Delays | None = None
    for number, (visit_s, born_s) in enumerate(lessons):
        if number == len(lessons) - 1 and best is not None and best.learnt_from > 0:
            break
        learnt = delays.learn(
            visit_s, born_s, log.resolution_s, times_are_starts=log.times_are_starts, birth_resolution_s=cut_s
        )
        if best is None or learnt.learnt_from > best.learnt_from:
            best = learnt
        if learnt.learnt_from >= enough and learnt.learnt_from > 0:
            return learnt
    assert best is not None  # noqa: S101 -- there are lessons
    return best


def _lag(
    births: Births, first_s: NDArray[np.float64], all_s: NDArray[np.float64], born_s: NDArray[np.float64]
) -> clock.Lag | None:
    """The lag of a log whose clock is surely off: by first visits, against which all of them must not speak.

    Births that are last writes follow no first visits: there all visits tell.
    """
    lag = clock.find_lag(first_s, born_s)
    is_sure = lag is not None and lag.is_sure
    if not is_sure and births.derived <= _MOSTLY:
        return None
    other = clock.find_lag(all_s, born_s)
    if is_sure:
        return None if other is not None and other.agrees else lag
    return other if other is not None and other.is_sure else None


def _shared_lag(
    log: Log, visit_s: NDArray[np.float64], born_s: NDArray[np.float64], lags: Sequence[clock.Lag | None]
) -> clock.Lag | None:
    """The lag of another log, where births follow this one's visits rather by it than at once: one machine kept both."""
    known = [lag for lag in lags if lag is not None]
    if not known or not visit_s.size:
        return None
    window = delays.assumed(log.resolution_s, times_are_starts=log.times_are_starts, birth_resolution_s=0.0)

    def followed(lag_s: float) -> int:
        low_s = visit_s + lag_s + window.low_s
        return int(is_joined(low_s, low_s + window.high_s - window.low_s, born_s).sum())

    best = max(known, key=lambda lag: followed(lag.seconds))
    by_it, at_once = followed(best.seconds), followed(0.0)
    return best if by_it > _RATHER * at_once + 3 * np.sqrt(at_once + 1) else None


def meet(stores: Sequence[Births], around: Circumstances) -> bool:
    """Whether a log that seems to be of another time is of the births' time, by a clock that is hours off.

    Only irregular visitors can tell: their visits and the births must agree at one lag, and stand out at it.
    """
    if around.visits is None or not around.classes:
        return False
    groups = make_groups(around.classes, around.visits)
    for births in stores:
        timeline = lay_out(births, around.visits, groups)
        offsets = set_clocks(births, timeline, groups.groups, ())
        if offsets and timeline.covered(timeline.born_s).any():
            return True
    return False
