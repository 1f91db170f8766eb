"""The ticks of a train: in which of them a birth lies, and whether that looks like one prober's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST: Final = 12
"""Ticks with a birth."""
_PAUSE: Final = 30
"""Ticks without a birth after which a prober had stopped; what comes later is another stretch."""
_FULL: Final = 0.8
_RAREST: Final = 0.15
"""Share of ticks with a birth below which nothing is called a rhythm."""
_LEAST_DUST: Final = 0.01
_MOST_FULL: Final = 0.9
"""Shares of ticks with a birth, of dust and of a prober, between which a stretch's ends are told."""
_GEOMETRIC: Final = 0.65
"""Of the share of ticks with a birth, how often the next tick has one too, at least: folded over half its period a train
has every other tick and never two in a row."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks of a train, in stretches without long pauses."""

    stretches: tuple[tuple[int, int], ...]
    """First and last tick of each stretch."""
    occupied: int
    births: int
    dust_per_tick: float
    in_a_row: float
    """Share of the ticks with a birth that are followed by another."""

    @property
    def length(self) -> int:
        """Ticks in all stretches."""
        return sum(last - first + 1 for first, last in self.stretches)

    @property
    def fullness(self) -> float:
        """Share of the ticks with a birth, those of dust taken off."""
        dust = 1 - np.exp(-self.dust_per_tick)
        return float(np.clip((self.occupied / self.length - dust) / max(1e-9, 1 - dust), 0, 1))

    @property
    def per_tick(self) -> float:
        """Births of the train per tick that has one: 2 when two probers share a phase."""
        own = self.births - self.dust_per_tick * self.length
        return float(own / max(1.0, self.fullness * self.length))

    def is_prober(self, coverage: float, *, full: bool) -> bool:
        """Whether nearly every tick has a birth; if not ``full``, also whether births are missing by chance alone.

        Half of a dump has half of the births of each train, drawn by chance.
        """
        if self.occupied < _FEWEST or self.length < _FEWEST:
            return False
        if self.fullness >= _FULL * min(1.0, coverage):
            return self.in_a_row >= _GEOMETRIC * self.fullness
        return not full and self.fullness >= _RAREST and self.in_a_row >= _GEOMETRIC * self.occupied / self.length

    def holds(self, number: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each tick lies in one of the stretches."""
        result = np.zeros(number.size, dtype=bool)
        for first, last in self.stretches:
            result |= (number >= first) & (number <= last)
        return result


def read_ticks(number: NDArray[np.int64], *, dust_per_tick: float = 0.0) -> Ticks | None:
    """Read the ticks of births that share a phase; None when they are too few.

    >>> read_ticks(np.arange(20)).fullness
    1.0
    """
    if number.size < _FEWEST:
        return None
    distinct = np.unique(number)
    cut = np.flatnonzero(np.diff(distinct) > _PAUSE) + 1
    stretches = sorted(
        (int(part[0]), int(part[-1]))
        for whole in np.split(distinct, cut)
        for part in _cores(whole, dust_per_tick)
        # Alone between long pauses are births of dust.
        if part.size / (part[-1] - part[0] + 1) > _RAREST
    )
    if not stretches:
        return None
    ticks = Ticks(tuple(stretches), 0, 0, dust_per_tick, 0.0)
    inside = distinct[ticks.holds(distinct)]
    row = float((np.diff(inside) == 1).sum() / max(1, inside.size - 1))
    return Ticks(tuple(stretches), int(inside.size), int(ticks.holds(number).sum()), dust_per_tick, row)


def _cores(ticks: NDArray[np.int64], dust_per_tick: float) -> Iterator[NDArray[np.int64]]:
    """Cut births of dust off the ends of a stretch: the part whose ticks are likelier a prober's than dust, and what else is.

    A birth of dust each few minutes, before a prober begins or after it ends, would make its stretch twice as long.
    """
    if ticks.size < _FEWEST:
        return
    dust = max(_LEAST_DUST, 1 - float(np.exp(-dust_per_tick)))
    own = float(np.clip((np.diff(ticks) == 1).mean(), 2 * dust, _MOST_FULL))
    if own <= 1.5 * dust:
        yield ticks
        return
    here, none = np.log(own / dust), np.log((1 - own) / (1 - dust))
    place = np.arange(ticks.size)
    level = here * place + none * (ticks - ticks[0] - place)
    lowest = np.minimum.accumulate(level)
    last = int((level - lowest).argmax())
    first = int(level[: last + 1].argmin())
    yield ticks[first : last + 1]
    yield from _cores(ticks[:first], dust_per_tick)
    yield from _cores(ticks[last + 1 :], dust_per_tick)


_EVEN: Final = 0.7
"""Least births of every other tick, as a share of those of the ticks between."""
_SAME_S: Final = 0.0005
"""Largest difference of the mean phases of odd and even ticks beyond their errors, in seconds."""


def is_one(number: NDArray[np.int64], offset_s: NDArray[np.float64], *, even: bool) -> bool:
    """Whether the ticks are one prober's and not those of several of a longer period, whose phases lie close by luck.

    One prober has the same phase in its even and odd ticks, to a small part of its jitter; two have not.
    """
    for multiple in (2, 3):
        kind = number % multiple
        counts = np.bincount(kind, minlength=multiple)
        if even and counts.min() < _EVEN * counts.max():
            return False
        middles, errors = [], []
        for each in range(multiple):
            mine = offset_s[kind == each]
            if mine.size < 8:
                return True
            middles.append(float(mine.mean()))
            errors.append(float(mine.std()) / np.sqrt(mine.size))
        if even and max(middles) - min(middles) > 6 * max(errors) + _SAME_S:
            return False
    return True
