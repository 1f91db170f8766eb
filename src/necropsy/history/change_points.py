"""Moments at which the rate of births changed: the likelihood ratio of two Poisson rates, in windows of several lengths.

At each border between two spans the births of a window before it are compared with those of a window after it. People come by
the hour of the day, so the difference that stands at the same hour on other days is taken off first, and what is left is held
against the scatter of all such differences: a slope that returns every morning is no change, a prober that is switched on is.
Where there are fewer than three days the daily slopes count as scatter, which finds sharp changes alone.

The moment itself is where the likelihood of two rates peaks within the window; its interval is where the likelihood lies less
than 1.92 below the peak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.history.births import DerivedBirths

    Floats = NDArray[np.float64]

DAY_S: Final = 86_400.0
_WINDOWS_S: Final = (900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, DAY_S)
_LEAST_SPANS: Final = 3
"""Spans in a window; shorter windows are left out."""
_LEAST_SCORE: Final = 7.0
"""Standard deviations by which a change must stand out: of ten thousand borders at five windows chance reaches six."""
_NEAR_S: Final = 7_200.0
"""The moment of a change is looked for this far around the border at which two windows differ most."""
_LEAST_RATIO: Final = 1.25
_KNOWN: Final = 0.75
"""Share of a window that must have been measured."""
_INTERVAL: Final = 3.84
"""Twice the log-likelihood that the ends of a 95 % interval lie below its peak."""
_DAYS_FOR_PATTERN: Final = 3
_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """One change of the rate of births."""

    at_s: float
    """Likeliest moment, Unix seconds: the border between two spans."""
    earliest_s: float
    latest_s: float
    """95 % interval; never narrower than the spans beside the border."""
    before_per_hour: float
    after_per_hour: float
    """Rates of up to a day on both sides, as far as the neighbouring changes."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """Counts on equal spans, and their running sums; spans that were not measured count nothing and last no time."""

    start_s: float
    step_s: float
    counts: Floats
    usual: Floats
    """Births at the same time of other days; 0 where there are too few days."""
    sums: Floats
    times: Floats

    @property
    def spans(self) -> int:
        return self.counts.size

    def around(self, border: int, spans: int) -> tuple[int, int]:
        """Return the borders between which so many spans were measured on both sides of one: what is missing counts as none."""
        reach = spans * self.step_s
        left = int(np.searchsorted(self.times, self.times[border] - reach, "right")) - 1
        right = int(np.searchsorted(self.times, self.times[border] + reach, "left"))
        return max(0, min(left, border - spans)), min(self.spans, max(right, border + spans))


def change_points(births: DerivedBirths) -> list[ChangePoint]:
    """Return the changes of the rate in order of time; what was not measured is left out."""
    grid = _grid(births)
    if grid is None:
        return []
    scatter = dispersion(births.births, births.seconds)
    edges = [0, *_borders(grid, scatter), grid.spans]
    return [
        _change(grid, left, border, right, scatter)
        for left, border, right in zip(edges[:-2], edges[1:-1], edges[2:], strict=True)
    ]


def dispersion(counts: Floats, seconds: Floats) -> float:
    """Variance of counts over their mean, from neighbours: 1 is Poisson's, and the least that is returned.

    Neighbours differ little by the time of day, so that a slow change adds nothing. A twentieth of the pairs, those that
    differ most, is left out: there the rate itself may have changed.
    """
    known = np.isfinite(counts) & (seconds > 0)
    counts, seconds = counts[known], seconds[known]
    rates = counts / seconds
    together = rates[1:] + rates[:-1]
    some = together > 0
    if np.count_nonzero(some) < _LEAST_SPANS:
        return 1.0
    apart = (rates[1:] - rates[:-1])[some] ** 2 / together[some] * (seconds[1:] + seconds[:-1])[some] / 2
    return max(1.0, float(np.mean(np.sort(apart)[: max(1, int(apart.size * 0.95))])))


def _grid(births: DerivedBirths) -> _Grid | None:
    """Lay the counts on equal spans: series have holes, and a restart leaves one."""
    if births.at_s.size < 2 * _LEAST_SPANS:
        return None
    step = float(np.median(births.seconds))
    place = np.round((births.at_s - births.at_s[0]) / step).astype(np.int64)
    counts, seconds = np.zeros(int(place[-1]) + 1), np.zeros(int(place[-1]) + 1)
    known = np.isfinite(births.births) & (births.seconds <= 1.5 * step)
    counts[place[known]], seconds[place[known]] = np.maximum(births.births[known], 0.0), births.seconds[known]
    sums, times = np.concatenate(([0.0], np.cumsum(counts))), np.concatenate(([0.0], np.cumsum(seconds)))
    usual = _daily(np.where(seconds > 0, counts, np.nan), step, level=True)
    return _Grid(float(births.at_s[0]), step, counts, usual, sums, times)


def _borders(grid: _Grid, scatter: float) -> list[int]:
    """Return the borders that stand out at some window, the clearest first of those that lie within one window."""
    found: list[tuple[float, int, int]] = []
    for seconds in _WINDOWS_S:
        window = round(seconds / grid.step_s)
        if window >= _LEAST_SPANS and 2 * window <= grid.spans:
            found += [(score, border, window) for border, score in _outstanding(grid, window, scatter)]
    kept: list[tuple[int, int]] = []
    for _, border, window in sorted(found, reverse=True):
        if all(abs(border - other) >= min(window, reach) for other, reach in kept) and len(kept) < _MOST:
            kept.append((border, window))
    # A longer window sees a change that a shorter one has found, from as far away as it reaches.
    windows = {_likeliest(grid, border, window): window for border, window in reversed(kept)}
    return _still_standing(grid, windows, scatter)


def _outstanding(grid: _Grid, window: int, scatter: float) -> list[tuple[int, float]]:
    """(border, score) of the local peaks of the difference between the windows after and before."""
    inner = np.arange(window, grid.spans - window + 1)
    before, after = grid.sums[inner] - grid.sums[inner - window], grid.sums[inner + window] - grid.sums[inner]
    t_before, t_after = grid.times[inner] - grid.times[inner - window], grid.times[inner + window] - grid.times[inner]
    full = window * grid.step_s
    known = (t_before >= _KNOWN * full) & (t_after >= _KNOWN * full)
    if np.count_nonzero(known) < 2:
        return []
    with np.errstate(divide="ignore", invalid="ignore"):
        rate_before, rate_after = before / t_before, after / t_after
        difference = np.where(known, rate_after - rate_before, np.nan)
        chance = scatter * (np.maximum(before, 1.0) / t_before**2 + np.maximum(after, 1.0) / t_after**2)
    difference = difference - _daily(difference, grid.step_s)
    spread = 1.4826 * float(np.nanmedian(np.abs(difference[known])))
    score = np.where(known, np.abs(difference) / np.sqrt(np.maximum(chance, spread**2)), 0.0)
    base = np.minimum(rate_before, rate_after)
    score[~(np.abs(difference) >= (_LEAST_RATIO - 1) * np.nan_to_num(base))] = 0.0
    score[_weekly(difference, grid.step_s)] = 0.0
    peaks: list[tuple[int, float]] = []
    for place in np.argsort(-score):
        if score[place] < _LEAST_SCORE or len(peaks) >= _MOST:
            break
        if all(abs(int(inner[place]) - border) >= window for border, _ in peaks):
            peaks.append((int(inner[place]), float(score[place])))
    return peaks


def _daily(values: Floats, step_s: float, *, level: bool = False) -> Floats:
    """Return what stands at the same time on other days: the median, half an hour on both sides taken together.

    A level is taken relative to its own day, so that the pattern of some days is not the change between them.
    """
    day = round(DAY_S / step_s)
    days = values.size // day
    if days < _DAYS_FOR_PATTERN:
        return np.zeros(values.size)
    padded = np.full((days + 1) * day, np.nan)
    padded[: values.size] = values
    by_day = padded.reshape(days + 1, day)
    if level:
        measured = np.isfinite(by_day).any(axis=1)
        by_day[measured] -= np.nanmedian(by_day[measured], axis=1, keepdims=True)
    wide = max(1, round(1_800 / step_s))
    shifted = np.concatenate([np.roll(by_day, shift, axis=1) for shift in (-wide, 0, wide)])
    some = np.isfinite(shifted).any(axis=0)
    pattern = np.zeros(day)
    pattern[some] = np.nanmedian(shifted[:, some], axis=0)
    return np.tile(pattern, days + 1)[: values.size]


def _weekly(difference: Floats, step_s: float) -> NDArray[np.bool_]:
    """Mark differences of which half stands a week before or after as well: a Monday, or a weekend."""
    week = round(7 * DAY_S / step_s)
    usual = np.zeros(difference.size, np.bool_)
    if difference.size > week:
        for there, other in ((slice(week, None), slice(None, -week)), (slice(None, -week), slice(week, None))):
            with np.errstate(invalid="ignore"):
                alike = np.abs(difference[there] - difference[other]) < np.abs(difference[there]) / 2
            usual[there] |= alike
    return usual


def _gains(grid: _Grid, left: int, right: int) -> Floats:
    """Twice the log-likelihood that each border from ``left + 1`` to ``right - 1`` gains over one rate for the stretch.

    The daily pattern is taken off, and its highest value put on, so that what is left is a count of about the same scatter.
    """
    usual = grid.usual[left:right]
    counts = np.maximum(grid.counts[left:right] - usual + usual.max(initial=0.0), 0.0)
    seconds = np.diff(grid.times[left : right + 1])
    counts[seconds == 0] = 0.0
    k1, t1 = np.cumsum(counts)[:-1], np.cumsum(seconds)[:-1]
    k2, t2 = counts.sum() - k1, seconds.sum() - t1

    def term(count: Floats, span: Floats) -> Floats:
        some = (count > 0) & (span > 0)
        out = np.zeros(count.size)
        out[some] = count[some] * np.log(count[some] / span[some])
        return out

    return 2.0 * (term(k1, t1) + term(k2, t2) - term(k1 + k2, t1 + t2))


def _likeliest(grid: _Grid, border: int, window: int) -> int:
    left, right = grid.around(border, min(window, max(_LEAST_SPANS, round(_NEAR_S / grid.step_s))))
    return left + 1 + int(np.argmax(_gains(grid, left, right)))


def _still_standing(grid: _Grid, windows: dict[int, int], scatter: float) -> list[int]:
    """Drop borders that gain nothing between their neighbours: two windows saw one change at two places."""
    borders = sorted(windows)
    while True:
        for place, border in enumerate(borders):
            window = windows[border]
            left = max(borders[place - 1] if place else 0, border - window)
            right = min(borders[place + 1] if place + 1 < len(borders) else grid.spans, border + window)
            if _gains(grid, left, right)[border - left - 1] / scatter < _LEAST_SCORE**2 / 2:
                del borders[place]
                break
        else:
            return borders


def _change(grid: _Grid, left: int, border: int, right: int, scatter: float) -> ChangePoint:
    day = round(DAY_S / grid.step_s)
    hours = max(_LEAST_SPANS, round(_NEAR_S / grid.step_s))
    near_left, near_right = grid.around(border, hours)
    near_left, near_right = max(left, near_left), min(right, near_right)
    gains = _gains(grid, near_left, near_right) / scatter
    likely = gains >= gains[border - near_left - 1] - _INTERVAL
    low = high = border - near_left - 1
    while low > 0 and likely[low - 1]:
        low -= 1
    while high + 1 < likely.size and likely[high + 1]:
        high += 1
    before, after = max(left, border - day), min(right, border + day)
    return ChangePoint(
        at_s=grid.start_s + border * grid.step_s,
        earliest_s=grid.start_s + (near_left + low) * grid.step_s,
        latest_s=grid.start_s + (near_left + high + 2) * grid.step_s,
        before_per_hour=_per_hour(grid, before, border),
        after_per_hour=_per_hour(grid, border, after),
    )


def _per_hour(grid: _Grid, left: int, right: int) -> float:
    seconds = grid.times[right] - grid.times[left]
    return float((grid.sums[right] - grid.sums[left]) / seconds * 3_600) if seconds > 0 else 0.0
