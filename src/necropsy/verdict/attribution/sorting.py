"""From shares of visits in births to sources: people, and each machine; with what each has outside the logs' time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution import people
from necropsy.verdict.attribution.outside import Outside, edges
from necropsy.verdict.attribution.sources import BirthSource, gathered
from necropsy.verdict.attribution.timeline import Timeline, union

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.groups import Groups
    from necropsy.verdict.evidence import Births

_ONLY_PEOPLE: Final = 0.9
_FEW: Final = 8.0
_FEW_SHARE: Final = 0.005
"""Births, by number and by share, below which browsers stay people."""
_SELDOM: Final = 0.3
"""Births a visit of a check of a health endpoint below which it makes none: it does each time, or never."""
_SAMPLED: Final = 0.8
"""Accuracy of a share that is estimated from a sample."""
_MOSTLY_LAST_WRITES: Final = 0.5
"""Share of the births that are last writes from which they count as such."""
_PEOPLE: Final = 0
"""Number of people among the creators."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Pairs of a visit and a birth, and how likely the one made the other."""

    visit: NDArray[np.int64]
    birth: NDArray[np.int64]
    weight: NDArray[np.float64]
    alternative: NDArray[np.float64]
    """Weights of another reading; how far a source's births are from it widens its interval."""


@dataclass(frozen=True, slots=True)
class _Creators:
    """The owner of each visit: people, a group of machines with one agent, or a client at a fixed interval."""

    of_visit: NDArray[np.int64]
    is_steady: NDArray[np.bool_]
    """By creator."""

    @property
    def number(self) -> int:
        """Their number."""
        return self.is_steady.size


def into_sources(
    births: Births,
    timeline: Timeline,
    grouped: Groups,
    shared: Shared,
    left: NDArray[np.bool_],
    covered: NDArray[np.bool_],
) -> list[BirthSource]:
    """Sort what visits made into sources.

    Parameters
    ----------
    left, covered
        By birth: whether it is to be shared, and whether a log covers it.
    """
    size = births.born_ms.size
    visit, birth, weight = shared.visit, shared.birth, shared.weight
    given = np.bincount(visit, weight, minlength=timeline.visit_s.size).astype(np.float64)
    spans_s = union([timeline.young(log.spans_s) for log in timeline.logs])
    creators = _creators(births, timeline, grouped, given, float((spans_s[:, 1] - spans_s[:, 0]).sum()))
    key = creators.of_visit
    beyond = _Beyond(births, timeline, shared, creators, spans_s, left, covered)
    other = np.bincount(key[visit], shared.alternative, minlength=creators.number)
    order = np.argsort(key[visit], kind="stable")
    cuts = np.searchsorted(key[visit][order], np.arange(creators.number + 1))
    result: list[BirthSource] = []
    for number in np.flatnonzero(beyond.made >= 1.0).tolist():
        mine = order[cuts[number] : cuts[number + 1]]
        where, weights = gathered(birth[mine], weight[mine], size)
        outside, likely, bounds = beyond.of(number)
        is_people = number == _PEOPLE
        visits = np.flatnonzero((key == number) & (given > 0)) if is_people else np.flatnonzero(key == number)
        by_group = np.bincount(timeline.group[visit[mine]], weight[mine], minlength=len(grouped.groups))
        ranked = [int(g) for g in np.argsort(-by_group) if by_group[g] >= 0.5]
        in_ranked = np.isin(timeline.group[visits], ranked)
        clients = int(np.unique(timeline.client[visits[in_ranked]]).size)
        made = float(beyond.made[number])
        if creators.is_steady[number] and made < _SELDOM * visits.size and _is_harmless(ranked, grouped):
            continue
        result.append(
            BirthSource(
                kind="people" if is_people else "visitor",
                evidence="visits",
                births=np.concatenate([where, outside]),
                weight=np.concatenate([weights, likely]),
                groups=ranked,
                visits=int(in_ranked.sum()),
                clients=None if is_people and not people.identify_visitors(made, clients) else clients,
                extrapolated=float(likely.sum()),
                beyond=bounds,
                apart=float(other[number] - made),
                probability=min(1.0, made / max(1, int(in_ranked.sum()))),
            )
        )
    _share_doubts(result, births, timeline, grouped, np.where(key == _PEOPLE, given, 0.0))
    return _with_what_is_lacking(result, timeline, left & covered, size)


def _share_doubts(
    sources: Sequence[BirthSource], births: Births, timeline: Timeline, grouped: Groups, by_people: NDArray[np.float64]
) -> None:
    """Set ``perhaps`` of machines with a browser's name: births of people who come to their pages with a session.

    A page that browsers fetch without their cookie (in a frame of another site, without credentials) starts a session each
    time. Of clients with many such births each is taken for a machine, of the others for a person.
    """
    lifetime_s = births.lifetime_s if births.lifetime_s and births.lifetime_s > 0 else np.inf
    again = people.returning(
        timeline.client, timeline.visit_s, lifetime_s, last_writes=births.derived > _MOSTLY_LAST_WRITES
    )
    pages: dict[tuple[object, ...], int] = {}
    page = np.asarray([pages.setdefault((g.log, g.method, g.path), len(pages)) for g in grouped.groups], dtype=np.int64)
    doubtful = np.bincount(page[timeline.group], by_people * again, minlength=len(pages))
    mine: list[tuple[BirthSource, int]] = []
    for source in sources:
        first = grouped.groups[source.groups[0]] if source.groups else None
        if first is not None and source.kind == "visitor" and first.browser and not first.is_clockwork:
            mine.append((source, int(page[source.groups[0]])))
    total = np.zeros(len(pages))
    for source, number in mine:
        total[number] += source.amount
    for source, number in mine:
        source.perhaps = float(doubtful[number] * source.amount / max(1e-9, total[number]))


def _is_harmless(ranked: Sequence[int], grouped: Groups) -> bool:
    """Whether a creator asks for health endpoints alone: at few of its visits a birth is there for another reason."""
    return bool(ranked) and all(grouped.groups[number].is_harmless_by_name for number in ranked)


def _with_what_is_lacking(
    sources: list[BirthSource], timeline: Timeline, inside: NDArray[np.bool_], size: int
) -> list[BirthSource]:
    """Give the births that have no visit, where the logs are samples, in the proportions of those that have one."""
    complete = min((log.complete for log in timeline.logs), default=1.0)
    if complete >= 1.0:
        return sources
    total = np.zeros(size)
    for source in sources:
        total[source.births] += source.weight
    lacking = np.where(inside, np.clip(1 - total, 0, 1), 0.0)
    made = np.asarray([source.weight[inside[source.births]].sum() for source in sources])
    wanted = made * (1 / complete - 1)
    part = min(1.0, wanted.sum() / max(1e-9, float(lacking.sum())))
    where = np.flatnonzero(lacking > 0.01)
    for source, its in zip(sources, wanted / max(1e-9, wanted.sum()), strict=True):
        births = np.concatenate([source.births, where])
        weight = np.concatenate([source.weight, lacking[where] * part * its])
        source.births, source.weight = gathered(births, weight, size)
        more = float((lacking[where] * part * its).sum())
        source.extrapolated += more
        low, high = source.beyond or (source.extrapolated - more, source.extrapolated - more)
        source.beyond = (low + more * _SAMPLED, high + more / _SAMPLED)
    return sources


def _creators(
    births: Births, timeline: Timeline, grouped: Groups, given: NDArray[np.float64], length_s: float
) -> _Creators:
    """Tell whose each visit is; ``given`` are expected births by visit."""
    groups = grouped.groups
    is_browser = np.asarray([group.browser for group in groups], dtype=bool)
    alone = np.asarray([group.is_clockwork for group in groups], dtype=bool)
    machine = ~is_browser[timeline.group] | alone[timeline.group]
    seen = np.flatnonzero(is_browser[timeline.group] & ~alone[timeline.group])
    lifetimes = length_s / births.lifetime_s if births.lifetime_s and births.lifetime_s > 0 else 1.0
    page = timeline.group[seen]
    agent = grouped.agent_of_row[timeline.row[seen]]
    machine[seen] = people.machines(timeline.client[seen], given[seen], agent, page, lifetimes, births.coverage)
    # One source for people, one for each group of machines with one agent, one for each that comes at a fixed interval.
    keys: dict[tuple[object, ...], int] = {("people",): _PEOPLE}
    key_of = np.zeros(len(groups), np.int64)
    for number, group in enumerate(groups):
        name: tuple[object, ...] = ("alone", number) if group.is_clockwork else (group.agent, group.browser)
        key_of[number] = keys.setdefault(name, len(keys))
    # A handful of births does not make a machine of a browser.
    by_machine = np.bincount(key_of[timeline.group[seen]], given[seen] * machine[seen], minlength=len(keys))
    few = by_machine < max(_FEW, _FEW_SHARE * given.sum())
    machine[seen] &= ~few[key_of[timeline.group[seen]]]
    is_steady = np.zeros(len(keys), dtype=bool)
    is_steady[key_of[alone]] = True
    return _Creators(np.where(machine, key_of[timeline.group], _PEOPLE), is_steady)


class _Beyond:
    """The births outside the logs' time: survivors older than the horizon are people's, the rest is inferred."""

    def __init__(
        self,
        births: Births,
        timeline: Timeline,
        shared: Shared,
        creators: _Creators,
        spans_s: NDArray[np.float64],
        left: NDArray[np.bool_],
        covered: NDArray[np.bool_],
    ) -> None:
        key, weight, at = creators.of_visit[shared.visit], shared.weight, timeline.born_s[shared.birth]
        self.made = np.bincount(key, weight, minlength=creators.number).astype(np.float64)
        self._others = np.flatnonzero(left & ~covered)
        inside = np.flatnonzero(left & covered)
        logged_in = births.authenticated[shared.birth]
        by_key = np.bincount(key[logged_in], weight[logged_in], minlength=creators.number)
        # Whoever logs in is people, if the logs show that nobody else does: by day more than by night.
        only_people = bool(by_key.sum() >= _FEW and by_key[_PEOPLE] >= _ONLY_PEOPLE * by_key.sum())
        self._is_old = timeline.born_s[self._others] < timeline.horizon_s
        self._is_user = births.authenticated[self._others] & only_people
        self._judged = ~self._is_old & ~self._is_user
        if only_people:
            inside = inside[~births.authenticated[inside]]
            weight = weight * ~logged_in
        first, last = (float(spans_s[0, 0]), float(spans_s[-1, 1])) if spans_s.size else (0.0, 0.0)
        third = (last - first) / 3

        def by_creator(part: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.bincount(key, part, minlength=creators.number).astype(np.float64)

        has_begun, goes_on = _edges(at, key, shared.weight, first, last, creators.number)
        self._outside = Outside(
            timeline.born_s[self._others[self._judged]],
            timeline.born_s[inside],
            spans_s,
            by_creator(weight),
            by_creator(weight * (at < first + third)),
            by_creator(weight * (at > last - third)),
            has_begun,
            goes_on,
            creators.is_steady,
        )

    def of(self, creator: int) -> tuple[NDArray[np.int64], NDArray[np.float64], tuple[float, float]]:
        """Births outside that a creator has, how likely each, and the fewest and most that they can be."""
        likely = np.zeros(self._others.size)
        if creator == _PEOPLE:
            likely[self._is_old] = min(1.0, float(self.made[_PEOPLE] / max(1.0, self.made.sum())))
            likely[self._is_user] = 1.0
        certain = float(likely.sum())
        likely[self._judged] = self._outside.weights(creator)
        low, high = self._outside.bounds(creator)
        taken = likely > 0.01
        return self._others[taken], likely[taken], (low + certain, high + certain)


def _edges(
    at_s: NDArray[np.float64],
    key: NDArray[np.int64],
    weight: NDArray[np.float64],
    first_s: float,
    last_s: float,
    keys: int,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """By creator: whether it may have been there before the logs begin, and after they end."""
    sure = weight > 0.5
    at, whose = at_s[sure], key[sure]
    order = np.lexsort((at, whose))
    cuts = np.searchsorted(whose[order], np.arange(keys + 1))
    begun, going = np.ones(keys, dtype=bool), np.ones(keys, dtype=bool)
    for number in np.flatnonzero(np.diff(cuts)).tolist():
        mine = at[order[cuts[number] : cuts[number + 1]]]
        begun[number], going[number] = edges(mine, first_s, last_s)
    return begun, going
