"""The delay from a visit's logged time to its birth, learnt from the births themselves.

A log's time is cut to a second or a millisecond, is the start or the end of the answer, and its clock may stand a little
beside the store's. So the window in which a visit's birth lies is not computed: it is where more births follow visits than
follow the same visits moved in time. Irregular visitors teach it; clockwork against clockwork is one draw of luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.join import SHIFTS_S, join

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLACK_S: Final = 0.003
"""Largest difference of clocks that agree, and largest error of a time that was cut to milliseconds."""
_REACH_S: Final = 6.0
"""Seconds after (or before) its logged time within which a visit's birth is searched."""
_FEWEST: Final = 15
"""Births beyond chance that a window is learnt from."""
_SURE: Final = 5.0
"""Standard deviations by which the fullest bin must rise."""
_STILL: Final = 3.0
"""Standard deviations by which a stretch beside the peak must rise to belong to it."""
_FEW: Final = 0.1
"""Variance of a bin without births by chance, at the ends of the window."""
_THIN: Final = 0.03
"""Excess of such a stretch, as a share of the window's, below which it is something else: the same visitor's next page."""
_TAIL: Final = 0.3
"""Widening of the window on its late side: few answers are very slow."""
_FLOOR: Final = 0.02
"""Share of the density that is flat."""
_WHOLE_S: Final = (7, -11, 23, -37, 61, -97, 143, -211)
"""Shifts for logs of whole seconds: births of a prober have one place within the second, and must keep it."""
_CUT: Final = 0.6
"""Least width of a window where times are cut, as a share of what they are cut to."""
_MOST_VISITS: Final = 100_000
_BURST: Final = 4.0
"""Standard deviations by which the usual bin must lie above chance before visits count as unevenly spread."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Delay of a visit's birth after its logged time, seconds."""

    low_s: float
    high_s: float
    edges_s: NDArray[np.float64]
    density: NDArray[np.float64]
    """Per second, between the edges."""
    learnt_from: float = 0.0
    """Births beyond chance that taught it; 0: assumed."""

    def at(self, delay_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Density at each delay, per second."""
        place = np.clip(np.searchsorted(self.edges_s, delay_s, side="right") - 1, 0, self.density.size - 1)
        return self.density[place]


def flat(low_s: float, high_s: float, learnt_from: float = 0.0) -> Delays:
    """Return a window in which every delay is as likely."""
    return Delays(low_s, high_s, np.asarray([low_s, high_s]), np.asarray([1 / (high_s - low_s)]), learnt_from)


def assumed(resolution_s: float, *, times_are_starts: bool, birth_resolution_s: float) -> Delays:
    """Return the window where nothing teaches it: flat, an answer takes a fifth of a second at most."""
    slack = SLACK_S + birth_resolution_s
    low, high = (-slack, 0.25) if times_are_starts else (-0.25, 0.05)
    if resolution_s >= 0.1:
        high = resolution_s + (0.2 if times_are_starts else 0.05)
    return flat(low - slack, high + slack)


def widened(window: Delays, by_s: float) -> Delays:
    """Widen an assumed window at either side."""
    return flat(window.low_s - by_s, window.high_s + by_s)


def learn(
    visit_s: NDArray[np.float64],
    born_s: NDArray[np.float64],
    resolution_s: float,
    *,
    times_are_starts: bool,
    birth_resolution_s: float,
) -> Delays:
    """Learn the window from irregular visits; where they teach nothing, assume it."""
    guess = assumed(resolution_s, times_are_starts=times_are_starts, birth_resolution_s=birth_resolution_s)
    if visit_s.size < _FEWEST or born_s.size < _FEWEST:
        return guess
    if visit_s.size > _MOST_VISITS:
        visit_s = visit_s[:: visit_s.size // _MOST_VISITS + 1]
    coarse = max(resolution_s, birth_resolution_s) >= 0.1
    bin_s = 0.05 if coarse else 0.01
    bins = round(2 * _REACH_S / bin_s)
    seen = _histogram(visit_s, born_s, bins)
    moved = np.zeros(bins)
    first, length = float(visit_s.min()), float(visit_s.max() - visit_s.min()) + 1.0
    for shift in _WHOLE_S if coarse else SHIFTS_S:
        # Moved within the time of the visits, end to start: outside it births may be more or fewer.
        around = first + (visit_s - first + shift) % (np.ceil(length) if coarse else length)
        moved += _histogram(np.sort(around), born_s, bins) / len(SHIFTS_S)
    if not coarse:
        moved = np.convolve(np.pad(moved, 25, mode="edge"), np.full(51, 1 / 51), mode="valid")
    moved *= _unevenness(seen, moved)
    excess = seen - moved
    spread = np.sqrt(moved + moved / len(SHIFTS_S) + 1.0)
    usual = [int(np.clip((edge + _REACH_S) / bin_s, 0, bins - 1)) for edge in (guess.low_s, guess.high_s)]
    # A cut time lies evenly in its second: where chance brings next to none, few births tell the ends of it.
    at_ends = np.sqrt(moved + moved / len(SHIFTS_S) + _FEW) if coarse else spread
    window = _around_peak(excess, spread, at_ends, *usual)
    if window is None:
        return guess
    first, last = window
    total = float(excess[first : last + 1].sum())
    if total < _FEWEST:
        return guess
    low, high = first * bin_s - _REACH_S, (last + 1) * bin_s - _REACH_S
    if high - low < _CUT * max(resolution_s, birth_resolution_s):  # a cut time lies anywhere within its second
        return guess
    if coarse:
        low, high = _whole(low, high, guess, max(resolution_s, birth_resolution_s))
    margin = bin_s + SLACK_S + birth_resolution_s * 0.05
    tail = _TAIL * max(0.0, high - low - max(resolution_s, birth_resolution_s))
    low, high = low - margin - (0.0 if times_are_starts else tail), high + margin + (tail if times_are_starts else 0.0)
    inside = np.maximum(excess[first : last + 1], 0.0)
    edges = np.concatenate([[low], np.arange(first + 1, last + 1) * bin_s - _REACH_S, [high]])
    if coarse:  # a time cut to a second says nothing about where in the second
        edges, inside = np.asarray([low, high]), np.ones(1)
    share = inside / inside.sum() * (1 - _FLOOR)
    density = share / np.diff(edges) + _FLOOR / (high - low)
    return Delays(low, high, edges, density, total)


def _whole(low_s: float, high_s: float, guess: Delays, cut_s: float) -> tuple[float, float]:
    """Return a window with room for all that times are cut to: a cut time lies anywhere in its second.

    Where the clock is as expected the window is at least the expected one; a clock that is seconds off has its own.
    """
    if low_s < guess.high_s and high_s > guess.low_s:
        return min(low_s, guess.low_s), max(high_s, guess.high_s)
    missing = max(0.0, cut_s - (high_s - low_s))
    return low_s - missing / 2, high_s + missing / 2


def _unevenness(seen: NDArray[np.float64], moved: NDArray[np.float64]) -> float:
    """Ratio of births near visits to births near moved visits, whatever the delay.

    Where visits and births come in a burst, moving takes some visits out of it, and every delay seems to exceed chance. The
    window is a small part of the delays that are looked at, so their median is chance.

    >>> burst = np.full(240, 1000.0)
    >>> round(_unevenness(burst, burst * 0.9), 2), _unevenness(burst, burst)
    (1.11, 1.0)
    """
    usual, chance = float(np.median(seen)), float(np.median(moved))
    noise = _BURST * 1.25 * np.sqrt((chance + 1.0) / seen.size)  # 1.25: a median varies more than a mean
    return usual / chance if chance > 0 and usual > chance + noise else 1.0


def _histogram(visit_s: NDArray[np.float64], born_s: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    pairs = join(visit_s - _REACH_S, visit_s + _REACH_S, born_s)
    delay = born_s[pairs.birth] - visit_s[pairs.visit]
    place = np.clip(((delay + _REACH_S) * (bins / (2 * _REACH_S))).astype(np.int64), 0, bins - 1)
    return np.bincount(place, minlength=bins).astype(np.float64)


def _around_peak(
    excess: NDArray[np.float64], spread: NDArray[np.float64], at_ends: NDArray[np.float64], first: int, last: int
) -> tuple[int, int] | None:
    """First and last bin of the stretch around the fullest bin in which births exceed chance; ``at_ends``: its error there.

    The bins ``first`` to ``last`` are where it is expected; elsewhere it is looked for if they show nothing.
    """
    wide = np.convolve(excess, np.ones(5), mode="same") / np.sqrt(np.convolve(spread**2, np.ones(5), mode="same"))
    score = np.maximum(excess / spread, wide)
    expected = first + int(score[first : last + 1].argmax())
    peak = expected if score[expected] >= _SURE else int(score.argmax())
    if score[peak] < _SURE:
        return None
    first, last = peak, peak
    steps = (1, 2, 4, 8, 16, 32)
    rising = True
    while rising:
        rising = False
        for step in steps:
            below, above = slice(max(0, first - step), first), slice(last + 1, last + 1 + step)
            core = float(excess[first : last + 1].mean())
            if _exceeds(excess[below], at_ends[below], core):
                first, rising = below.start, True
            if _exceeds(excess[above], at_ends[above], core):
                last, rising = min(excess.size - 1, last + step), True
            if rising:
                break
    return first, last


def _exceeds(excess: NDArray[np.float64], spread: NDArray[np.float64], core: float) -> bool:
    """Whether a stretch holds more births than chance, and not hardly more beside the core of the window."""
    if not excess.size or excess.mean() < _THIN * core:
        return False
    return bool(excess.sum() > _STILL * np.sqrt((spread**2).sum()))
