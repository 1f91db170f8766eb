"""Intervals: of a probability, and of the births of one source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from necropsy.verdict.attribution.groups import Group
    from necropsy.verdict.attribution.sources import BirthSource

_Z: Final = 1.96
_LEAST: Final = 0.004
"""Half of an interval at least, as a share of the store's births: no count by time is surer."""
_LEAST_SURE: Final = 0.3
_DUST: Final = 0.5
"""Relative error of the number of other births in a train's window: in a wide window they are many."""
_LATE: Final = 0.05
"""Error of births that are last writes, as a share of them."""


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a probability.

    >>> low, high = wilson(0, 100)
    >>> low, round(high, 3)
    (0.0, 0.037)
    """
    if trials <= 0:
        return 0.0, 1.0
    share, square = min(1.0, successes / trials), _Z**2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = _Z * np.sqrt(share * (1 - share) / trials + square / (4 * trials**2)) / (1 + square / trials)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def errors(sources: Sequence[BirthSource], groups: Sequence[Group], births: int) -> list[float]:
    """Half of the interval that chance leaves each source, by kind: a kind's births are surer than those of its members.

    What is said is the share of all load balancers, not of each. Where three ask in the same second each has a third of
    every birth, and all three together have it for certain. So a kind has one error, and each member its part of it.
    """
    kinds: dict[tuple[object, ...], list[int]] = {}
    for number, source in enumerate(sources):
        kinds.setdefault(_kind(source, groups), []).append(number)
    result = [0.0] * len(sources)
    for members in kinds.values():
        mine = [sources[number] for number in members]
        # Of many kinds most have few births: only these are looked at.
        where = np.concatenate([source.births for source in mine])
        place, inverse = np.unique(where, return_inverse=True)
        total = np.minimum(
            np.bincount(inverse, np.concatenate([source.weight for source in mine]), minlength=place.size), 1.0
        )
        variance = float((total * (1 - total)).sum())
        count = sum(source.amount for source in mine)
        # What a birth's other candidates take from each other makes the counts depend on one another (Louis 1982).
        sure = max(_LEAST_SURE, 1 - variance / max(count, 1e-9))
        half = max(2 * np.sqrt(variance) / sure, _LEAST * births) + abs(sum(source.apart for source in mine))
        for number, source in zip(members, mine, strict=True):
            result[number] = half * source.amount / max(count, 1e-9)
    return result


def _kind(source: BirthSource, groups: Sequence[Group]) -> tuple[object, ...]:
    """The unit of a claim: one program that requests one page, all that no log shows at one interval, else itself."""
    if source.kind == "visitor" and source.groups:
        first = groups[source.groups[0]]
        return first.log, first.agent, first.method, first.path
    if source.kind == "unlogged" and source.train is not None:
        return ("unlogged", source.train.period_s)
    return (id(source),)


def of_source(
    source: BirthSource, error: float, births: int, unexplained: float, derived: float
) -> tuple[float, float]:
    """95 % interval of a source's births: chance, what may be its own among the unexplained, and known biases.

    ``error`` is its part of the error of its kind.
    """
    count = source.amount
    if source.evidence == "named":
        return count, count
    half = error + _LATE * derived * count * (source.train is None)
    room = _room(source)
    # What comes so late that it lies beside a train's window may have been taken for somebody else's, if no log shows it.
    low, high = (
        count - half,
        count + half + source.perhaps + (room if source.kind == "unlogged" else min(unexplained, room)),
    )
    if source.train is not None:
        low -= _DUST * source.train.background / source.sharers
    if source.beyond is not None:
        low -= max(0.0, source.extrapolated - source.beyond[0])
        high += max(0.0, source.beyond[1] - source.extrapolated)
    if source.also is not None:
        low = 0.0
    if source.evidence == "authenticated":
        low = 0.0
    return max(0.0, low), min(float(births), high)


def _room(source: BirthSource) -> float:
    """Largest number of births that a source can have beside its own: a prober makes one at each tick at most."""
    train = source.train
    if train is None or train.drifts:
        return np.inf
    ticks = max(train.ticks.length, source.seconds / train.period_s)
    return max(0.0, ticks * train.members / source.sharers - source.amount)
