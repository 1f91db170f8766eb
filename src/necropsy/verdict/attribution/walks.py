"""Walks: births of a check that waits a period after each answer, so that it keeps no phase, and that no log shows.

Folded over its period such a check is dust: each interval is longer than the period by its answer's time, and it walks
through all phases. But from birth to birth it is always the same interval, to milliseconds.

::

    intervals between any two births     ....:....:....:..|.:....:....       | at 10.004 s: each birth has the next one
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.join import join
from necropsy.verdict.attribution.own_periods import own_periods
from necropsy.verdict.attribution.sources import BirthSource
from necropsy.verdict.attribution.ticks import Ticks
from necropsy.verdict.attribution.trains import PERIODS_S, Train

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.groups import Group
    from necropsy.verdict.attribution.timeline import Timeline

_FEWEST: Final = 50
"""Births that nobody is known to have made, from which walks are looked for."""
_SHORTEST_S: Final = 1.0
_LONGEST_S: Final = 61.0
"""Periods of which walks are looked for."""
_LONGER_S: Final = 0.06
_LONGER: Final = 0.005
"""Largest excess of an interval over the period: a part of a second, and of the period."""
_LEAST_S: Final = 0.0002
"""Least excess of its mean, beyond the mean's error; a client that keeps its period is a train."""
_BIN_S: Final = 0.002
_WIDTHS: Final = (4, 10, 25, 50)
"""Widths of the windows of intervals, in bins."""
_BESIDE_S: Final = 0.4
"""Seconds beside a window in which chance is read."""
_GAIN: Final = 15.0
_ABOVE: Final = 3.0
"""Least gain of log-likelihood over chance, and times chance that a window must hold."""
_NEARLY: Final = 0.5
"""Of the best gain, what a shorter interval must have."""
_ALIKE: Final = 0.02
"""Largest distance of a multiple from a whole number."""
_CHAIN: Final = 8
"""Births in a row."""
_MOST: Final = 4
_MOST_BIRTHS: Final = 20_000
_MOST_PAIRS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Walk:
    """Births at one interval, without a phase."""

    interval_s: float
    births: NDArray[np.int64]
    """Indices into the births, in order."""


def find_walks(born_s: NDArray[np.float64]) -> list[Walk]:
    """Find the walks, one for each client; ``born_s`` in order.

    >>> [walk.births.size for walk in find_walks(np.arange(100) * 10.004)]
    [100]
    """
    free = np.arange(born_s.size)[-_MOST_BIRTHS:]
    result: list[Walk] = []
    for _ in range(_MOST):
        if free.size < _FEWEST:
            break
        window = _best_window(born_s[free])
        if window is None:
            break
        chains = _chains(born_s[free], *window)
        lanes = _lanes([chain for chain in chains if chain.size >= _CHAIN], born_s[free], sum(window))
        if not lanes or sum(lane.size for lane in lanes) < _FEWEST:
            break
        interval_s = (window[0] + window[1]) / 2
        result += [Walk(interval_s, free[lane]) for lane in lanes]
        free = np.delete(free, np.concatenate(lanes))
    return result


def unlogged(
    sources: Sequence[BirthSource], timeline: Timeline, groups: Sequence[Group], free: NDArray[np.bool_]
) -> list[BirthSource]:
    """Sources of walks among the births that nobody is known to have made.

    None where a log shows a creator of that interval: outside the log's time the walk is rather its own.
    """
    claimed = np.zeros(timeline.born_s.size)
    for source in sources:
        claimed[source.births] += source.weight
    left = np.flatnonzero(free & (claimed < 0.5))
    shown = [groups[number].interval_s or 0.0 for source in sources for number in source.groups]
    result = []
    for walk in find_walks(timeline.born_s[left]):
        if any(abs(interval - walk.interval_s) < 0.01 * walk.interval_s for interval in shown):
            continue
        births = left[walk.births]
        count = births.size
        ticks = Ticks(((0, count - 1),), count, count, 0.0, 1.0)
        train = Train(round(walk.interval_s, 4), 0.0, walk.interval_s, births, ticks, 0.0)
        seconds = count * walk.interval_s
        result.append(
            BirthSource("unlogged", "comb", births, 1 - claimed[births], train=train, probability=1.0, seconds=seconds)
        )
    return result


@dataclass(frozen=True, slots=True)
class _IntervalWindow:
    """A window of intervals that holds more of them than chance does."""

    gain: float
    middle_s: float
    half_s: float
    drift_s: float
    """Mean interval less the period, its error taken off; negative where it may keep its period."""


def _best_window(born_s: NDArray[np.float64]) -> tuple[float, float] | None:
    """The window of intervals, a little longer than a period, that holds the most beyond chance."""
    found = _windows(born_s)
    if not found:
        return None
    best = max(found, key=lambda window: window.gain)
    # Every second interval is as regular: the shortest that is nearly as good is the client's own.
    for own in sorted(found, key=lambda window: window.middle_s):
        multiples = [
            window
            for window in found
            if abs((times := window.middle_s / own.middle_s) - round(times)) < _ALIKE * (1 + times / 10)
        ]
        if own.gain >= _NEARLY * best.gain and best in multiples:
            if max(window.drift_s for window in multiples) < _LEAST_S:
                return None
            return own.middle_s - own.half_s, own.middle_s + own.half_s
    return None


def _windows(born_s: NDArray[np.float64]) -> list[_IntervalWindow]:
    """Of each period the fullest window around it."""
    longest_s = _LONGEST_S * (1 + _LONGER) + _LONGER_S + _BESIDE_S
    density = born_s.size / max(1.0, float(born_s[-1] - born_s[0]))
    born_s = born_s[-max(_FEWEST, int(_MOST_PAIRS / max(1.0, density * longest_s))) :]
    pairs = join(born_s + _SHORTEST_S - _BESIDE_S - _LONGER_S, born_s + longest_s, born_s)
    lag_s = np.sort(born_s[pairs.birth] - born_s[pairs.visit])
    bins = int(longest_s / _BIN_S) + 1
    counts = np.bincount((lag_s / _BIN_S + 1e-6).astype(np.int64), minlength=bins + 1)
    running = np.concatenate([[0], np.cumsum(counts)])
    periods = sorted({*PERIODS_S, *own_periods(born_s, _BIN_S, PERIODS_S)})
    trials = 2 * np.log(len(periods) * len(_WIDTHS) * 100)
    found = []
    for period in periods:
        if not _SHORTEST_S <= period <= _LONGEST_S:
            continue
        first = int((period - _LONGER_S) / _BIN_S)
        last = int((period * (1 + _LONGER) + _LONGER_S) / _BIN_S)
        beside = int(_BESIDE_S / _BIN_S)
        around = running[last + beside] - running[last] + running[first] - running[first - beside]
        of_period = []
        for width in _WIDTHS:
            at = np.arange(first, last - width)
            held = running[at + width] - running[at]
            k = float(held.max())
            expected = max(0.5, around * width / (2 * beside))
            gain = k * np.log(k / expected) - (k - expected) - trials if k > expected else 0.0
            if k < _FEWEST / 2 or k < _ABOVE * expected or gain < _GAIN:
                continue
            start = int(at[held.argmax()]) * _BIN_S
            inside = lag_s[np.searchsorted(lag_s, start) : np.searchsorted(lag_s, start + width * _BIN_S)]
            spread = float(inside.std())
            middle = float(inside.mean())
            drift = middle - period - 4 * spread / np.sqrt(inside.size)
            of_period.append(_IntervalWindow(gain, middle, max(3 * spread, _BIN_S), drift))
        if of_period:
            found.append(max(of_period, key=lambda window: window.gain))
    return found


def _chains(born_s: NDArray[np.float64], low_s: float, high_s: float) -> list[NDArray[np.int64]]:
    """Rows of births each of which follows the one before it at the interval; each birth follows one at most."""
    wanted = born_s + (low_s + high_s) / 2
    place = np.clip(np.searchsorted(born_s, wanted), 1, born_s.size - 1)
    nearest = np.where(np.abs(born_s[place] - wanted) < np.abs(born_s[place - 1] - wanted), place, place - 1)
    apart = np.abs(born_s[nearest] - wanted)
    order = np.lexsort((apart, nearest))
    follows = np.full(born_s.size, -1, np.int64)  # by birth: the one before it
    for one in order[apart[order] <= (high_s - low_s) / 2].tolist():
        if follows[nearest[one]] < 0:
            follows[nearest[one]] = one
    chain = np.arange(born_s.size)
    for one in range(born_s.size):
        if follows[one] >= 0:
            chain[one] = chain[follows[one]]
    order = np.argsort(chain, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(chain[order])) + 1)


def _lanes(
    chains: Sequence[NDArray[np.int64]], born_s: NDArray[np.float64], overlap_s: float
) -> list[NDArray[np.int64]]:
    """Put chains that follow one another together: a birth that is missing, or a restart, breaks a client's chain.

    ``overlap_s``: how long both may run; somebody else's birth may prolong a chain by one.
    """
    lanes: list[list[NDArray[np.int64]]] = []
    for chain in sorted(chains, key=lambda chain: int(chain[0])):
        open_lanes = [lane for lane in lanes if born_s[lane[-1][-1]] < born_s[chain[0]] + overlap_s]
        if open_lanes:
            max(open_lanes, key=lambda lane: int(lane[-1][-1])).append(chain)
        else:
            lanes.append([chain])
    return [np.sort(np.concatenate(lane)) for lane in lanes]
