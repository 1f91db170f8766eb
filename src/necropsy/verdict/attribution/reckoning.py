"""One store's births reckoned with one timeline of visits: named, trains, owners, the rest, and what no log covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution import restarts, walks
from necropsy.verdict.attribution.exchange import Ownership
from necropsy.verdict.attribution.join import Pairs, Shares, join, shares
from necropsy.verdict.attribution.named import named, names_browser, names_no_machine
from necropsy.verdict.attribution.owners import Contest
from necropsy.verdict.attribution.rest import attribute_rest
from necropsy.verdict.attribution.sources import BirthSource
from necropsy.verdict.attribution.timeline import Timeline
from necropsy.verdict.attribution.trains import Train, find_trains

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.groups import Group, Groups
    from necropsy.verdict.evidence import Births

_CROWD: Final = 3.5
"""Births a tick above which a train is a crowd: many clients at one time of the clock."""
_WIDE_S: Final = 0.5
"""Width from which a train's births are told by visits first, and by phase if no visit explains them."""
_PURE: Final = 0.9
"""The same for trains with more dust among their births."""
_KNOWN: Final = 0.1
"""Creation probability of irregular visitors from which a page is known to create sessions."""
_MANY: Final = 400_000
"""Births beyond which trains are looked for in a stretch of time."""
_LEFT: Final = 0.6
"""Share of a crowd's births that nobody may have claimed, for a crowd that no log shows."""


@dataclass(slots=True)
class Reckoning:
    """The attribution of one store's births."""

    births: Births
    timeline: Timeline
    sources: list[BirthSource]
    shares: Shares | None
    """By group, of the visits that can testify."""
    pairs: Pairs | None
    probability: NDArray[np.float64]
    """By group."""
    covered: NDArray[np.bool_]
    """By birth: whether a log covers it and it is younger than the horizon."""
    free: NDArray[np.bool_]
    """By birth: whether its session names no machine."""
    by_row: Shares | None = None
    exclusive: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


def reckon(
    births: Births,
    timeline: Timeline,
    grouped: Groups | None,
    configured: frozenset[int],
    trains: Sequence[Train],
    not_here: frozenset[int],
    hidden_s: tuple[float, ...] = (),
) -> Reckoning:
    """Reckon one store.

    Parameters
    ----------
    configured
        Groups that a configured probe fits that may create sessions.
    trains
        Trains of the births whose sessions name no machine.
    not_here
        Groups that cannot have made births of this store: they belong to another, or their sessions name them.
    hidden_s
        Periods of configured probes that may create sessions, and that no log shows.
    """
    groups = grouped.groups if grouped is not None else []
    sources, free = named(births)
    covered = timeline.covered(timeline.born_s) & (timeline.born_s >= timeline.horizon_s)
    testify = (timeline.visit_s >= timeline.horizon_s) & (timeline.visit_s <= timeline.until_s)
    if not_here:
        testify &= ~np.isin(timeline.group, np.fromiter(not_here, np.int32))
    timeline = timeline.select(testify)
    where = np.flatnonzero(free)
    if grouped is None or not timeline.visit_s.size or not timeline.born_s.size:
        sources += [_unlogged(train, timeline) for train in trains]
        sources += walks.unlogged(sources, timeline, groups, free)
        sources = restarts.joined(sources, timeline, covered)
        return Reckoning(births, timeline, sources, None, None, np.zeros(len(groups)), covered, free)
    low, high = timeline.windows()
    measured = shares(low, high, timeline.group, len(groups), timeline.born_s[where], timeline.stretches())
    found = join(low, high, timeline.born_s[where])
    pairs = Pairs(found.visit, where[found.birth])
    known = _known_pages(groups, measured)
    contest = Contest(timeline, groups, pairs, list(trains), known, configured, hidden_s, births.authenticated)
    owned = contest.settle()
    trains = contest.trains
    drifting = [own for own in owned if trains[own.train].drifts]
    owned = [own for own in owned if not trains[own.train].drifts]
    trains_each = Counter(own.group for own in owned)
    sources += _whole_visits(
        [_owned(own, trains[own.train], contest, covered, several=trains_each[own.group] > 1) for own in owned], groups
    )
    crowds: list[Train] = []
    mine = {own.train for own in owned}
    for number, train in enumerate(trains):
        if number in mine or train.drifts:  # a piece of somebody's walk through the phases is told by visits
            continue
        wide = train.width_s > max(_WIDE_S, 1.3 * timeline.resolution_s)
        if train.ticks.per_tick > _CROWD or wide or train.purity < _PURE:
            crowds.append(train)
        else:
            sources.append(_unlogged(train, timeline))
    fitted, probability = attribute_rest(
        births, timeline, grouped, pairs, measured, sources, free, covered, owned, drifting
    )
    sources += fitted
    sources += _crowds(crowds, sources, births.born_ms.size)
    sources += walks.unlogged(sources, timeline, groups, free)
    sources = restarts.joined(_folded(sources), timeline, covered)
    return Reckoning(births, timeline, sources, measured, pairs, probability, covered, free)


def trains_of(births: Births, timeline: Timeline, periods_s: Sequence[float]) -> list[Train]:
    """Find trains of births that name no machine; of millions, in the newest stretch, and by phase in the others."""
    where = np.flatnonzero(names_no_machine(births))
    born_s = timeline.born_s[where]
    if born_s.size <= _MANY:
        found = find_trains(born_s, periods_s, resolution_s=timeline.resolution_s, coverage=births.coverage)
        return [Train(t.period_s, t.low_s, t.width_s, where[t.births], t.ticks, t.background) for t in found]
    found = find_trains(born_s[-_MANY:], periods_s, resolution_s=timeline.resolution_s, coverage=births.coverage)
    taken = np.zeros(born_s.size, dtype=bool)
    result = []
    for train in found:
        inside = np.flatnonzero(((born_s - train.low_s) % train.period_s < train.width_s) & ~taken)
        taken[inside] = True
        background = train.background * inside.size / max(1, train.births.size)
        result.append(Train(train.period_s, train.low_s, train.width_s, where[inside], train.ticks, background))
    return result


def _unlogged(train: Train, timeline: Timeline) -> BirthSource:
    return BirthSource(
        "unlogged", "comb", train.births, train.likely(timeline.born_s[train.births]), train=train,
        probability=train.ticks.fullness, seconds=train.ticks.length * train.period_s,
    )  # fmt: skip


def _owned(own: Ownership, train: Train, contest: Contest, covered: NDArray[np.bool_], *, several: bool) -> BirthSource:
    """Source of an owner's train; ``several``: it owns others."""
    mine = np.isin(train.births, own.births)
    weight = np.full(train.births.size, train.purity)
    here = covered[train.births]
    left = here & ~mine
    if left.any():  # of the others that a log could have shown, as many as the train has beyond those joined
        weight[left] = np.clip((train.purity * here.sum() - mine.sum()) / left.sum(), 0, 1)
        # A tick has one birth, and where a visit made it, what else lies there is somebody else's; but a second request's
        # births may lie partly in the window of the first.
        if train.members == 1 and not (several and contest.groups[own.group].requests_each > 1):
            tick = np.floor((contest.timeline.born_s[train.births] - train.low_s) / train.period_s)
            weight[left & np.isin(tick, tick[mine])] = 0.0
    weight[mine] = 1.0
    outside_it = ~covered[train.births]
    timeline = contest.timeline
    at = timeline.born_s[train.births]
    visits = (timeline.group == own.group) & (timeline.visit_s >= at[0] - 1) & (timeline.visit_s <= at[-1] + 1)
    return BirthSource(
        kind="visitor",
        evidence="comb",
        births=train.births,
        weight=weight,
        groups=[own.group],
        train=train,
        visits=int(visits.sum()),
        clients=int(np.unique(timeline.client[visits]).size),
        extrapolated=float(weight[outside_it].sum()),
        probability=min(1.0, own.visits.size / max(1, int(visits.sum()))),
        rivals=own.rivals,
        also="a client that no log shows" if own.is_doubtful else None,
        reason=own.reason,
        seconds=train.ticks.length * train.period_s,
    )


def _whole_visits(owned: Sequence[BirthSource], groups: Sequence[Group]) -> list[BirthSource]:
    """Join what the requests of the same visits made: a client that follows a redirect without a cookie makes two births."""
    result: list[BirthSource] = []
    wholes: dict[tuple[int, float], BirthSource] = {}
    for source in owned:
        group = source.groups[0]
        period_s = source.train.period_s if source.train is not None else 0.0
        whole = wholes.get((group, period_s))
        if whole is None or groups[group].requests_each == 1:
            wholes[group, period_s] = source
            result.append(source)
            continue
        births = np.concatenate([whole.births, source.births])
        order = np.argsort(births, kind="stable")
        whole.births, whole.weight = births[order], np.concatenate([whole.weight, source.weight])[order]
        whole.extrapolated += source.extrapolated
        whole.births_each += 1
        if source.also is not None:  # perhaps another client's: the interval says so
            whole.apart += source.amount
    return result


def _known_pages(groups: Sequence[Group], measured: Shares) -> frozenset[int]:
    """Groups whose page creates sessions for irregular visitors, whoever they are."""
    naive = measured.naive
    error = np.sqrt(0.25 / np.maximum(measured.visits, 1)) + measured.chance_spread
    sure = (naive > _KNOWN) & (naive > 3 * error / np.maximum(1 - measured.chance, 0.02)) & (measured.visits >= 10)
    pages = {
        (group.method, group.path)
        for number, group in enumerate(groups)
        if sure[number] and not group.is_clockwork and group.path and not group.is_static
    }
    return frozenset(number for number, group in enumerate(groups) if (group.method, group.path) in pages)


def _folded(sources: list[BirthSource]) -> list[BirthSource]:
    """Fold what else the visits of a train's owner made into the train's source."""
    combs: dict[int, BirthSource] = {}
    for source in sorted(sources, key=lambda source: source.amount):
        if source.evidence == "comb" and source.groups:
            combs[source.groups[0]] = source
    result = []
    for source in sources:
        if source.evidence == "visits" and source.kind == "visitor" and source.groups[:1] and source.groups[0] in combs:
            into = combs[source.groups[0]]
            if len(source.groups) == 1:
                fresh = ~np.isin(source.births, into.births)
                into.births = np.concatenate([into.births, source.births[fresh]])
                into.weight = np.concatenate([into.weight, source.weight[fresh]])
                if source.beyond is not None:
                    into.beyond = (into.extrapolated + source.beyond[0], into.extrapolated + source.beyond[1])
                into.extrapolated += source.extrapolated
                into.apart += source.apart
                continue
        result.append(source)
    return result


def _crowds(crowds: Sequence[Train], sources: Sequence[BirthSource], size: int) -> list[BirthSource]:
    """Crowds whose births nobody's visits explain are of clients that no log shows."""
    if not crowds:
        return []
    claimed = np.zeros(size)
    for source in sources:
        claimed[source.births] += source.weight
    result = []
    for train in crowds:
        left = np.clip(1 - claimed[train.births], 0, 1) * train.purity
        if left.sum() >= _LEFT * train.births.size * train.purity:
            result.append(
                BirthSource("unlogged", "comb", train.births, left, train=train, probability=train.ticks.fullness)
            )
    return result


def unnamed_people(births: Births, sources: list[BirthSource], *, has_log: bool) -> list[BirthSource]:
    """Claim for people what logged in, or names a browser, where no log could tell and no train took it."""
    claimed = np.zeros(births.born_ms.size)
    for source in sources:
        claimed[source.births] += source.weight
    result = []
    for evidence, mask in (("named", names_browser(births)), ("authenticated", births.authenticated)):
        mine = np.flatnonzero(mask & (claimed < 0.5))
        if mine.size and not has_log:
            weight = 1 - claimed[mine]
            claimed[mine] = 1.0
            result.append(BirthSource("people", evidence, mine, weight))
    return result
