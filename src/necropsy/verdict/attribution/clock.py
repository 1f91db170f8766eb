"""Clocks of logs against the store's: the lag at which irregular first visits and births agree best.

Prober's visits say nothing here: shifted by their period they look the same. So only visitors that come irregularly are
counted, each once a minute at most, as that is when sessions are born.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FARTHEST_S: Final = 14 * 3600
_SURE: Final = 12.0
"""Height of the peak in standard deviations over all lags."""
_TIMES_ZERO: Final = 2.0
"""Least ratio of the peak to the correlation of clocks that agree."""
_AGREE_S: Final = 2
"""Lags up to which clocks are taken to agree: the window of the join is learnt there."""
_AROUND_S: Final = 120
_BROAD_S: Final = 4
_SHARP: Final = 6.0
"""Lags around a peak, how wide it may be, and how far it must rise above the others, in their standard deviations."""
_GAIN: Final = 12.0
"""Least gain of log-likelihood of a lag that is sure."""
_ELSEWHERE_S: Final = tuple(sign * shift for sign in (-1, 1) for shift in range(17, 600, 29))
_CLIP: Final = 3.0
_RUNNING_MEAN_S: Final = 600
_FEWEST: Final = 30
_LONGEST_S: Final = 40 * 86_400


@dataclass(frozen=True, slots=True)
class Lag:
    """A lag between two clocks."""

    seconds: float
    """Lag of the births behind the visits: negative when the log's clock is ahead."""
    score: float
    """Height of the peak in standard deviations."""
    is_sure: bool

    @property
    def agrees(self) -> bool:
        """Whether the peak says that the clocks agree."""
        return abs(self.seconds) <= _AGREE_S and self.score > _SURE


def first_visits(
    at_s: NDArray[np.float64],
    client: NDArray[np.int32],
    group: NDArray[np.int32],
    is_clockwork: NDArray[np.bool_],
    *,
    apart_s: float = 60.0,
) -> NDArray[np.int64]:
    """Indices of visits of irregular visitors that come after a minute of absence from that group."""
    kept = np.flatnonzero(~is_clockwork[group])
    if not kept.size:
        return kept
    key = client[kept].astype(np.int64) * is_clockwork.size + group[kept]
    order = np.lexsort((at_s[kept], key))
    sorted_key, sorted_at = key[order], at_s[kept][order]
    begins = np.ones(kept.size, dtype=bool)
    begins[1:] = (sorted_key[1:] != sorted_key[:-1]) | (sorted_at[1:] - sorted_at[:-1] >= apart_s)
    return np.sort(kept[order[begins]])


def find_lag(visit_s: NDArray[np.float64], born_s: NDArray[np.float64]) -> Lag | None:
    """Find the lag in whole seconds; None when there is too little to correlate."""
    if visit_s.size < _FEWEST or born_s.size < _FEWEST:
        return None
    first = float(min(visit_s.min(), born_s.min()))
    near = born_s[(born_s >= visit_s.min() - _FARTHEST_S) & (born_s <= visit_s.max() + _FARTHEST_S)]
    last = float(visit_s.max()) + _FARTHEST_S
    first = max(first, float(visit_s.min()) - _FARTHEST_S)
    if near.size < _FEWEST or last - first > _LONGEST_S:
        return None
    length = int(last - first) + 2
    a, b = _surprises(near - first, length), _surprises(visit_s - first, length)
    size = 1 << (length + _FARTHEST_S).bit_length()
    wave = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    wave = np.concatenate([wave[-_FARTHEST_S:], wave[: _FARTHEST_S + 1]])
    spread = float(wave.std())
    if spread == 0.0:
        return None
    zero = wave[_FARTHEST_S - _AGREE_S : _FARTHEST_S + _AGREE_S + 1].max()
    peak = int(wave.argmax())
    lag, score = peak - _FARTHEST_S, float(wave[peak] / spread)
    sure = score > _SURE and wave[peak] > _TIMES_ZERO * zero and abs(lag) > _AGREE_S
    sharp = _sharpness(wave, peak)
    middle = _FARTHEST_S - _AGREE_S + int(wave[_FARTHEST_S - _AGREE_S : _FARTHEST_S + _AGREE_S + 1].argmax())
    sure = sure and sharp >= _SHARP and sharp > _sharpness(wave, middle) and _meet(visit_s, near, lag) >= _GAIN
    return Lag(float(lag), score, bool(sure))


def _meet(visit_s: NDArray[np.float64], born_s: NDArray[np.float64], lag: int) -> float:
    """Gain of log-likelihood of births in a second of a visit, at this lag, over those at other lags around it.

    Where visits and births are few, two or three that meet in one second stand out among hundreds of empty seconds.
    """
    visit_s = np.sort(visit_s)

    def together(by_s: float) -> int:
        after = np.searchsorted(visit_s, born_s - by_s, side="right")
        return int((after > np.searchsorted(visit_s, born_s - by_s - 1.0)).sum())

    most = max(together(lag + shift) for shift in (-1, 0, 1))
    usual = max(0.5, float(np.mean([together(lag + shift) for shift in _ELSEWHERE_S])))
    return most * float(np.log(most / usual)) - (most - usual) if most > usual else 0.0


def _sharpness(wave: NDArray[np.float64], peak: int) -> float:
    """Height of a peak above the lags around it, in their standard deviations.

    Visits and births that come in bursts make wide hills wherever two bursts meet; a clock makes a spike.
    """
    around = wave[max(0, peak - _AROUND_S) : peak + _AROUND_S + 1]
    near = np.abs(np.arange(around.size) - min(peak, _AROUND_S)) <= _BROAD_S
    beside = around[~near]
    spread = float(beside.std())
    return float((wave[peak] - beside.mean()) / spread) if spread > 0 else 0.0


def _surprises(at_s: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Counts per second, clipped, without their running mean of ten minutes."""
    inside = at_s[(at_s >= 0) & (at_s < length)].astype(np.int64)
    counts = np.minimum(np.bincount(inside, minlength=length), _CLIP)
    total = np.concatenate([[0.0], np.cumsum(counts)])
    half = _RUNNING_MEAN_S // 2
    place = np.arange(length)
    low, high = np.maximum(place - half, 0), np.minimum(place + half, length)
    result: NDArray[np.float64] = counts - (total[high] - total[low]) / (high - low)
    return result
