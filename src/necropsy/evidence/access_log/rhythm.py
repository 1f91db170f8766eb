"""Rhythm: which classes of visits come like clockwork, how often, and at which phase. Pure, vectorised over all classes.

A *ticker* (Prometheus, a load balancer) is locked to the clock: visit k comes at ``phase + k * period``. A *renewal*
(Consul) waits the interval after each answer: its gaps are regular, its phase drifts. People come in bursts.

Three steps, each over all classes at once:

1. **Candidates.** The median gap between a visit and the k-th after it (k = 1 … 4: visits of two probers under one key
   interleave, so that only every second gap is the period), and the intervals that people configure.
2. **Folding.** For each candidate, the resultant length R of the phases (1: all alike, 0: spread evenly), over occupied
   ticks rather than visits, so that a burst of a person counts once. Under no rhythm, ticks times R² exceeds x by
   chance ``exp(-x)`` (Rayleigh).
3. **Gaps.** What drifts has no common phase but regular gaps: most within 20 % of the candidate.

A log of whole seconds says ``t`` for anything in [t, t + 1): phases are given for the middle of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST: Final = 5
"""Visits below which nothing is called a rhythm."""

CONFIGURED: Final = (1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 900, 1200, 1800, 3600, 7200, 21600,
                     43200, 86400)  # fmt: skip
"""Intervals that people write into configurations, seconds."""

_LAGS: Final = 4
_MOST: Final = 4096
"""Visits of one class that are looked at: the newest."""
_CERTAIN: Final = 14.0
"""Ticks times R² from which a phase is believed: chance exp(-14) for one candidate, below 1e-4 for all of them."""
_REGULAR: Final = 0.8
"""Share of gaps near the candidate from which a drifting rhythm is believed."""
_NEAR: Final = 0.2
"""How near, as a share of the period."""
_PRESENT: Final = 0.25
"""Share of ticks that must be occupied."""
_COHERENT: Final = 0.6
"""R below which a phase is not worth stating (spread over a sixth of the period)."""


@dataclass(frozen=True, slots=True)
class Rhythms:
    """Parallel arrays, one entry for each class that has a rhythm."""

    class_id: NDArray[np.int64]
    period_s: NDArray[np.float64]
    phase_s: NDArray[np.float64]
    """Unix time modulo the period; NaN when the phase drifts."""
    phase_spread_s: NDArray[np.float64]
    """Standard deviation of the phase, the log's own resolution included; NaN when it drifts."""
    coverage: NDArray[np.float64]
    """Share of the expected ticks between first and last visit that were seen, 0 to 1."""


@dataclass(slots=True)
class _Classes:
    """Visits sorted by class and time, and where each class begins."""

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    seconds: NDArray[np.float64]
    """Time since the epoch of each visit."""
    owner: NDArray[np.int64]
    """Position of its class."""
    resolution: NDArray[np.float64]
    """Seconds, per class."""


def find(class_id: NDArray[np.int64], time_us: NDArray[np.int64]) -> Rhythms:
    """Find the rhythms of all classes.

    Parameters
    ----------
    class_id, time_us
        One entry a visit, in any order: its class, and its time in microseconds since the epoch.
    """
    import numpy as np

    classes = _gather(class_id, time_us)
    if not classes.ids.size:
        empty = np.empty(0)
        return Rhythms(np.empty(0, np.int64), empty, empty, empty, empty)
    best = _Best(classes)
    for candidate in _candidates(classes):
        best.consider(candidate)
    return best.result()


def _gather(class_id: NDArray[np.int64], time_us: NDArray[np.int64]) -> _Classes:
    """Sort, drop the small classes, keep the newest visits of the large ones."""
    import numpy as np

    order = np.lexsort((time_us, class_id))
    owner, times = class_id[order], time_us[order]
    ids, starts, counts = np.unique(owner, return_index=True, return_counts=True)
    position = np.arange(owner.size) - np.repeat(starts, counts)
    kept = (np.repeat(counts, counts) >= FEWEST) & (position >= np.repeat(counts - _MOST, counts))
    owner, times = owner[kept], times[kept]
    ids, starts, owner, counts = np.unique(owner, return_index=True, return_inverse=True, return_counts=True)
    fractions = np.bincount(owner, times % 1_000_000 != 0, ids.size)
    resolution = np.where(fractions == 0, 1.0, 0.001)
    return _Classes(ids, starts, counts, times / 1e6, owner, resolution)


def _candidates(classes: _Classes) -> list[NDArray[np.float64]]:
    """Return candidate periods, seconds: a list of arrays with one entry a class; NaN where there is none."""
    import numpy as np

    found = []
    for lag in range(1, _LAGS + 1):
        gaps = classes.seconds[lag:] - classes.seconds[:-lag]
        inside = classes.owner[lag:] == classes.owner[:-lag]
        median = _median(gaps[inside], classes.owner[lag:][inside], classes.ids.size)
        found.append(_whole(median, classes.resolution))
        if lag == 1:
            found.append(_refined(classes, median))
    span = classes.seconds[classes.starts + classes.counts - 1] - classes.seconds[classes.starts]
    found += [np.where(span >= 4 * interval, float(interval), np.nan) for interval in CONFIGURED]
    return found


def _median(values: NDArray[np.float64], owner: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return the median per owner; NaN for those without values."""
    import numpy as np

    order = np.lexsort((values, owner))
    values, owner = values[order], owner[order]
    counts = np.bincount(owner, minlength=size)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    result = np.full(size, np.nan)
    some = counts > 0
    low = starts[some] + (counts[some] - 1) // 2
    high = starts[some] + counts[some] // 2
    result[some] = (values[low] + values[high]) / 2
    return result


def _whole(period: NDArray[np.float64], resolution: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to whole seconds where that is within the doubt: intervals are configured, and mostly in seconds."""
    import numpy as np

    rounded = np.round(period)
    return np.where(
        (rounded > 0) & (np.abs(period - rounded) <= np.maximum(0.02 * period, 0.5 * resolution)), rounded, period
    )


def _refined(classes: _Classes, period: NDArray[np.float64]) -> NDArray[np.float64]:
    """Refine a period by the least-squares line of time over number of tick; ticks are counted gap by gap."""
    import numpy as np

    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.diff(classes.seconds, prepend=classes.seconds[:1])
        step = np.round(gap / period[classes.owner])
    step[classes.starts] = 0
    step = np.nan_to_num(step, posinf=0.0, neginf=0.0)
    tick = np.cumsum(step)
    tick -= np.repeat(tick[classes.starts], classes.counts)
    time = classes.seconds - np.repeat(classes.seconds[classes.starts], classes.counts)
    size = classes.ids.size
    mean_tick = np.bincount(classes.owner, tick, size) / classes.counts
    mean_time = np.bincount(classes.owner, time, size) / classes.counts
    tick -= mean_tick[classes.owner]
    time = time - mean_time[classes.owner]
    variance = np.bincount(classes.owner, tick * tick, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.bincount(classes.owner, tick * time, size) / variance
    return np.where(np.isfinite(slope) & (np.abs(slope - period) < 0.3 * period), slope, np.nan)


class _Best:
    """The best candidate so far of each class."""

    def __init__(self, classes: _Classes) -> None:
        import numpy as np

        size = classes.ids.size
        self._classes = classes
        self._score = np.zeros(size)
        self._period = np.full(size, np.nan)
        self._phase = np.full(size, np.nan)
        self._spread = np.full(size, np.nan)
        self._coverage = np.full(size, np.nan)

    def consider(self, period: NDArray[np.float64]) -> None:
        """Fold all classes over a candidate and keep it where it is better."""
        import numpy as np

        everyone = self._classes
        first = everyone.seconds[everyone.starts]
        span = everyone.seconds[everyone.starts + everyone.counts - 1] - first
        with np.errstate(invalid="ignore"):
            usable = (period > 1.5 * everyone.resolution) & (span >= 3 * period)
        if not usable.any():
            return
        chosen = np.flatnonzero(usable)
        owner, inside = _subset(everyone, usable)
        size = chosen.size
        period = period[chosen]
        seconds = everyone.seconds[inside]
        turns = seconds / period[owner]
        angle = 2 * np.pi * (turns % 1.0)
        counts = everyone.counts[chosen]
        mean = (np.bincount(owner, np.cos(angle), size) + 1j * np.bincount(owner, np.sin(angle), size)) / counts
        length = np.abs(mean)
        centre = (np.angle(mean) / (2 * np.pi)) % 1.0
        tick = np.floor(turns - centre[owner] + 0.5)
        fresh = np.ones(tick.size, dtype=bool)
        fresh[1:] = (tick[1:] != tick[:-1]) | (owner[1:] != owner[:-1])
        ticks = np.bincount(owner, fresh, size)
        expected = np.round(span[chosen] / period) + 1
        coverage = np.minimum(1.0, ticks / expected)
        gaps = np.diff(seconds)
        within = owner[1:] == owner[:-1]
        near = within & (
            np.abs(gaps - period[owner[1:]])
            <= np.maximum(_NEAR * period[owner[1:]], everyone.resolution[chosen][owner[1:]])
        )
        regular = np.bincount(owner[1:], near, size) / np.maximum(1, counts - 1)
        phase_score = np.where(coverage >= _PRESENT, ticks * length**2, 0.0)
        believed_phase = (phase_score >= _CERTAIN) | ((regular >= _REGULAR) & (length >= 0.9) & (coverage >= 0.6))
        believed_gaps = (regular >= _REGULAR) & (ticks >= FEWEST) & (coverage >= 0.6)
        # A ticker of 10 s is one of 5 s with every second tick missing, too: occupied ticks decide between them.
        score = np.where(
            believed_phase,
            1e6 * length * coverage + counts * 1e-3 + period * 1e-6,
            np.where(believed_gaps, regular, 0.0),
        )
        better = score > self._score[chosen]
        at = chosen[better]
        self._score[at] = score[better]
        self._period[at] = period[better]
        self._coverage[at] = coverage[better]
        resolution = everyone.resolution[chosen]
        with np.errstate(divide="ignore"):
            spread = np.sqrt(np.maximum(0.0, -2 * np.log(np.minimum(length, 1.0)))) * period / (2 * np.pi)
        spread = np.sqrt(spread**2 + resolution**2 / 12)
        steady = believed_phase & (length >= _COHERENT)
        self._phase[at] = np.where(steady, (centre * period + resolution / 2) % period, np.nan)[better]
        self._spread[at] = np.where(steady, spread, np.nan)[better]

    def result(self) -> Rhythms:
        """Return the classes that have a rhythm."""
        found = self._score > 0
        return Rhythms(
            self._classes.ids[found],
            self._period[found],
            self._phase[found],
            self._spread[found],
            self._coverage[found],
        )


def _subset(classes: _Classes, usable: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the visits of some classes: the position of each one's class among the chosen, and which visits they are."""
    import numpy as np

    inside = usable[classes.owner]
    renumbered = np.cumsum(usable) - 1
    return renumbered[classes.owner[inside]], inside
