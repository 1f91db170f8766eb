"""Find the client groups that visit at a fixed interval, with period and phase. Pure, vectorised over all groups.

A *ticker* (Prometheus, a load balancer) is locked to the clock: visit k comes at ``phase + k * period``. A *renewal*
(Consul) waits the interval after each answer: its gaps are regular, its phase drifts. People come in bursts. Each class
is judged by the strongest of three kinds of evidence (``folding``: a favourite cell of the period, or a common direction
of all phases; ``gaps``: gaps more regular than any crawler's), over candidate periods that its own gaps suggest and over
those that people write into configurations; ticks as fast as the clock are judged apart (``fast_ticks``). Evidence is the
logarithm of one over the chance that people did it.

A log of whole seconds says ``t`` for anything in [t, t + 1): phases are given for the middle of that.

How well this works, by families of probers and beside other methods: ``bench/rhythm``.
"""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from necropsy.rhythm import kernels
from necropsy.rhythm.fast_ticks import steady
from necropsy.rhythm.intervals import candidates, interleaved, median, most_regular, regularity, whole
from necropsy.rhythm.phase_folding import CELLS, FEW, SortedVisits, first_of, fold

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST: Final = 5
"""Visits below which nothing is called a rhythm."""

CONFIGURED: Final = (2, 3, 5, 6, 10, 12, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 900, 1200, 1800, 3600, 7200,
                     21600, 43200, 86400)  # fmt: skip
"""Intervals that people write into configurations, seconds."""

DOUBT: Final = 0.01
"""The chance, for a whole log, that any of its visitors without rhythm is called a prober."""

_OBVIOUS: Final = 40.0
"""Evidence from which no further candidates are tried, if hardly a turn is without a visit."""
_COMPLETE: Final = 0.9
_COMPARABLE: Final = 0.5
"""Periods with less than this share of the best one's evidence are out of the question."""
_SAME: Final = 0.15
"""How near two periods must be to be the same, as a share."""
_LOOKED_AT: Final = 512
"""Visits of one class by which it is judged, the newest; what is then found is measured on all of them."""
_BATCH: Final = 200_000
"""Visits judged at a time: bounds memory."""
_SLOTS: Final = 1 << 16
"""Places of the first table by which classes are numbered; a larger one is taken where it is half full."""
_LEAST_TURNS: Final = 3
_RAREST: Final = 0.03
"""Visits per tick below which an interval is not tried: the prober was there for a thirtieth of the time."""
_BUSIEST: Final = 40
"""Visits per tick above which it is not tried: one visit in forty would be the prober's."""
_PHASED: Final = 10.0
"""Evidence of folding from which a phase is stated, even if the gaps are more telling."""
_AROUND: Final = 0.25
"""Share of a turn on either side of the centre that is counted to a phase."""
_COMMON: Final = 0.75
"""Share of the visits around the centre from which the phase is called common, without further evidence."""
_TOLD_APART: Final = 4
"""Cells of a turn from which on phases are told apart."""
_MISSING: Final = 0.5
"""What turns without a visit cost a period, as a share of their entropy: a ticker of 60 s is one of 12 s whose visits
are mostly missing, too, and the former is the simpler."""


@dataclass(frozen=True, slots=True)
class PeriodTests:
    """Parallel arrays, one entry for each class of at least ``FEWEST`` visits."""

    class_id: NDArray[np.int64]
    score: NDArray[np.float64]
    """Evidence of a rhythm: natural logarithm of one over the chance that people did it."""
    period_s: NDArray[np.float64]
    """Best candidate, believed or not."""
    phase_s: NDArray[np.float64]
    """Unix time modulo the period; NaN when there is no common phase."""
    phase_spread_s: NDArray[np.float64]
    """Standard deviation of the phase, the log's own resolution included; NaN without a phase."""
    coverage: NDArray[np.float64]
    """Share of the expected ticks between first and last visit that were seen, 0 to 1."""
    probers: NDArray[np.int64]
    """How many of this period are interleaved: phases that are about as well visited as the favourite one, and where there is
    no common phase, as many as the number of visits asks for; 0 where nothing is believed."""


def find(class_id: NDArray[np.int64], time_us: NDArray[np.int64], *, among: int | None = None) -> PeriodTests:
    """Find the rhythms that are believed.

    Parameters
    ----------
    class_id, time_us
        One entry a visit, in any order: its class, and its time in microseconds since the epoch.
    among
        Classes that are judged in all, if these are only some of them: the more are asked, the more one of them will
        look periodic by accident, so that more is asked of each.
    """
    import math

    import numpy as np

    number = among or int(np.count_nonzero(np.unique(class_id, return_counts=True)[1] >= FEWEST))
    needed = math.log(max(1, number) / DOUBT)
    judged = judge(class_id, time_us, needed=needed)
    sure = judged.score >= needed
    return PeriodTests(
        judged.class_id[sure],
        judged.score[sure],
        judged.period_s[sure],
        judged.phase_s[sure],
        judged.phase_spread_s[sure],
        judged.coverage[sure],
        judged.probers[sure],
    )


def fewest(among: int) -> int:
    """Return the number of visits below which no class of so many can have evidence enough, however regular it is."""
    import math

    import numpy as np

    needed = math.log(max(1, among) / DOUBT)
    counts = np.arange(FEWEST, 1000)
    enough = np.maximum(SortedVisits.attainable(counts), most_regular(counts)) >= needed
    return int(counts[np.argmax(enough)])


def judge(class_id: NDArray[np.int64], time_us: NDArray[np.int64], *, needed: float = 0.0) -> PeriodTests:
    """Judge all classes of at least ``FEWEST`` visits; parameters as for ``find``.

    ``needed`` spares work: classes whose few visits can never give as much evidence are judged by their gaps alone.
    """
    import numpy as np

    ids, counts, time_us = _by_class(class_id, time_us)
    parts = []
    for chosen in ((counts >= FEWEST) & (counts < FEW), counts >= max(FEW, FEWEST)):
        times = time_us[np.repeat(chosen, counts)]
        some, sizes = ids[chosen], counts[chosen]
        parts += [_judge_batch(some[part], sizes[part], times[visits], needed) for part, visits in _batches(sizes)]
    columns = [np.concatenate([part[i] for part in parts]) if parts else np.empty(0) for i in range(7)]
    class_column, score, period, phase, spread, coverage, probers = columns
    return PeriodTests(class_column.astype(np.int64), score, period, phase, spread, coverage, probers.astype(np.int64))


def _by_class(
    class_id: NDArray[np.int64], time_us: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the classes, in any order, how many visits each has, and the times of these: sorted, class by class."""
    import numpy as np

    if not class_id.size:
        return class_id, np.empty(0, dtype=np.int64), time_us
    if kernels.COMPILED:
        owner, ids, counts = _numbered(np.ascontiguousarray(class_id))
        ends, times = np.concatenate([[0], np.cumsum(counts)]), np.empty_like(time_us)
        kernels.gather(owner, np.ascontiguousarray(time_us), ends, times)
        return ids, counts, times
    class_id, time_us = _sorted(class_id, time_us)
    first = np.flatnonzero(np.diff(class_id, prepend=class_id[:1] - 1))
    return class_id[first], np.diff(first, append=class_id.size), time_us


def _numbered(keys: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of each key in the order in which they first come, the distinct keys, and how often each is there."""
    import numpy as np

    factor, size, done, known = secrets.randbits(64) | 1, _SLOTS, 0, 0
    owner, distinct, counts = (
        np.empty(keys.size, np.int32),
        np.empty(keys.size, np.int64),
        np.zeros(keys.size, np.int64),
    )
    while done < keys.size:
        slots, met = np.full(size, -1, np.int32), np.zeros(1, np.int64)
        again = distinct[:known].copy()  # a larger table has to be told of those before
        kernels.number(again, 0, factor, slots, np.empty(known, np.int32), distinct, np.zeros(known, np.int64), met)
        done = kernels.number(keys, done, factor, slots, owner, distinct, counts, met)
        known, size = int(met[0]), size * 4
    return owner, distinct[:known], counts[:known]


def _sorted(class_id: NDArray[np.int64], time_us: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort by class and time: by one key if both fit into it, which is many times as fast."""
    import numpy as np

    first, begin = int(class_id.min()), int(time_us.min())
    bits = (int(time_us.max()) - begin).bit_length()
    if (int(class_id.max()) - first + 1) << bits >= 1 << 62:
        order = np.lexsort((time_us, class_id))
        return class_id[order], time_us[order]
    key = np.sort(((class_id - first) << bits) | (time_us - begin))
    return (key >> bits) + first, (key & ((1 << bits) - 1)) + begin


def _batches(counts: NDArray[np.int64]) -> list[tuple[slice, slice]]:
    """Cut the classes into batches: slices of classes, and of their visits."""
    import numpy as np

    if not counts.size:
        return []
    ends = np.cumsum(counts)
    number = (ends - 1) // _BATCH
    borders = np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1, [counts.size]])
    starts = np.concatenate([[0], ends])
    return [(slice(a, b), slice(int(starts[a]), int(starts[b]))) for a, b in itertools.pairwise(borders)]


def _judge_batch(
    ids: NDArray[np.int64], counts: NDArray[np.int64], time_us: NDArray[np.int64], needed: float
) -> tuple[NDArray[np.generic], ...]:
    import numpy as np

    # Of each class its own: what is found of it must not depend on which others are judged with it.
    origin = time_us[np.cumsum(counts) - counts] // 1_000_000 * 1_000_000
    owner = np.repeat(np.arange(ids.size), counts)
    fractions = np.bincount(owner, time_us % 1_000_000 != 0, ids.size)
    resolution = np.where(fractions == 0, 1.0, 0.001)
    everything = SortedVisits(owner, (time_us - origin[owner]) / 1e6, ids.size, resolution)
    seconds = everything.seconds
    if counts.max(initial=0) > _LOOKED_AT:
        position = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
        newest = position >= np.repeat(counts - _LOOKED_AT, counts)
        seconds, owner = seconds[newest], owner[newest]
    fast, tick = steady(SortedVisits(owner, seconds, ids.size, resolution))
    # Whole seconds folded over anything but whole cells would pile up by themselves: each is moved by a share of its
    # second, spread evenly (golden ratio), the same for the same second.
    moved = seconds * 0.6180339887498949
    moved -= np.floor(moved)
    seconds = seconds + np.where(resolution < 1, 0.0, 1.0)[owner] * moved
    visits = SortedVisits(owner, seconds, ids.size, resolution)
    regular, gap = regularity(visits)
    score, period, phased = regular, whole(gap, resolution), np.zeros(ids.size, dtype=bool)
    foldable = visits.attainable(visits.counts()) >= needed
    if foldable.any():
        score[foldable], period[foldable], phased[foldable] = _folded(
            visits.only(foldable), score[foldable], period[foldable]
        )
    doubtful = (score >= needed) & ~(phased & _is_stated(period))
    if doubtful.any():
        turn = interleaved(visits.only(doubtful))
        several = np.isfinite(turn)
        period[doubtful] = np.where(several, turn, period[doubtful])
        phased[doubtful] |= several
    same = phased & (np.abs(period - tick) <= _SAME * period)  # and its phase is known: that says more
    quick = (fast >= needed) & (fast > score) & ~same
    score[quick], period[quick] = fast[quick], tick[quick]
    known = np.where((score >= needed) & ~quick, period, np.nan)
    phase, spread, coverage, probers = _measure(everything, known, phased, origin)
    # The clock is too coarse for a phase; what is left to say is how many ticks were seen.
    expected = np.round(everything.span()[quick] / period[quick]) + 1
    coverage[quick], probers[quick] = np.minimum(1.0, counts[quick] / expected), 1
    return ids, score, period, phase, spread, coverage, probers


def _folded(
    visits: SortedVisits, regular: NDArray[np.float64], gap: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return score, period, and whether there is a common phase for certain, after folding over all candidates."""
    import numpy as np

    tried = _Tried(visits)
    for candidate in candidates(visits):
        tried.fold(candidate)
    for interval in CONFIGURED:
        tried.fold(np.where(tried.plausible(interval) & ~tried.obvious, float(interval), np.nan))
    evidence, period, of_period = tried.best()
    phased = of_period >= _PHASED
    # The median gap of a jittering ticker is a little off; its folded period is not.
    by_fold = (evidence >= regular) | (phased & (np.abs(period - gap) <= _SAME * gap))
    return np.maximum(evidence, regular), np.where(by_fold, period, gap), by_fold & phased


class _Tried:
    """The periods that were tried on some classes, and what came of it."""

    def __init__(self, visits: SortedVisits) -> None:
        import numpy as np

        self._visits = visits
        self._span = visits.span()
        self._counts = visits.counts()
        self._periods: list[NDArray[np.float64]] = []
        self._evidence: list[NDArray[np.float64]] = []
        self._likelihood: list[NDArray[np.float64]] = []
        self.obvious = np.zeros(visits.classes, dtype=bool)
        """Classes that need no further candidates."""

    def plausible(self, interval: float) -> NDArray[np.bool_]:
        """Return which classes can have a prober of this interval at all, by their number of visits."""
        ticks = self._span / interval
        return (self._counts >= _RAREST * ticks) & (self._counts <= _BUSIEST * ticks)

    def fold(self, period: NDArray[np.float64]) -> None:
        """Fold the classes over a candidate; NaN leaves a class out."""
        import numpy as np

        with np.errstate(invalid="ignore"):
            usable = (period > 1.5 * self._visits.resolution) & (self._span >= _LEAST_TURNS * period)
        if not usable.any():
            return
        folded = fold(self._visits, period[usable], usable)
        missing = _MISSING * self._span[usable] / period[usable] * _entropy(folded.coverage)
        evidence, likelihood = (np.full(self._visits.classes, -np.inf) for _ in range(2))
        evidence[usable], likelihood[usable] = folded.evidence, folded.evidence - missing
        self._periods.append(period)
        self._evidence.append(evidence)
        self._likelihood.append(likelihood)
        self.obvious[usable] |= (folded.evidence >= _OBVIOUS) & (folded.coverage >= _COMPLETE)

    def best(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the evidence that any period gives, less what so many tries cost; the likeliest; its evidence."""
        import numpy as np

        if not self._periods:
            nothing = np.zeros(self._visits.classes)
            return nothing, np.full(self._visits.classes, np.nan), nothing
        evidence = np.array(self._evidence)
        highest = evidence.max(axis=0)
        likely = np.where(evidence >= _COMPARABLE * highest, np.array(self._likelihood), -np.inf)
        chosen = np.argmax(likely, axis=0)
        everyone = np.arange(self._visits.classes)
        cost = np.log(len(self._periods))
        return (
            np.maximum(0.0, highest - cost),
            np.array(self._periods)[chosen, everyone],
            np.maximum(0.0, evidence[chosen, everyone] - cost),
        )


def _measure(
    visits: SortedVisits, period: NDArray[np.float64], phased: NDArray[np.bool_], origin_us: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Measure phase, its spread, coverage and the number of probers on all visits; no common phase: phase and spread are NaN."""
    import numpy as np

    result = [np.full(visits.classes, np.nan) for _ in range(3)]
    probers = np.zeros(visits.classes, dtype=np.int64)
    known = np.isfinite(period)
    if not known.any():
        return result[0], result[1], result[2], probers
    some = visits.only(known)
    turn = period[known]
    owner, size = some.owner, some.classes
    turns = some.seconds / turn[owner]
    # A whole second stands for any moment in it: its middle.
    turns += (np.where(some.resolution < 1, 0.0, some.resolution / 2) / turn)[owner]
    centre = fold(some, turn).peak()
    width = np.full(size, _AROUND)
    for _ in range(3):
        away = (turns - centre[owner] + 0.5) % 1.0 - 0.5
        number = np.bincount(owner[np.abs(away) <= _AROUND], minlength=size)
        inside = np.abs(away) <= width[owner]
        # Three standard deviations; from the median, which noise between the ticks hardly moves.
        typical = median(np.abs(away[inside]), owner[inside], size)
        width = np.clip(np.nan_to_num(4.5 * typical), np.minimum(1.5 * some.resolution / turn, _AROUND), _AROUND)
        inside = np.abs(away) <= width[owner]
        within = np.maximum(1, np.bincount(owner[inside], minlength=size))
        shift = np.bincount(owner[inside], away[inside], size) / within
        centre = (centre + shift) % 1.0
    variance = np.bincount(owner[inside], (away - shift[owner])[inside] ** 2, size) / within
    spread = np.sqrt(variance * turn**2 + some.resolution**2 / 12)
    expected = np.round(some.span() / turn) + 1
    tick = np.floor(turns - centre[owner] + 0.5)
    common = phased[known] | (number >= _COMMON * some.counts())
    seen = np.bincount(owner[inside], first_of(tick[inside], owner[inside]), size)
    seen = np.where(common, seen, some.counts())  # what drifts has no ticks to miss
    # A phase since 1970 makes sense only for a period that is known to a billionth: a configured one.
    exact = np.round(turn * 1e6)
    common &= _is_stated(turn)
    offset = origin_us[known] % np.maximum(1, exact).astype(np.int64) / 1e6
    phase = np.round((offset + centre * turn) % turn, 4) % turn
    result[0][known] = np.where(common, phase, np.nan)
    result[1][known] = np.where(common, spread, np.nan)
    result[2][known] = np.minimum(1.0, seen / expected)
    by_rate = np.round(some.counts() / expected)
    cells = np.clip(np.floor(np.minimum(turn / (3 * np.maximum(spread, 1e-9)), turn / some.resolution)), 1, CELLS)
    phases = _phases((turns - centre[owner]) % 1.0, owner, cells.astype(np.int64))
    probers[known] = np.maximum(1, np.where(common & (cells >= _TOLD_APART), phases, by_rate))
    return result[0], result[1], result[2], probers


def _is_stated(period: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a period is one that somebody may have written down, in tenths of a second."""
    import numpy as np

    with np.errstate(invalid="ignore"):
        stated: NDArray[np.bool_] = np.abs(period * 10 - np.round(period * 10)) < 1e-9
    return stated


def _phases(place: NDArray[np.float64], owner: NDArray[np.int64], cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the phases of each class that are at least half as well visited as the favourite one, which lies at 0.

    A phase may lie at the border of two of the ``cells`` of a turn: neighbours count together, and of neighbours one.
    """
    import numpy as np

    size, width = cells.size, int(cells.max(initial=1))
    cell = ((place + 0.5 / cells[owner]) % 1.0 * cells[owner]).astype(np.int64)
    cell = np.minimum(cell, cells[owner] - 1)
    counts = np.bincount(owner * width + cell, minlength=size * width).reshape(size, width)
    column = np.arange(width)[None, :] % cells[:, None]
    behind, before = (column + 1) % cells[:, None], (column - 1) % cells[:, None]
    both = counts + np.take_along_axis(counts, behind, axis=1)
    favourite = np.maximum(both[:, 0], both[np.arange(size), cells - 1])
    peaks = (both > np.take_along_axis(both, before, axis=1)) & (both >= np.take_along_axis(both, behind, axis=1))
    peaks &= (2 * both >= favourite[:, None]) & (np.arange(width)[None, :] < cells[:, None])
    number: NDArray[np.int64] = peaks.sum(axis=1).astype(np.int64)
    return number


def _entropy(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy of a share, nats."""
    import numpy as np

    share = np.clip(share, 1e-12, 1 - 1e-12)
    return -share * np.log(share) - (1 - share) * np.log1p(-share)
