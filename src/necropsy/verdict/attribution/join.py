"""The join in time: which births lie within which visits' answers, and how many would by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHIFTS_S: Final = (7.3, -11.7, 23.1, -37.123, 61.7, -97.3, 143.9, -211.3)
"""By how much visits are moved to learn what chance joins: odd times, that no prober's period divides."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of a visit and a birth within its window: parallel arrays, ordered by visit."""

    visit: NDArray[np.int64]
    birth: NDArray[np.int64]


def join(low_s: NDArray[np.float64], high_s: NDArray[np.float64], born_s: NDArray[np.float64]) -> Pairs:
    """Pair visits with the births in their windows; ``born_s`` in order.

    >>> pairs = join(np.array([0.0, 5.0]), np.array([1.0, 6.0]), np.array([0.5, 0.9, 7.0]))
    >>> pairs.visit.tolist(), pairs.birth.tolist()
    ([0, 0], [0, 1])
    """
    first = np.searchsorted(born_s, low_s)
    count = np.maximum(np.searchsorted(born_s, high_s, side="right") - first, 0)
    visit = np.repeat(np.arange(low_s.size), count)
    start = np.cumsum(count) - count
    birth = np.arange(visit.size) - np.repeat(start - first, count)
    return Pairs(visit, birth)


def is_joined(
    low_s: NDArray[np.float64], high_s: NDArray[np.float64], born_s: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether each window holds a birth."""
    found: NDArray[np.bool_] = np.searchsorted(born_s, high_s, side="right") > np.searchsorted(born_s, low_s)
    return found


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of the visits of each group that a birth follows: arrays by group."""

    visits: NDArray[np.int64]
    followed: NDArray[np.int64]
    chance: NDArray[np.float64]
    """Share of its visits that moved births would follow."""
    chance_spread: NDArray[np.float64]
    """Standard deviation of that share over the shifts."""

    @property
    def naive(self) -> NDArray[np.float64]:
        """Creation probability as if each group were alone with chance."""
        share = self.followed / np.maximum(self.visits, 1)
        result: NDArray[np.float64] = np.clip((share - self.chance) / np.maximum(1 - self.chance, 1e-9), 0, 1)
        return result


def moved_by(
    low_s: NDArray[np.float64], shift_s: float, stretch_s: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Shift of each window when all are moved by ``shift_s`` within their stretches of the log, end to start.

    Moved out of the log's time a window would meet less than chance: no births lie there, or those of another time of day.
    """
    first, length = stretch_s
    inside = length > abs(shift_s)
    place = np.where(inside, low_s - first + shift_s, 0.0)
    wrapped = np.where(inside, np.floor(place / np.maximum(length, 1e-9)), 0.0)
    moved: NDArray[np.float64] = shift_s - wrapped * np.where(inside, length, 0.0)
    # A stretch shorter than the shift: some part of it, always the same.
    short = (length > 0) & ~inside
    part = length * ((abs(shift_s) * 0.6180339887) % 1.0)
    beyond = np.floor(np.where(short, low_s - first + part, 0.0) / np.maximum(length, 1e-9))
    moved[short] = (part - beyond * length)[short]
    return moved


def shares(
    low_s: NDArray[np.float64],
    high_s: NDArray[np.float64],
    group: NDArray[np.int32],
    groups: int,
    born_s: NDArray[np.float64],
    stretch_s: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Shares:
    """Measure each group against births as they are, and moved.

    ``stretch_s`` are the start and the length of the stretch of the log in which each visit lies.
    """
    visits = np.bincount(group, minlength=groups)
    followed = np.bincount(group[is_joined(low_s, high_s, born_s)], minlength=groups)
    moved = np.zeros((len(SHIFTS_S), groups))
    many = np.maximum(visits, 1)
    for number, shift in enumerate(SHIFTS_S):
        by = moved_by(low_s, shift, stretch_s)
        moved[number] = np.bincount(group[is_joined(low_s + by, high_s + by, born_s)], minlength=groups) / many
    return Shares(visits, followed, moved.mean(axis=0), moved.std(axis=0))


def births_each(
    low_s: NDArray[np.float64],
    high_s: NDArray[np.float64],
    group: NDArray[np.int32],
    groups: int,
    born_s: NDArray[np.float64],
    stretch_s: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return, by group, how many births lie in the window of a visit, those in moved windows taken off; see ``shares``."""
    many = np.maximum(np.bincount(group, minlength=groups), 1)

    def held(by: NDArray[np.float64] | float) -> NDArray[np.float64]:
        births = np.searchsorted(born_s, high_s + by, side="right") - np.searchsorted(born_s, low_s + by)
        return np.bincount(group, births, minlength=groups) / many

    by_chance = [held(moved_by(low_s, shift, stretch_s)) for shift in SHIFTS_S]
    result: NDArray[np.float64] = held(0.0) - np.mean(by_chance, axis=0)
    return result
