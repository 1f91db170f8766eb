"""Creators of the births that belong to no train: responsibilities of visits for births, by expectation maximisation.

A birth comes from a visit in whose window it lies, with a probability in proportion to the group's creation probability,
the density of its delay and what the visit has left to give (a visit makes one birth at most, or two where each of its
requests starts a session), or from nobody.

The rate of births from nobody is not fitted (at load it is not identifiable, and grows at everybody's cost): it is the
rate of births in time that no visit's window covers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS: Final = 80
_DECIDED_AFTER: Final = 25
"""Rounds after which clockwork that creates in fewer than half of its visits is taken for a coincidence."""
_HALF: Final = 0.5
_HARDEST: Final = 1e3
_NEARLY_ALL: Final = 0.9
_FREE: Final = 0.1
"""Share of the time of the logs that no window covers, at least, for a rate to be told from it."""
_STILL: Final = 1e-4
"""Change of the probabilities at which they stand still."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The result of the last round."""

    probability: NDArray[np.float64]
    """Births per visit, by group."""
    weight: NDArray[np.float64]
    """By pair of a visit and a birth: how likely the visit made the birth."""


def fit(
    visit: NDArray[np.int64],
    birth: NDArray[np.int64],
    density: NDArray[np.float64],
    group_of_visit: NDArray[np.int32],
    visits: NDArray[np.int64],
    births: int,
    nobody_per_s: float,
    suspect: NDArray[np.bool_],
    harmless: NDArray[np.bool_],
    start: NDArray[np.float64],
    family: NDArray[np.int64],
    least: NDArray[np.float64],
    *,
    most: NDArray[np.float64] | None = None,
    coverage: float = 1.0,
) -> Fit:
    """Fit the creation probability of each group.

    Parameters
    ----------
    visit, birth, density
        Pairs, and the density of the pair's delay, per second.
    group_of_visit
        By visit.
    visits
        By group: how many visits it has.
    births
        How many there are.
    nobody_per_s
        Rate of births from nobody.
    suspect
        By group: clockwork, and health endpoints by name, that must create in half of their visits to count.
    harmless
        By group: clockwork whose page is a health endpoint by its name, and must create in nearly all of them.
    start
        By group: probability to begin with.
    family
        By group: number of its family; -1: none.
    least
        By family: probability that the visits' own count proves, whoever else was there at the time.
    most
        By group: births that one visit can make; None: one.
    """
    groups = visits.size
    most = np.ones(groups) if most is None else most
    most_of_visit = most[group_of_visit]
    probability = np.clip(start, 0.02, 1.0)
    probability[visits == 0] = 0.0
    room = most_of_visit.copy()
    group = group_of_visit[visit]
    weight = np.zeros(visit.size)
    many = np.maximum(visits, 1)
    mine = np.flatnonzero(family >= 0)
    of_family = np.bincount(family[mine], visits[mine], minlength=least.size)
    push = np.ones(groups)
    for number in range(_ROUNDS):
        strength = (probability * push)[group] * density * room[visit]
        total = np.bincount(birth, strength, minlength=births) + nobody_per_s + 1e-12
        weight = strength / total[birth]
        given = np.bincount(visit, weight, minlength=room.size)
        room = np.minimum(most_of_visit, room * most_of_visit / np.maximum(given, 1e-9))
        fresh = np.minimum(most, np.bincount(group, weight, minlength=groups) / many)
        made = np.bincount(family[mine], fresh[mine] * visits[mine], minlength=least.size)
        short = np.clip(least * of_family / np.maximum(made, 1e-9), 1.0, 1.5)
        push[mine] = np.clip(push[mine] * np.where(short > 1.0, short, 0.95)[family[mine]], 1.0, _HARDEST)
        if number == _DECIDED_AFTER:
            proved = np.zeros(groups, dtype=bool)
            proved[mine] = least[family[mine]] >= _HALF / 2
            fresh[suspect & ~proved & (fresh < _HALF * coverage)] = 0.0
            fresh[suspect & ~proved & harmless & (fresh < _NEARLY_ALL * coverage)] = 0.0
        change = float(np.abs(fresh - probability).max(initial=0.0))
        probability = fresh
        if number > _DECIDED_AFTER and change < _STILL:
            break
    given = np.bincount(visit, weight, minlength=room.size)
    weight = weight / np.maximum(1.0, given / most_of_visit)[visit]  # what is left above what a visit can make
    return Fit(probability, weight)


def nobodys_rate(
    low_s: NDArray[np.float64], high_s: NDArray[np.float64], spans_s: NDArray[np.float64], unjoined: int
) -> float:
    """Births per second in the time of the logs that no window covers.

    Parameters
    ----------
    low_s, high_s
        The windows.
    spans_s
        Time of the logs, k by 2.
    unjoined
        Births of that time in no window.
    """
    length = float((spans_s[:, 1] - spans_s[:, 0]).sum())
    if length <= 0:
        return 0.0
    order = np.argsort(low_s)
    low, high = low_s[order], np.maximum.accumulate(high_s[order])
    busy = float(np.maximum(high - np.maximum(low, np.concatenate([[-np.inf], high[:-1]])), 0.0).sum())
    return unjoined / max(length - busy, _FREE * length, 1.0)
