"""A train that ends when another begins is one prober that was restarted: a rollout gives its pods new phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.sources import BirthSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.timeline import Timeline
    from necropsy.verdict.evidence import Creator

_APART_S: Final = 900.0
"""Longest pause between the last birth of one and the first of the next."""
_OVERLAP_S: Final = 180.0
"""Longest time for which both may run: a new pod is probed before the old one is gone."""
_TOGETHER: Final = 0.5
"""Of the time of the old one, at most: what ran beside it for longer is another prober, of which one was stopped."""
_SURE: Final = 0.5
"""Least probability with which a birth dates the beginning of its source."""
_IN_A_ROW: Final = 2.5
"""Periods to the next birth from which a birth is not alone."""
_EDGE: Final = 6
"""Periods from the end of all births within which a train that stops has not ended."""


def joined(sources: list[BirthSource], timeline: Timeline, covered: NDArray[np.bool_]) -> list[BirthSource]:
    """Join sources of one period that follow one another.

    ``covered`` tells which births a log could have shown: a train that ended before the log began, when a logged one of
    its period began, is that one's past.
    """
    chained = [
        source
        for source in sources
        if source.kind == "unlogged" and source.train is not None and source.train.members == 1 and not source.groups
    ]
    if not chained or not timeline.born_s.size:
        return sources
    tails = _in_succession(chained, timeline)
    ours = {id(source) for source in chained}
    left = [source for source in sources if id(source) not in ours] + tails
    return _continued(left, timeline, covered)


def joined_by_name(sources: list[BirthSource], timeline: Timeline, creators: Sequence[Creator]) -> list[BirthSource]:
    """Join creators that sessions name, and that follow one another: a rollout gives a prober's pods new addresses too."""
    alike: dict[tuple[str, str, str], list[BirthSource]] = {}
    for source in sources:
        is_one = source.train is not None and source.train.members == 1 and not source.pages
        if source.creator is not None and is_one:
            creator = creators[source.creator]
            alike.setdefault((creator.user_agent, creator.method, creator.path), []).append(source)
    chained = [each for each in alike.values() if len(each) > 1]
    ours = {id(source) for each in chained for source in each}
    tails = [tail for each in chained for tail in _in_succession(each, timeline)]
    return [source for source in sources if id(source) not in ours] + tails


def _in_succession(chained: Sequence[BirthSource], timeline: Timeline) -> list[BirthSource]:
    """Join trains of one period of which one begins when another ends; return what is left."""
    end = float(timeline.born_s[-1])
    pieces = [(piece, number) for number, source in enumerate(chained) for piece in _stretches(source, timeline)]
    pieces.sort(key=lambda piece: float(timeline.born_s[piece[0].births[0]]))
    tails: list[BirthSource] = []
    latest: dict[int, int] = {}  # by tail: the train of its last piece
    for source, number in pieces:
        assert source.train is not None  # noqa: S101 -- chosen above
        first = _ends_s(source, timeline)[0]
        best: BirthSource | None = None
        closest = np.inf
        for tail in tails:
            assert tail.train is not None  # noqa: S101 -- chosen above
            began, last = _ends_s(tail, timeline)
            has_ended = end - last > _EDGE * tail.train.period_s
            came_after = last - first <= _TOGETHER * (last - began)
            if (
                tail.train.period_s == source.train.period_s
                and has_ended
                and came_after
                and -_OVERLAP_S <= first - last <= _APART_S
            ):
                distance = abs(first - last)
                if distance < closest:
                    best, closest = tail, distance
        if best is None:  # a prober that paused, and had no successor
            best = next((tail for tail in tails if latest[id(tail)] == number), None)
        if best is None:
            tails.append(source)
            latest[id(source)] = number
            continue
        if source.creator is not None:
            best.creator = source.creator
            _take_visits(best, source, timeline)
        _append(best, source)
        best.train = source.train  # its phase, and the address it asks, are those that can be seen now
        latest[id(best)] = number
    return tails


def _stretches(source: BirthSource, timeline: Timeline) -> list[BirthSource]:
    """Cut a train at its long pauses: another pod may have had the same phase at another time."""
    train = source.train
    assert train is not None  # noqa: S101 -- asked of trains only
    if len(train.ticks.stretches) < 2:
        return [source]
    train = replace(train, births=source.births)  # a named source's train is of its newest births
    tick = train.tick(timeline.born_s[source.births])
    part = np.searchsorted([first for first, _ in train.ticks.stretches[1:]], tick, side="right")
    result = []
    for each in range(len(train.ticks.stretches)):
        mine = part == each
        own = train.part(mine, tick)
        if own is None:
            return [source]
        seconds = source.seconds * float(mine.mean())
        result.append(
            replace(source, births=source.births[mine], weight=source.weight[mine], train=own, seconds=seconds)
        )
    return result


def _continued(sources: list[BirthSource], timeline: Timeline, covered: NDArray[np.bool_]) -> list[BirthSource]:
    """Give trains that no log could show to the logged ones that went on in their place."""
    logged = [source for source in sources if source.groups and source.train is not None and source.evidence == "comb"]
    gone: set[int] = set()
    has_past: set[int] = set()
    for source in sources:
        if (
            source.kind != "unlogged"
            or source.train is None
            or source.train.members > 1
            or covered[source.births].any()
        ):
            continue
        last = _ends_s(source, timeline)[1]
        followers = [
            (abs(first - last), number)
            for number, other in enumerate(logged)
            if other.train is not None
            and other.train.period_s == source.train.period_s
            and number not in has_past
            and -_OVERLAP_S <= (first := _ends_s(other, timeline)[0]) - last <= _APART_S
        ]
        if followers:
            _, number = min(followers)
            _append(logged[number], source)
            logged[number].extrapolated += source.amount
            has_past.add(number)
            gone.add(id(source))
    return [source for source in sources if id(source) not in gone]


def _ends_s(source: BirthSource, timeline: Timeline) -> tuple[float, float]:
    """Seconds of its first and last birth.

    What is only perhaps its own, before the log begins, does not tell when it began; nor does a birth that lies alone in the
    train's window of phase, by chance.
    """
    assert source.train is not None  # noqa: S101 -- asked of trains only
    sure = source.births[source.weight >= _SURE]
    at_s = np.sort(timeline.born_s[sure if sure.size else source.births])
    near = np.diff(at_s) <= _IN_A_ROW * source.train.period_s
    row = np.flatnonzero(np.concatenate([near, [False]]) | np.concatenate([[False], near]))
    at_s = at_s[row] if row.size else at_s
    return float(at_s.min()), float(at_s.max())


def _take_visits(source: BirthSource, later: BirthSource, timeline: Timeline) -> None:
    """Add a successor's visits; a class by name alone, of births that no log covers, gives way to one that a log shows."""
    shown = [
        one.row is not None and bool(timeline.covered(timeline.born_s[one.births]).any()) for one in (source, later)
    ]
    if later.row is None or later.row == source.row or (shown[0] and not shown[1]):
        return
    source.visits = (later.visits or 0) + ((source.visits or 0) if shown[0] else 0)
    source.row = later.row


def _append(source: BirthSource, other: BirthSource) -> None:
    fresh = ~np.isin(other.births, source.births)
    births = np.concatenate([source.births, other.births[fresh]])
    order = np.argsort(births, kind="stable")
    source.weight = np.concatenate([source.weight, other.weight[fresh]])[order]
    source.births = births[order]
    source.seconds += other.seconds
