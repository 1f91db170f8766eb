"""Births of a client's second request: a train beside the one that the client owns, also where it comes after its window.

A client that follows a redirect without a cookie asks twice, and starts two sessions. From another continent the second
request comes half a second after the first, when the window of a visit is over. Two trains of one period that begin and end
together, the second shortly after the first, are then rather one client's than two clients', of which no log shows the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.exchange import Ownership

if TYPE_CHECKING:
    from necropsy.verdict.attribution.groups import Group
    from necropsy.verdict.attribution.timeline import Timeline
    from necropsy.verdict.attribution.trains import Train

_SECOND: Final = 0.5
"""Share of the visits of a train that have made a birth already, from which it is of their second requests."""
_BESIDE: Final = 0.8
"""Share of a group's visits that must lie in the time in which they make two births, for these to be of two requests."""
_LATEST_S: Final = 1.0
"""Longest time from the first request's births to the second's."""
_ENDS: Final = 2.5
"""Largest distance of the trains' first births, and of their last, in periods."""
_AS_MANY: Final = 0.9
"""Births of the one as a share of the other's, at least."""


def passing(timeline: Timeline, groups: Sequence[Group], found: Mapping[int, Ownership]) -> list[int]:
    """Trains whose owners' visits seem to make two births each for a part of their time only: they are somebody else's.

    Two targets may have nearly one phase; when one of them is mended, its births end and the other's go on.
    """
    result: list[int] = []
    for group in {own.group for own in found.values()}:
        mine = [number for number, own in found.items() if own.group == group]
        if len(mine) < 2 or groups[group].requests_each < 2:
            continue
        made = np.zeros(timeline.visit_s.size, np.int8)
        second = []
        for number in mine:
            if (made[found[number].visits] > 0).mean() > _SECOND:
                second.append(number)
            made[found[number].visits] += 1
        if not second:
            continue
        at, twice = timeline.visit_s[made > 0], timeline.visit_s[made > 1]
        first, last = np.quantile(twice, [0.02, 0.98])
        if ((at >= first) & (at <= last)).mean() < _BESIDE:
            result += second
    return result


def late(
    timeline: Timeline,
    groups: Sequence[Group],
    trains: Sequence[Train],
    found: Mapping[int, Ownership],
    may_be_hidden: Callable[[Train], bool],
) -> Iterator[Ownership]:
    """Yield owners of trains that have none; each is doubtful.

    ``may_be_hidden`` tells whether the configuration has a probe of a train's period that no log shows: it is rather that.
    """
    each = Counter(own.group for own in found.values())
    alone = [own for own in found.values() if each[own.group] == 1 and groups[own.group].requests_each > 1]
    for number, train in enumerate(trains):
        if number in found or train.members > 1 or train.drifts or may_be_hidden(train):
            continue
        near = [
            (delay, own)
            for own in alone
            if (delay := (train.middle_s - trains[own.train].middle_s) % train.period_s) <= _LATEST_S
            and trains[own.train].period_s == train.period_s
            and _run_together(train, trains[own.train], timeline)
        ]
        if not near:
            continue
        delay, own = min(near, key=lambda each: each[0])
        alone.remove(own)
        at = timeline.born_s[train.births]
        place = np.minimum(np.searchsorted(at, timeline.visit_s[own.visits]), at.size - 1)
        meets = at[place] - timeline.visit_s[own.visits] <= train.period_s / 2
        yield Ownership(number, own.group, own.visits[meets], np.unique(train.births[place[meets]]), is_doubtful=True)


def _run_together(train: Train, first: Train, timeline: Timeline) -> bool:
    """Whether two trains begin and end together, and have as many births."""
    ends, others = (timeline.born_s[each.births[[0, -1]]] for each in (train, first))
    fewer, more = sorted((train.births.size, first.births.size))
    return bool(np.abs(ends - others).max() <= _ENDS * train.period_s) and fewer >= _AS_MANY * more
