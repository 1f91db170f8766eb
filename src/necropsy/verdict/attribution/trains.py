"""Trains: births at one phase of one period, found in the births alone.

Fold the births over a period: a prober that is locked to the clock piles its births up in a narrow window of phase, all
else is dust. All periods and widths are compared, and the one that explains its births best is taken out; then again. A
train carries its births (a mask), so no birth is ever in two.

::

    phase   0 s          2.5 s                    7.1 s      10 s
            .  .    . ....|||.. .   .  .     .  . .|||. .   .        each ||| is one train
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.late import late_births
from necropsy.verdict.attribution.members import by_number
from necropsy.verdict.attribution.own_periods import own_periods
from necropsy.verdict.attribution.ticks import Ticks, is_one, read_ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERIODS_S: Final = (
    1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0, 12.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 600.0,
)  # fmt: skip
"""Intervals that people configure; those of the configuration and of the logs are tried beside them."""
_WIDTHS_S: Final = ((0.004, (1, 2, 5, 12)), (0.025, (4, 10)), (0.25, (4, 8, 12)))
"""Width of the bins of a histogram of phases, and of the windows in bins: 4 ms to 3 s."""
_FEWEST: Final = 25
_GAIN: Final = 15.0
"""Least gain of log-likelihood over dust."""
_ABOVE: Final = 2.0
"""Times the dust that a window must hold."""
_ONE_TRAIN: Final = 1.35
"""Births per tick of one prober, at most; more are several at one phase."""
_ALONE: Final = 1.05
"""Births per tick above which a second prober may have shared the phase for a time."""
_NEARLY_BEST: Final = 0.8
"""Of the best gain per birth: within it, whatever explains more births is the better reading."""
_HALF_S: Final = 0.01
_TOGETHER: Final = 0.6
"""Largest deviation of two halves of one train from half a period, and the part of their time in which both must run."""
_TAIL: Final = 0.2
"""Births of a train's tail, as a share of the train's."""
_WHOLE_NUMBER: Final = 0.15
"""Deviation of the births a tick from a whole number of probers, at most."""
_PIECE: Final = 0.9
"""Share of a train's births that a train of several probers must hold for the first to be a piece of it."""
_EACH: Final = 5
"""Windows of one period and width that are looked at."""
_MOST_TRAINS: Final = 48
_DUST_BINS: Final = 250
_VERIFIED: Final = 60
"""Windows that are verified in one round, at most."""


@dataclass(frozen=True, slots=True)
class Train:
    """Births at one phase of one period."""

    period_s: float
    low_s: float
    """Start of its window of phase, seconds since the timeline's origin, modulo the period."""
    width_s: float
    births: NDArray[np.int64]
    """Indices into the births."""
    ticks: Ticks
    background: float
    """Of its births, how many are dust."""

    @property
    def drifts(self) -> bool:
        """Whether its period is that of a prober that waits after each answer: no multiple of half a second."""
        return abs(2 * self.period_s - round(2 * self.period_s)) > 1e-6

    @property
    def middle_s(self) -> float:
        """Middle of its window of phase, seconds since the timeline's origin, modulo the period."""
        return self.low_s + self.width_s / 2

    def tick(self, at_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Number of the tick in which each time lies."""
        return np.floor((at_s - self.low_s) / self.period_s).astype(np.int64)

    def part(self, mine: NDArray[np.bool_], tick: NDArray[np.int64]) -> Train | None:
        """Return some of its births as a train; None where they have too few ticks. ``tick``: that of each of its births."""
        ticks = read_ticks(tick[mine], dust_per_tick=self.ticks.dust_per_tick)
        if ticks is None:
            return None
        return replace(self, births=self.births[mine], ticks=ticks, background=self.background * float(mine.mean()))

    @property
    def members(self) -> int:
        """Number of probers that share this phase."""
        return max(1, round(self.ticks.per_tick))

    @property
    def purity(self) -> float:
        """Probability that a birth of the window is the train's."""
        return max(0.0, 1.0 - self.background / max(1, self.births.size))

    def likely(self, born_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability that each birth is its own: a tick has one of a prober's, and may have other births beside it or instead.

        ``born_s`` are the times of its births. Of several probers at one phase all births of the window are as likely.
        """
        if self.members > 1:
            return np.full(born_s.size, self.purity)
        tick = self.tick(born_s)
        starts = np.flatnonzero(np.diff(tick, prepend=tick[:1] - 1))  # in order of time, as the births are
        count = np.diff(starts, append=tick.size)
        full = min(self.ticks.fullness, 1.0)
        dust = self.background / max(1, self.ticks.length)
        its: NDArray[np.float64] = full / (full + (1 - full) * dust / count) / count
        return np.repeat(its, count)


@dataclass(frozen=True, slots=True)
class _PhaseWindow:
    period_s: float
    low_s: float
    width_s: float
    gain: float
    per_birth: float
    expected: float


def find_trains(
    born_s: NDArray[np.float64], periods_s: Sequence[float], *, resolution_s: float = 0.001, coverage: float = 1.0
) -> list[Train]:
    """Find all trains; indices are into ``born_s``, which is in order."""
    free = np.arange(born_s.size)
    found: list[Train] = []
    usual = {*PERIODS_S, *periods_s}
    periods = tuple(sorted({*usual, *own_periods(born_s, resolution_s, usual)}))
    for crowds, full in ((False, True), (True, True), (False, False)):
        while free.size >= _FEWEST and len(found) < _MOST_TRAINS:
            fresh = _round(born_s[free], periods, resolution_s, coverage, crowds=crowds, full=full)
            if not fresh:
                break
            taken = np.zeros(free.size, dtype=bool)
            for train in fresh:
                taken[train.births] = True
                whose = next((n for n, other in enumerate(found) if _is_tail(train, other)), None)
                if whose is None:
                    found.append(_indexed(train, free))
                else:
                    found[whose] = _with_tail(found[whose], free[train.births], born_s)
            free = free[~taken]
    return sorted(_with_late(_whole(found, born_s), born_s), key=lambda train: -train.births.size)


def _with_late(trains: Sequence[Train], born_s: NDArray[np.float64]) -> list[Train]:
    """Give each train of one prober its late births; none is in two trains."""
    free = np.ones(born_s.size, dtype=bool)
    for train in trains:
        free[train.births] = False
    result = []
    for train in trains:
        whole = train
        if train.members == 1:
            since_s = born_s - train.low_s
            late = late_births(since_s, train.births, np.flatnonzero(free), train.ticks, train.period_s, train.width_s)
            births = np.sort(np.concatenate([train.births, late]))
            number = np.floor(since_s[births] / train.period_s).astype(np.int64)
            ticks = read_ticks(number, dust_per_tick=train.ticks.dust_per_tick) if late.size else None
            if ticks is not None:
                free[late] = False
                whole = replace(train, births=births, ticks=ticks)
        result.append(whole)
    return result


def _whole(found: list[Train], born_s: NDArray[np.float64]) -> list[Train]:
    """Join trains of twice another's period that lie half of theirs apart, and run at the same time: one of that period.

    Few births, and the luck of a narrower window, can halve a train: every other tick by itself. Only beside another train of the
    shorter period, at the same time, it is likelier than two probers that are half a period apart to a few milliseconds.
    """
    result: list[Train] = []
    left = list(found)
    while left:
        one = left.pop(0)
        half = one.period_s / 2
        if any(abs(half - other.period_s) < 1e-6 and _meets(one, other, born_s) for other in found):
            other = next((other for other in left if _is_other_half(one, other, born_s)), None)
            joined = _joined(one, other, half, born_s) if other is not None else None
            if other is not None and joined is not None:
                left = [train for train in left if train is not other]
                one = joined
        result.append(one)
    return result


def _meets(train: Train, other: Train, born_s: NDArray[np.float64]) -> bool:
    """Whether another train runs during most of a train's time."""
    (a, b), (c, d) = np.quantile(born_s[train.births], [0.1, 0.9]), born_s[other.births[[0, -1]]]
    return bool(min(b, d) - max(a, c) > _TOGETHER * (b - a))


def _is_other_half(one: Train, other: Train, born_s: NDArray[np.float64]) -> bool:
    if abs(one.period_s - other.period_s) > 1e-6 or one.members > 1 or other.members > 1:
        return False
    apart = (other.middle_s - one.middle_s) % one.period_s
    if abs(apart - one.period_s / 2) > _HALF_S + max(one.width_s, other.width_s) / 2:
        return False
    # Without the tenth at either end: a birth that lies in the window by chance may be far from the others.
    (a, b), (c, d) = (np.quantile(born_s[train.births], [0.1, 0.9]) for train in (one, other))
    return bool(min(b, d) - max(a, c) > _TOGETHER * (max(b, d) - min(a, c)))


def _joined(one: Train, other: Train, period_s: float, born_s: NDArray[np.float64]) -> Train | None:
    births = np.sort(np.concatenate([one.births, other.births]))
    low = one.low_s % period_s
    # Windows that are a little apart: from the one that begins first.
    shift = (other.low_s - low + period_s / 2) % period_s - period_s / 2
    low, width = low + min(0.0, shift), max(one.width_s, shift + other.width_s) - min(0.0, shift)
    ticks = read_ticks(np.floor((born_s[births] - low) / period_s).astype(np.int64))
    if ticks is None:
        return None
    return Train(period_s, low % period_s, width, births, ticks, one.background + other.background)


def _with_tail(train: Train, tail: NDArray[np.int64], born_s: NDArray[np.float64]) -> Train:
    """Add a tail to a train, and count its ticks again: what looks like a tail may be a second prober's births."""
    births = np.sort(np.concatenate([train.births, tail]))
    number = np.floor((born_s[births] - train.low_s) / train.period_s + 0.25).astype(np.int64)
    ticks = read_ticks(number, dust_per_tick=train.ticks.dust_per_tick)
    return replace(train, births=births, ticks=ticks or train.ticks)


def _is_tail(train: Train, other: Train) -> bool:
    """Whether a train is made of another's late births: slow answers beside its window."""
    multiple = train.period_s / other.period_s
    if abs(multiple - round(multiple)) > 1e-6 or train.births.size > _TAIL * other.births.size:
        return False
    apart = (train.middle_s - other.middle_s) % other.period_s
    return min(apart, other.period_s - apart) <= 2 * other.width_s + train.width_s


def _indexed(train: Train, free: NDArray[np.int64]) -> Train:
    return replace(train, births=free[train.births])


def _round(
    born_s: NDArray[np.float64],
    periods: Sequence[float],
    resolution_s: float,
    coverage: float,
    *,
    crowds: bool,
    full: bool,
) -> list[Train]:
    """Find the best train, and those of its period and likeness that do not touch it."""
    windows = sorted(_windows(born_s, periods, resolution_s), key=lambda window: -window.per_birth)
    sharp = _first(windows[:_VERIFIED], born_s, coverage, crowds=crowds, full=full)
    if sharp is None:
        return []
    near = [w for w in windows if w.gain > sharp[0].gain and w.per_birth >= _NEARLY_BEST * sharp[0].per_birth]
    near.sort(key=lambda window: -window.gain)
    best_window, best = _first(near[:_VERIFIED], born_s, coverage, crowds=crowds, full=full) or sharp
    if not crowds and (shared := _shared(best_window, best, windows, born_s, coverage)) is not None:
        return shared
    result = [best]
    taken = np.zeros(born_s.size, dtype=bool)
    taken[best.births] = True
    for window in windows:
        alike = (
            window.period_s == best_window.period_s
            and window.width_s == best_window.width_s
            and window is not best_window
            and window.per_birth >= _NEARLY_BEST * best_window.per_birth
        )
        if not alike or any(_explains(other, window) for other in windows):
            continue
        train = _verify(born_s, window, coverage, crowds=crowds, full=full)
        if train is not None and not taken[train.births].any():
            taken[train.births] = True
            result.append(train)
    return [
        part for train in result for part in (_by_number(train, born_s) if train.ticks.per_tick > _ALONE else [train])
    ]


def _shared(
    window: _PhaseWindow, train: Train, windows: Sequence[_PhaseWindow], born_s: NDArray[np.float64], coverage: float
) -> list[Train] | None:
    """Trains of several probers of a shorter period, some milliseconds apart, of which a train is a piece; None: it is whole.

    Where their births overlap, every tenth or twentieth tick can look like a sharper train of one prober. Of several trains each
    is of another time: some of the probers began later, or ended.
    """
    wider = (
        other
        for other in windows
        if other.gain > window.gain
        and _divides(other.period_s, window.period_s)
        and _apart(other, window) <= max(window.width_s, other.width_s)
    )
    for other in sorted(wider, key=lambda other: -other.gain)[:_EACH]:
        whole = _verify(born_s, other, coverage, crowds=True, full=True)
        if whole is None or np.isin(train.births, whole.births).mean() <= _PIECE:
            continue
        if whole.members > 1 and abs(whole.ticks.per_tick - whole.members) < _WHOLE_NUMBER:
            return [whole]
        parts = _by_number(whole, born_s)
        if len(parts) > 1:
            return parts
    return None


def _by_number(train: Train, born_s: NDArray[np.float64]) -> list[Train]:
    """Parts of a train, each with as many probers as share it for a time; the train alone where that is no reading."""
    tick = train.tick(born_s[train.births])
    stretches = by_number(tick, train.ticks.dust_per_tick)
    parts = [train.part((tick >= first) & (tick <= last), tick) for first, last in stretches]
    return [part for part in parts if part is not None] if len(parts) > 1 and None not in parts else [train]


def _divides(shorter_s: float, longer_s: float) -> bool:
    multiple = longer_s / shorter_s
    return multiple > 1.5 and abs(multiple - round(multiple)) < 1e-6


def _apart(other: _PhaseWindow, window: _PhaseWindow) -> float:
    """Seconds between the middles of two windows, folded over the period of the first."""
    apart = (window.low_s + window.width_s / 2 - other.low_s - other.width_s / 2) % other.period_s
    return min(apart, other.period_s - apart)


def _first(
    windows: Sequence[_PhaseWindow], born_s: NDArray[np.float64], coverage: float, *, crowds: bool, full: bool
) -> tuple[_PhaseWindow, Train] | None:
    """First window that is a prober's."""
    for window in windows:
        train = _verify(born_s, window, coverage, crowds=crowds, full=full)
        if train is not None:
            return window, train
    return None


def _windows(born_s: NDArray[np.float64], periods: Sequence[float], resolution_s: float) -> Iterator[_PhaseWindow]:
    """Windows of phase that hold more births than dust would."""
    size = born_s.size
    trials = 2 * np.log(size * len(periods) * sum(len(widths) for _, widths in _WIDTHS_S))
    for period in periods:
        if period < 2 * resolution_s or (born_s[-1] - born_s[0]) < 12 * period:
            continue
        phase = born_s % period
        for bin_s, widths in _WIDTHS_S:
            if bin_s * max(widths) < resolution_s or bin_s * 4 > period:
                continue
            bins = max(4, round(period / bin_s))
            counts = np.bincount(np.minimum((phase * (bins / period)).astype(np.int64), bins - 1), minlength=bins)
            running = np.concatenate([[0], np.cumsum(np.concatenate([counts, counts[: max(widths)]]))])
            step = period / bins
            for width in widths:
                if width * step < resolution_s or width * step > 0.45 * period:
                    continue
                held = running[width : width + bins] - running[:bins]
                expected = size * width / bins
                least = max(_FEWEST, _ABOVE * expected)
                if held.max() < least:
                    continue
                for place in _peaks(held, width, least):
                    k = float(held[place])
                    gain = k * np.log(k / expected) - (k - expected) - trials
                    if gain >= _GAIN:
                        yield _PhaseWindow(period, place * step, width * step, gain, gain / k, expected)


def _peaks(held: NDArray[np.int64], width: int, least: float) -> Iterator[int]:
    """Fullest windows that do not overlap."""
    left = held.copy()
    for _ in range(_EACH):
        place = int(left.argmax())
        if left[place] < least:
            return
        yield place
        around = np.arange(place - width + 1, place + width) % held.size
        left[around] = 0


def _explains(other: _PhaseWindow, window: _PhaseWindow) -> bool:
    """Whether a window of a shorter period holds the same births and more, about as closely."""
    if not _divides(other.period_s, window.period_s):
        return False
    if other.gain <= window.gain or other.per_birth < _NEARLY_BEST * window.per_birth:
        return False
    return _apart(other, window) <= max(window.width_s, other.width_s)


def _verify(
    born_s: NDArray[np.float64], window: _PhaseWindow, coverage: float, *, crowds: bool, full: bool
) -> Train | None:
    """Measure the ticks of a window; None when they are no prober's."""
    density = _dust(born_s, window.period_s)
    low, width = _grown(born_s, window, density)
    offset = (born_s - low) % window.period_s
    inside = np.flatnonzero(offset < width)
    number = np.floor((born_s[inside] - low) / window.period_s).astype(np.int64)
    ticks = read_ticks(number, dust_per_tick=density * width / max(1.0, (born_s[-1] - born_s[0]) / window.period_s))
    if ticks is None or not ticks.is_prober(coverage, full=full):
        return None
    if not crowds and ticks.per_tick > _ONE_TRAIN:
        return None
    kept = ticks.holds(number)
    if not is_one(number[kept], offset[inside][kept], even=not crowds):
        return None
    members = inside[kept]
    return Train(window.period_s, low % window.period_s, width, members, ticks, ticks.dust_per_tick * ticks.length)


def _dust(born_s: NDArray[np.float64], period_s: float) -> float:
    """Births per second of phase that belong to no train: other trains are high, but few, so a low quantile misses them."""
    counts = np.bincount(((born_s % period_s) * (_DUST_BINS / period_s)).astype(np.int64), minlength=_DUST_BINS)
    return float(np.quantile(counts, 0.4)) * _DUST_BINS / period_s


def _grown(born_s: NDArray[np.float64], window: _PhaseWindow, density: float) -> tuple[float, float]:
    """Widen a window while its edges are three times as dense as the dust."""
    step = max(window.width_s / 4, 0.002)
    reach = min(0.45 * window.period_s, window.width_s + 24 * step)
    offset = (born_s - window.low_s + (reach - window.width_s) / 2) % window.period_s
    near = offset[offset < reach]
    bins = max(1, int(reach / step))
    counts = np.bincount(np.minimum((near / step).astype(np.int64), bins - 1), minlength=bins)
    start = int((reach - window.width_s) / 2 / step)
    stop = min(bins - 1, start + max(0, int(np.ceil(window.width_s / step)) - 1))
    enough = max(3 * density * step, 0.0006 * near.size, 1.0)
    while start > 0 and counts[start - 1] > enough:
        start -= 1
    while stop < bins - 1 and counts[stop + 1] > enough:
        stop += 1
    return window.low_s - (reach - window.width_s) / 2 + start * step, (stop + 1 - start) * step
