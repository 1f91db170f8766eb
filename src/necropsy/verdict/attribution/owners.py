"""The owner of a train: the group of visits that a log shows at its ticks.

A visit makes one birth a request, so a group that has used up its visits on one train owns no second one; a client that
follows a redirect, and brings no cookie along, makes two. Where two groups were
there at every tick, the log's times cannot tell them apart: what decides then is said, and the other is named as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.exchange import Offer, Ownership, find_room
from necropsy.verdict.attribution.second_requests import late, passing
from necropsy.verdict.attribution.succession import changes, pieces, shown_in_turn, turns
from necropsy.verdict.attribution.ticks import read_ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.groups import Group
    from necropsy.verdict.attribution.join import Pairs
    from necropsy.verdict.attribution.timeline import Log, Timeline
    from necropsy.verdict.attribution.trains import Train

_FEWEST: Final = 8
"""Births of a train within a log's time that the log can testify about."""
_JOINED: Final = 0.85
"""Share of a train's births that its owner's visits must reach."""
_SURE: Final = 0.8
"""The same, what chance reaches taken off."""
_USED: Final = 0.7
"""Share of its own visits that an owner must have made births in, of those in which the train has a birth."""
_IN_TURN: Final = 1.5
"""Visits an interval from which a client is several probers of it that take turns."""
_CROWD_USED: Final = 0.5
"""The same for groups without a rhythm of their own: many clients that come by the clock."""
_LUCK: Final = 0.2
"""Chance from which a health endpoint that is there at each tick is a coincidence: a log of seconds and a short period."""
_LUCK_HIDDEN: Final = 0.01
"""The same where the configuration has a probe of that period that no log shows, and that may be who is at the ticks."""
_SIGNED_IN: Final = 0.9
"""Share of a train's births that are logged in, from which its owner is a check that brings credentials."""
_ALWAYS: Final = 0.95
"""Share of a train's births that chance reaches, from which what exceeds it is noise."""
_SIBLING: Final = 0.3
"""Births of another train, as a share of this one's, from which it is one of its kind."""
_DOUBT: Final = 0.03
"""Chance from which it is said that a health endpoint may be there by coincidence."""
_AS_GOOD: Final = 0.06
_ALIKE: Final = 0.02
"""Largest difference of two intervals that are the same, as a share."""
_MOVED: Final = frozenset({301, 308})
"""Answers that say that a page is elsewhere, always."""


@dataclass(slots=True)
class Contest:
    """Everything that owners are found with."""

    timeline: Timeline
    groups: Sequence[Group]
    pairs: Pairs
    trains: list[Train]
    """Grows by what owners leave over of trains of several probers."""
    creates_for_others: frozenset[int]
    """Groups whose page creates sessions for irregular visitors."""
    configured: frozenset[int]
    """Groups that a configured probe fits that may create sessions."""
    hidden_s: tuple[float, ...] = ()
    """Periods of configured probes that may create sessions, and that no log shows."""
    logged_in: NDArray[np.bool_] | None = None
    """By birth: whether its session is somebody's who is logged in; None: of none."""
    _train_of: NDArray[np.int64] = field(init=False)
    _of_train: list[NDArray[np.int64]] = field(init=False)

    def __post_init__(self) -> None:
        self._index()

    def _index(self) -> None:
        self._train_of = np.full(self.timeline.born_s.size, -1, np.int64)
        for number, train in enumerate(self.trains):
            self._train_of[train.births] = number
        of_pair = self._train_of[self.pairs.birth]
        order = np.argsort(of_pair, kind="stable")
        cuts = np.searchsorted(of_pair[order], np.arange(len(self.trains) + 1))
        self._of_train = [order[a:b] for a, b in pairwise(cuts)]

    def settle(self) -> list[Ownership]:
        """Find the owners, surest first. What a train of several probers has left over is a train of its own."""
        offers = self._offers(range(len(self.trains)))
        used = np.zeros(self.timeline.visit_s.size, np.int8)
        found: dict[int, Ownership] = {}
        open_offers = offers
        while open_offers:
            for offer in sorted(open_offers, key=self._place):
                if offer.train in found:
                    continue
                ownership = self._own(offer, used)
                if ownership is not None:
                    found[offer.train] = ownership
                    used[ownership.visits] += 1
            self._make_room(offers, found, used)
            open_offers = self._offers(self._split(found))
            offers = offers + open_offers
        offers += self._in_succession(offers, found, used)
        for number in passing(self.timeline, self.groups, found):
            del found[number]
        self._undo_coincidences(found)
        second = late(self.timeline, self.groups, self.trains, found, self._may_be_hidden)
        return [*(self._with_rivals(own, offers, found) for own in found.values()), *second]

    def _place(self, offer: Offer) -> tuple[float, ...]:
        """Sort key of offers, surest first.

        A client that follows ``http`` to ``https`` is two visitors of one moment: the proxy's own 301 starts no session.
        """
        moved = self.groups[offer.group].status in _MOVED
        return (-offer.rank, -round(offer.used, 1), -round(offer.sure, 2), moved, offer.train, offer.group)

    def _make_room(self, offers: Sequence[Offer], found: dict[int, Ownership], used: NDArray[np.int8]) -> None:
        """Give owners to trains without one, by exchange with those that have one."""
        by_train = _by_train(offers)
        for number in sorted(by_train, key=lambda number: -self.trains[number].births.size):
            if number not in found:
                find_room(number, by_train, found, used, self._own)

    def _in_succession(
        self, offers: Sequence[Offer], found: dict[int, Ownership], used: NDArray[np.int8]
    ) -> list[Offer]:
        """Cut trains without an owner where others of their period or their visitors change, if then each piece has one.

        Return the offers for the pieces.
        """
        fresh: list[Offer] = []
        born_s = self.timeline.born_s
        for number in range(len(self.trains)):
            train = self.trains[number]
            if number in found or train.members > 1 or train.drifts:
                continue
            for moments in self._changes(number):
                cut = list(pieces(train, moments, born_s))
                if len(cut) <= len(moments):
                    continue
                known = len(self.trains)
                numbers = [number, *range(known, known + len(moments))]
                self.trains[number] = cut[0]
                self.trains += cut[1:]
                self._index()
                theirs = self._offers(numbers)
                by_train = _by_train([*(o for o in offers if o.train != number), *fresh, *theirs])
                owned = list(takewhile(lambda n: find_room(n, by_train, found, used, self._own), numbers))  # noqa: B023
                if len(owned) == len(numbers):
                    fresh += theirs
                    break
                for each in owned:
                    used[found.pop(each).visits] -= 1
                self.trains[number] = train
                del self.trains[known:]
                self._index()
        return fresh

    def _changes(self, number: int) -> Iterator[list[float]]:
        """Moments at which a train may be cut: at others' rollouts, and where a prober takes another page or address."""
        train, mine, born_s = self.trains[number], self._of_train[number], self.timeline.born_s
        yield from (
            [moment] for moment in changes(train, self.trains, born_s) if self._is_shown_in_turn(number, moment)
        )
        group = self.timeline.group[self.pairs.visit[mine]]
        steady = np.asarray([one.is_clockwork for one in self.groups], dtype=bool)[group]
        if np.unique(group[steady]).size > 1:
            births, birth, group = train.births, self.pairs.birth[mine][steady], group[steady]
            yield from turns(births, birth, group, self._pages_of_one(), born_s)
            yield from turns(births, birth, group, self._addresses_of_one(), born_s)

    def _pages_of_one(self) -> NDArray[np.int64]:
        return np.asarray([self._client(number) for number in range(len(self.groups))], dtype=np.int64)

    def _addresses_of_one(self) -> NDArray[np.int64]:
        known: dict[tuple[object, ...], int] = {}
        return np.asarray(
            [
                known.setdefault((one.log, one.agent, one.host, one.method, one.path, one.status), number)
                for number, one in enumerate(self.groups)
            ],
            dtype=np.int64,
        )

    def _is_shown_in_turn(self, number: int, moment_s: float) -> bool:
        train, mine = self.trains[number], self._of_train[number]
        at = self.timeline.born_s[train.births]
        group = self.timeline.group[self.pairs.visit[mine]]
        steady = np.asarray([one.is_clockwork for one in self.groups], dtype=bool)[group]
        least = _JOINED * min((log.complete for log in self.timeline.logs), default=1.0)
        testified = self.timeline.covered(at) & (at >= self.timeline.horizon_s)
        cut = int(np.searchsorted(at, moment_s))
        return shown_in_turn(train.births, self.pairs.birth[mine][steady], group[steady], testified, cut, least)

    def _split(self, found: dict[int, Ownership]) -> list[int]:
        """Cut what an owner did not make out of trains of several probers, as new trains; return their numbers."""
        fresh: list[int] = []
        for number, own in found.items():
            train = self.trains[number]
            if train.members < 2:
                continue
            at = self.timeline.born_s[train.births]
            tick = np.floor((at - train.low_s) / train.period_s).astype(np.int64)
            first = np.ones(at.size, dtype=bool)
            first[1:] = tick[1:] != tick[:-1]
            log = self.timeline.logs[self.groups[own.group].log]
            testified = log.covers(at) & (at >= self.timeline.horizon_s)
            mine = np.where(testified, np.isin(train.births, own.births), first)
            mine_ticks, rest_ticks = read_ticks(tick[mine]), read_ticks(tick[~mine])
            if mine_ticks is None or rest_ticks is None:
                continue
            self.trains[number] = replace(train, births=train.births[mine], ticks=mine_ticks, background=0.0)
            fresh.append(len(self.trains))
            self.trains.append(replace(train, births=train.births[~mine], ticks=rest_ticks))
        if fresh:
            self._index()
        return fresh

    def _offers(self, numbers: Iterable[int]) -> list[Offer]:
        logs, group = self.timeline.logs, self.timeline.group
        low, high = self.timeline.windows()
        result: list[Offer] = []
        numbers = list(numbers)
        for number in numbers:
            train = self.trains[number]
            mine = self._of_train[number]
            if not mine.size:
                continue
            at = self.timeline.born_s[train.births]
            first, last = float(at[0]), float(at[-1])
            testified = [int((log.covers(at) & (at >= self.timeline.horizon_s)).sum()) for log in logs]
            key = group[self.pairs.visit[mine]].astype(np.int64)
            births = np.unique(key * self.timeline.born_s.size + self.pairs.birth[mine]) // self.timeline.born_s.size
            visits = np.unique(key * group.size + self.pairs.visit[mine]) // group.size
            reached = np.bincount(births, minlength=len(self.groups))
            touched = np.bincount(visits, minlength=len(self.groups))
            during = (self.timeline.visit_s >= first - train.period_s / 2) & (
                self.timeline.visit_s <= last + train.period_s / 2
            )
            there = np.bincount(group[during], minlength=len(self.groups))
            for candidate in np.flatnonzero(reached >= _FEWEST).tolist():
                log = logs[self.groups[candidate].log]
                total = testified[self.groups[candidate].log]
                if total < _FEWEST:
                    continue
                share = min(1.0, reached[candidate] / total)
                window = float((high - low)[np.flatnonzero(group == candidate)[:1]].sum())
                overlap = max(1.0, min(log.length_s, last - first))
                chance = min(0.99, there[candidate] * window / overlap)
                sure = (share - chance) / (1 - chance)
                made = min(1.0, touched[candidate] / max(1, there[candidate]))
                regular = self.groups[candidate].is_clockwork or made >= _CROWD_USED
                luck = self._luck(train, chance) if self._rank(candidate) <= 0 else 0.0
                by_luck = luck > self._most_luck(train)
                sure_enough = sure >= _SURE * log.complete or self._cannot_exceed(chance, candidate, train, log)
                if share >= _JOINED * log.complete and sure_enough and regular and not by_luck:
                    result.append(Offer(number, candidate, share, sure, made, self._rank(candidate), luck))
        return [
            offer for offer in result if offer.luck <= _LUCK_HIDDEN or not self._has_sibling(offer, numbers, result)
        ]

    def _cannot_exceed(self, chance: float, group: int, train: Train, log: Log) -> bool:
        """Whether time tells nothing of a group that has the train's interval, and a page that may create sessions.

        In a sampled log half of the visits of a short interval are too few to exceed chance, and too many to say that no log
        shows the client. In a log of whole seconds a check each second is always there, and so is chance.
        """
        mine = self.groups[group]
        same = mine.interval_s is not None and abs(mine.interval_s - train.period_s) < _ALIKE * train.period_s
        blind = log.complete < 1.0 or chance >= _ALWAYS
        return blind and mine.is_clockwork and same and self._rank(group) >= 1

    def _has_sibling(self, offer: Offer, numbers: Sequence[int], offers: Sequence[Offer]) -> bool:
        """Whether a train like this one, of the same period, was there at the same time and no log shows anybody at it.

        Then this one is rather the next pod of the same prober, and a health endpoint is at its ticks by coincidence.
        """
        train = self.trains[offer.train]
        first, last = self.timeline.born_s[train.births[[0, -1]]]
        shown = {other.train for other in offers}
        for number in numbers:
            other = self.trains[number]
            alike = abs(other.period_s - train.period_s) < 0.01 * train.period_s
            if number in shown or not alike or other.births.size < _SIBLING * train.births.size:
                continue
            begun, ended = self.timeline.born_s[other.births[[0, -1]]]
            at = self.timeline.born_s[other.births]
            log = self.timeline.logs[self.groups[offer.group].log]
            if (
                begun < last
                and ended > first
                and int((log.covers(at) & (at >= self.timeline.horizon_s)).sum()) >= _FEWEST
            ):
                return True
        return False

    def _luck(self, train: Train, chance: float) -> float:
        """Chance that one of the health endpoints that come at the train's period is at its ticks by coincidence."""
        period = train.period_s
        alike = sum(
            other.is_harmless_by_name
            and other.interval_s is not None
            and other.drift_s is None  # what drifts is at the ticks for a while and then no more
            and abs(other.interval_s - period) < 0.1 * period
            for other in self.groups
        )
        return chance * max(1, alike)

    def _may_be_hidden(self, train: Train) -> bool:
        """Whether the configuration has a probe of the train's period that may create sessions, and that no log shows."""
        return any(abs(other - train.period_s) < 0.01 * train.period_s for other in self.hidden_s)

    def _most_luck(self, train: Train) -> float:
        """Chance of a coincidence from which a health endpoint is not the owner of a train."""
        if self._may_be_hidden(train):
            return _LUCK_HIDDEN
        # A name says that a page starts no session, and nothing of a check that brings credentials.
        if self.logged_in is not None and self.logged_in[train.births].mean() >= _SIGNED_IN:
            return 1.0
        return _LUCK

    def _rank(self, group: int) -> int:
        if self.groups[group].is_static:
            return -1
        if group in self.creates_for_others:
            return 3
        if group in self.configured:
            return 2
        return 0 if self.groups[group].is_harmless_by_name else 1

    def _own(self, offer: Offer, used: NDArray[np.int8]) -> Ownership | None:
        """Let a group have a train with the visits that it has left; None when they do not suffice."""
        mine = self._of_train[offer.train]
        visit, birth = self.pairs.visit[mine], self.pairs.birth[mine]
        open_ = (self.timeline.group[visit] == offer.group) & (used[visit] < self._births_each(offer))
        visit, birth = visit[open_], birth[open_]
        _, once = np.unique(visit, return_index=True)
        visit, birth = visit[once], birth[once]
        births, once = np.unique(birth, return_index=True)
        at = self.timeline.born_s[self.trains[offer.train].births]
        log = self.timeline.logs[self.groups[offer.group].log]
        total = int((log.covers(at) & (at >= self.timeline.horizon_s)).sum())
        train = self.trains[offer.train]
        # Of two probers at nearly one phase a train may hold one, and a part of the other's births.
        several = max(train.members, train.ticks.per_tick)
        if births.size < _JOINED * 0.9 * log.complete * total * train.purity / several:
            return None
        return Ownership(offer.train, offer.group, visit[once], births)

    def _births_each(self, offer: Offer) -> int:
        """Births that a visit can make: one a request, unless a configured probe that no log shows may have made the others."""
        return 1 if self._may_be_hidden(self.trains[offer.train]) else self.groups[offer.group].requests_each

    def _undo_coincidences(self, found: dict[int, Ownership]) -> None:
        """Take trains from groups that make births in far fewer of their visits than the trains have ticks."""
        for group in {own.group for own in found.values()}:
            mine = {number: own for number, own in found.items() if own.group == group}
            if not self.groups[group].is_clockwork or group in self.creates_for_others:
                continue
            at = self.timeline.visit_s[self.timeline.group == group]
            there = np.zeros(at.size, dtype=bool)
            for number, own in mine.items():
                first, last = self.timeline.born_s[self.trains[number].births][[0, -1]]
                there |= (at >= first - 1) & (at <= last + 1) & self._in_turn(at, self.trains[number], own)
            full = float(np.mean([self.trains[n].ticks.fullness for n in mine]))
            made = sum(own.visits.size for own in mine.values()) / max(1, int(there.sum()))
            if made < _USED * full:
                for number in mine:
                    del found[number]

    def _in_turn(self, at: NDArray[np.float64], train: Train, own: Ownership) -> NDArray[np.bool_]:
        """Mark the visits of a train's owner that are of the prober that made it, where several of its interval take turns.

        A prober asks for two sites in turn, the log names no hosts, and one of the sites starts no session.
        """
        interval_s = self.groups[own.group].interval_s
        same = interval_s is not None and abs(interval_s - train.period_s) < _ALIKE * train.period_s
        several = at.size / max(1.0, float(np.ptp(at)) / train.period_s) if at.size and same else 1.0
        if several < _IN_TURN or train.drifts:
            return np.ones(at.size, dtype=bool)
        mine = float(np.median((self.timeline.visit_s[own.visits] - train.low_s + train.period_s / 2) % train.period_s))
        apart = np.abs((at - train.low_s + train.period_s - mine) % train.period_s - train.period_s / 2)
        least_s = max(train.width_s, self.timeline.logs[self.groups[own.group].log].resolution_s)
        return np.asarray(apart <= max(least_s, train.period_s / (2 * several)))

    def _client(self, group: int) -> int:
        """Client of a group of one; -1 - group where there are several."""
        if not self.groups[group].is_clockwork:
            return -1 - group
        return int(self.timeline.client[int((self.timeline.group == group).argmax())])

    def _with_rivals(self, own: Ownership, offers: Sequence[Offer], found: dict[int, Ownership]) -> Ownership:
        taken = {other.group for other in found.values()}
        ours = next(o for o in offers if (o.train, o.group) == (own.train, own.group))
        full = self.trains[own.train].ticks.fullness
        rivals = [
            offer
            for offer in offers
            if offer.train == own.train
            and offer.group not in taken
            and self._client(offer.group) != self._client(own.group)
            and offer.sure >= ours.sure - _AS_GOOD
            and offer.used >= _USED * full
        ]
        level = [offer for offer in rivals if self._rank(offer.group) == ours.rank or ours.rank <= 1]
        reason = ""
        if rivals and not level:
            reason = "its page starts sessions for other clients too" if ours.rank == 3 else "it is configured"
        return Ownership(
            own.train,
            own.group,
            own.visits,
            own.births,
            tuple(offer.group for offer in level),
            reason,
            ours.luck > _DOUBT,
        )


def _by_train(offers: Sequence[Offer]) -> dict[int, list[Offer]]:
    """Offers by train, best first."""
    result: dict[int, list[Offer]] = {}
    for offer in sorted(offers, key=lambda o: (-o.rank, -round(o.used, 1), -o.sure, o.group)):
        result.setdefault(offer.train, []).append(offer)
    return result
