"""A train that is two probers' in succession: after a rollout one pod may have the phase that another had before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.trains import Train

_FEWEST: Final = 12
"""Births on either side of a change."""
_MOST_TURNS: Final = 6
"""Groups of visits that are believed to be one prober, one after the other."""


def changes(train: Train, others: Sequence[Train], born_s: NDArray[np.float64]) -> list[float]:
    """Moments within a train at which another train of its period begins or ends: a rollout changes all pods at once."""
    at = born_s[train.births]
    first, last = float(at[min(_FEWEST, at.size - 1)]), float(at[max(0, at.size - _FEWEST)])
    moments = {
        moment
        for other in others
        if other is not train and abs(other.period_s - train.period_s) < 1e-6
        for moment in (
            float(born_s[other.births[0]]) - other.period_s / 2,
            float(born_s[other.births[-1]]) + other.period_s / 2,
        )
        if first < moment < last
    }
    return sorted(moments)


def turns(
    births: NDArray[np.int64],
    birth: NDArray[np.int64],
    group: NDArray[np.int32],
    team: NDArray[np.int64],
    born_s: NDArray[np.float64],
) -> Iterator[list[float]]:
    """Moments at which a prober goes on as another group of visits: its page was changed, or it has a new address.

    Parameters
    ----------
    births
        Births of a train, in order.
    birth, group
        Pairs of a birth and the group of a visit at it.
    team
        By group: number of the prober that it may be with others.
    """
    place = np.searchsorted(births, birth)
    reached = np.bincount(group, minlength=team.size)
    for one in np.unique(team[group]).tolist():
        mine = np.flatnonzero((team == one) & (reached >= _FEWEST))
        if not 2 <= mine.size <= _MOST_TURNS:
            continue
        where = sorted((np.unique(place[group == each]) for each in mine.tolist()), key=lambda at: float(np.median(at)))
        yield [float(born_s[births[_change(a, b)]]) for a, b in pairwise(where)]


def _change(before: NDArray[np.int64], after: NDArray[np.int64]) -> int:
    """First place that is rather of what comes after."""
    places = np.union1d(before, after)
    wrong = np.searchsorted(after, places) + before.size - np.searchsorted(before, places)
    return int(places[wrong.argmin()])


def pieces(train: Train, moments_s: Sequence[float], born_s: NDArray[np.float64]) -> Iterator[Train]:
    """Cut a train at moments, in order; a piece with too few ticks is left out."""
    at = born_s[train.births]
    tick = train.tick(at)
    piece = np.searchsorted(np.asarray(moments_s), at, side="right")
    for number in range(len(moments_s) + 1):
        part = train.part(piece == number, tick)
        if part is not None:
            yield part


def shown_in_turn(
    births: NDArray[np.int64],
    birth: NDArray[np.int64],
    group: NDArray[np.int32],
    testified: NDArray[np.bool_],
    cut: int,
    least: float,
) -> bool:
    """Whether each side of a cut has a group whose visits reach nearly all of its births.

    Parameters
    ----------
    births
        Births of the train, in order.
    birth, group
        Pairs of a birth and the group of a visit at it.
    testified
        By birth of the train: whether a log can testify about it.
    cut
        Births before the cut.
    least
        Share of the births of a side.
    """
    groups = int(group.max(initial=-1)) + 1
    place = np.searchsorted(births, birth)
    once = np.unique(group.astype(np.int64) * births.size + place)
    first = once % births.size < cut
    for side, total in ((first, int(testified[:cut].sum())), (~first, int(testified[cut:].sum()))):
        reached = np.bincount(once[side] // births.size, minlength=groups)
        if total < _FEWEST or reached.max(initial=0) < least * total:
            return False
    return True
