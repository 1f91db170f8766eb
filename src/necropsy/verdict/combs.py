"""Combs: births that come like clockwork.

Fold the creation times over a period: a prober that is locked to the clock piles its births up at one phase, people
leave dust. At millisecond resolution a comb of 8,640 births a day occupies about a hundredth of a second out of ten, so
that even a busy store has almost no background inside it.

::

    phase   0 s          2.5 s                    7.1 s      10 s
            .  .    . ....|||.. .   .  .     .  . .|||. .   .        each ||| is one target
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.parts import parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERIODS_S: Final = (1.0, 2.0, 3.0, 5.0, 6.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Intervals that people configure; tried when no configuration names the period."""

MANY: Final = 200_000
"""Births from which on combs are looked for in a stretch of them."""
_MINIMUM_BIRTHS: Final = 12
_SIGNIFICANCE: Final = 6.0
"""A window must rise this many standard deviations above the background of its width."""

_NEARLY_ALL: Final = 0.95
_LATEST: Final = 1 << 62
"""Milliseconds: after any birth."""


@dataclass(frozen=True, slots=True)
class Comb:
    """Births at one phase of one period."""

    period_s: float
    phase_s: float
    """Median phase: unix time modulo the period, seconds."""
    phase_low_s: float
    phase_high_s: float
    """Window of phases; ``high < low`` when it wraps around zero."""
    births: float
    """Births in the window, background taken off."""
    births_low: float
    births_high: float
    """95 % interval: Poisson error of the background in the window."""
    ticks: int
    """Ticks of the period between the first and the last birth."""
    occupancy: float
    """Share of these ticks that have a birth; estimated when not all births could be read."""
    per_tick: float
    """Births per occupied tick: 2 when two targets share a phase."""
    first_ms: int
    last_ms: int

    @property
    def targets(self) -> int:
        """How many targets share this phase."""
        return max(1, round(self.per_tick))


def in_window(phase_s: NDArray[np.float64] | NDArray[np.int64], low_s: float, high_s: float) -> NDArray[np.bool_]:
    """Whether each phase lies in a circular window.

    >>> in_window(np.array([0.1, 5.0, 9.9]), 9.8, 0.2).tolist()
    [True, False, True]
    """
    if low_s <= high_s:
        return (phase_s >= low_s) & (phase_s <= high_s)
    return (phase_s >= low_s) | (phase_s <= high_s)


def circular_distance(a_s: float, b_s: float, period_s: float) -> float:
    """Shortest way from one phase to another, seconds.

    >>> round(circular_distance(0.1, 9.9, 10.0), 3)
    0.2
    """
    d = abs(a_s - b_s) % period_s
    return min(d, period_s - d)


def find_combs(
    born_ms: NDArray[np.int64],
    period_s: float,
    *,
    resolution_s: float = 0.001,
    minimum_occupancy: float = 0.3,
    coverage: float = 1.0,
) -> list[Comb]:
    """Find the combs of one period.

    Parameters
    ----------
    born_ms
        Creation times, Unix milliseconds, any order.
    period_s
        Period to fold over, seconds.
    resolution_s
        Resolution of the creation times; the bins are never finer.
    minimum_occupancy
        Least share of ticks that must have a birth: what is rarer is a coincidence.
    coverage
        Share of all births that ``born_ms`` holds, drawn by chance: half of a dump has half of the teeth of each comb.

    Returns
    -------
    list of Comb
        Strongest first. Empty when births at this period look like chance.
    """
    if born_ms.size < _MINIMUM_BIRTHS:
        return []
    period_ms = round(period_s * 1000)
    width_ms = max(5.0, resolution_s * 1000)
    bins = max(4, int(period_ms // width_ms))
    phase_ms = (born_ms % period_ms).astype(np.float64)
    index = np.minimum((phase_ms * bins / period_ms).astype(np.int64), bins - 1)
    counts = np.bincount(index, minlength=bins).astype(np.float64)
    combs: list[Comb] = []
    free = np.ones(bins, dtype=bool)
    for _ in range(min(bins, 512)):
        window = _strongest_window(counts, free)
        if window is None:
            break
        members, background = window
        free[members] = False
        chosen = np.zeros(bins, dtype=bool)
        chosen[members] = True
        selected = chosen[index]
        comb = _measure(
            born_ms[selected], phase_ms[selected], period_ms, background * members.size, members, bins, coverage
        )
        if comb is not None and comb.occupancy >= minimum_occupancy:
            combs.append(comb)
    return sorted(combs, key=lambda c: -c.births)


def _strongest_window(counts: NDArray[np.float64], free: NDArray[np.bool_]) -> tuple[NDArray[np.int64], float] | None:
    """Bins around the highest free peak that rise above the background, and the background per bin."""
    bins = counts.size
    rest = np.where(free, counts, np.nan)
    if not free.any():
        return None
    peak = int(np.nanargmax(rest))
    # The background is the level that most free bins share; peaks are few, so a trimmed mean ignores them.
    level = np.sort(counts[free])
    background = float(level[: max(1, int(level.size * 0.8))].mean())
    if counts[peak] < background + _SIGNIFICANCE * np.sqrt(background + 1.0):
        return None
    edge = background + 2.0 * np.sqrt(background)
    members = [peak]
    for step in (-1, 1):
        position, misses = peak, 0
        while len(members) < bins // 2 and misses < 3:
            position = (position + step) % bins
            if not free[position]:
                break
            if counts[position] > edge:
                members.append(position)
                misses = 0
            else:
                misses += 1
    return np.asarray(members, dtype=np.int64), background


def _measure(
    born_ms: NDArray[np.int64],
    phase_ms: NDArray[np.float64],
    period_ms: int,
    background: float,
    members: NDArray[np.int64],
    bins: int,
    coverage: float,
) -> Comb | None:
    count = born_ms.size
    if count < _MINIMUM_BIRTHS or count < background + _SIGNIFICANCE * np.sqrt(background + 1.0):
        return None
    # Rotate so that the window does not straddle zero, then take plain quantiles.
    step = period_ms / bins
    present = np.zeros(bins, dtype=bool)
    present[members] = True
    start = next((int(m) for m in np.sort(members) if not present[(m - 1) % bins]), int(members.min()))
    shifted = (phase_ms - start * step) % period_ms
    median = float(np.median(shifted))
    low, high = start * step, start * step + members.size * step
    # Ticks are numbered so that the window never splits one tick in two.
    ticks = np.floor_divide(born_ms - int(start * step), period_ms)
    first, last = np.quantile(ticks, (0.002, 0.998), method="nearest")
    inside = ticks[(ticks >= first) & (ticks <= last)]
    expected = int(last - first) + 1
    inside = np.sort(inside)
    occupied = int(np.count_nonzero(np.diff(inside))) + 1
    if occupied < _MINIMUM_BIRTHS:
        return None  # a burst: many births, but hardly a rhythm
    occupancy, per_tick = occupied / expected, inside.size / occupied
    if coverage < 1:
        # A tick without a birth may have had one that was not read: so the number of births says what there was.
        rate = inside.size / expected / coverage
        per_tick = float(max(1, round(rate)))
        occupancy = min(1.0, rate / per_tick)
        for multiple in (2, 3, 5):  # two targets that share every other tick are not one that has them all
            if np.bincount(inside % multiple).max() >= _NEARLY_ALL * inside.size:
                occupancy = min(occupancy, 1 / multiple)
    error = 1.96 * np.sqrt(background + 1.0)
    births = count - background
    return Comb(
        period_s=period_ms / 1000,
        phase_s=((start * step + median) % period_ms) / 1000,
        phase_low_s=(low % period_ms) / 1000,
        phase_high_s=(high % period_ms) / 1000,
        births=births,
        births_low=max(0.0, float(births - error)),
        births_high=min(float(count), float(births + error)),
        ticks=expected,
        occupancy=occupancy,
        per_tick=per_tick,
        first_ms=int(born_ms.min()),
        last_ms=int(born_ms.max()),
    )


def all_combs(
    born_ms: NDArray[np.int64],
    configured_s: tuple[float, ...] = (),
    *,
    resolution_s: float = 0.001,
    coverage: float = 1.0,
    many: int = MANY,
) -> list[tuple[Comb, NDArray[np.bool_]]]:
    """Find the combs of all periods; each birth belongs to at most one.

    Configured periods come first. Then the usual ones, shortest first and only with nearly every tick present: folded
    over half its period a comb fills half of its ticks, folded over twice its period it splits in two full ones, so the
    shortest period with full ticks is the true one.

    Parameters
    ----------
    many
        Births from which on combs are looked for in a stretch of so many.

    Returns
    -------
    list of (Comb, mask)
        The mask selects the births of the comb out of ``born_ms``.
    """
    if born_ms.size > many:
        return _combs_of_many(born_ms, configured_s, resolution_s=resolution_s, coverage=coverage, many=many)
    found: list[tuple[Comb, NDArray[np.bool_]]] = []
    free = np.ones(born_ms.size, dtype=bool)
    plan = [(p, 0.3) for p in sorted(set(configured_s))]
    plan += [(p, 0.85) for p in PERIODS_S if p not in configured_s]
    plan += [(p, 0.6) for p in PERIODS_S if p not in configured_s]
    for period_s, occupancy in plan:
        if period_s < 2 * resolution_s:
            continue
        for comb in find_combs(
            born_ms[free], period_s, resolution_s=resolution_s, minimum_occupancy=occupancy, coverage=coverage
        ):
            phase = (born_ms % round(period_s * 1000)) / 1000.0
            mask = free & in_window(phase, comb.phase_low_s, comb.phase_high_s)
            free &= ~mask
            found.append((comb, mask))
    return sorted(found, key=lambda item: -item[0].births)


def _combs_of_many(
    born_ms: NDArray[np.int64], configured_s: tuple[float, ...], *, resolution_s: float, coverage: float, many: int
) -> list[tuple[Comb, NDArray[np.bool_]]]:
    """Find combs in the newest births, then in the oldest that are left, and count them in all.

    A comb keeps its phase: its window is as well seen in a stretch of time with many births as in all of them, and ten
    million births would have to be folded over some twenty periods.
    """
    found: list[tuple[Comb, NDArray[np.bool_]]] = []
    free = np.ones(born_ms.size, dtype=bool)
    for newest in (True, False):
        rest = born_ms if newest else born_ms[free]
        if rest.size < _MINIMUM_BIRTHS:
            break
        share = min(1.0, many / rest.size)  # the edge of the stretch, from a part of the births: they may be any number
        edge = np.quantile(rest[:: rest.size // many + 1], 1 - share if newest else share)
        stretch = rest[rest >= edge if newest else rest <= edge][-many:]
        for comb, members in all_combs(stretch, configured_s, resolution_s=resolution_s, coverage=coverage, many=many):
            mask = _of_comb(born_ms, free, comb)
            if mask.any():
                free ^= mask
                found.append((_counted(comb, born_ms, mask, max(1, int(members.sum()))), mask))
    return sorted(found, key=lambda item: -item[0].births)


def _of_comb(born_ms: NDArray[np.int64], free: NDArray[np.bool_], comb: Comb) -> NDArray[np.bool_]:
    """Free births in the window of a comb; a part at a time."""
    period_ms = round(comb.period_s * 1000)
    mask = np.empty(born_ms.size, dtype=bool)
    for part in parts(born_ms.size):
        mask[part] = in_window(born_ms[part] % period_ms, comb.phase_low_s * 1000, comb.phase_high_s * 1000)
    mask &= free
    return mask


def _counted(comb: Comb, born_ms: NDArray[np.int64], mask: NDArray[np.bool_], seen: int) -> Comb:
    """Return a comb that was found in a stretch with the counts of all its births."""
    count = int(np.count_nonzero(mask))
    first, last = int(born_ms.min(where=mask, initial=_LATEST)), int(born_ms.max(where=mask, initial=-_LATEST))
    factor = count / seen
    return replace(
        comb,
        births=comb.births * factor,
        births_low=comb.births_low * factor,
        births_high=min(float(count), comb.births_high * factor),
        ticks=max(comb.ticks, int((last - first) / 1000 / comb.period_s) + 1),
        first_ms=first,
        last_ms=last,
    )
