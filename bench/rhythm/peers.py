"""Other detectors, as their sources have them, to compare with.

* RITA v5 (activecm/rita, analysis/beacons.go): the timestamp score, and the score of timestamps, histogram and duration.
* FFT and permutation (BAYWATCH, Hu et al., DSN 2016; AUTOPERIOD, Vlachos et al., SDM 2005): the periodogram of the
  binned series, its maximum against those of shuffled series, verified by the autocorrelation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rita_timestamps(times: NDArray[np.float64]) -> float:
    """Mean of 1 - |Bowley skewness| of the gaps and 1 - MAD / median."""
    gaps = np.sort(np.diff(np.unique(times)))
    if gaps.size < 3:
        return 0.0
    low, mid, high = np.quantile(gaps, [0.25, 0.5, 0.75])
    skew = 0.0
    if high - low >= 10 and mid not in (low, high):
        skew = (low + high - 2 * mid) / (high - low)
    deviation = float(np.median(np.abs(gaps - mid)))
    spread = 0.0 if mid < 1 else max(0.0, (mid - deviation) / mid)
    return (1 - abs(skew) + spread) / 2


def rita(times: NDArray[np.float64], span: float) -> float:
    """Mean of the timestamp, histogram and duration scores (no sizes in these classes)."""
    bins = np.histogram(times, bins=24, range=(times[0], times[0] + span))[0]
    mean = bins.mean()
    flat = max(0.0, 1 - bins.std() / mean) if mean else 0.0
    heights = np.round(bins / max(1, bins.max()) * 20)
    _, counts = np.unique(heights[heights > 0], return_counts=True)
    common = np.sort(counts)[::-1][:2].sum() / max(1, (heights > 0).sum()) if counts.size else 0.0
    duration = (times[-1] - times[0]) / span
    return (rita_timestamps(times) + max(flat, common) + duration) / 3


def fft_permutation(times: NDArray[np.float64], span: float, permutations: int = 20) -> float:
    """Largest of the periodogram's peaks, over the largest of shuffled series, times the autocorrelation at its period.

    The ten highest peaks are tried: of a comb of short pulses all harmonics are alike, and only the lowest is a hill.
    """
    length = int(span)
    counts = np.bincount((times - times[0]).astype(np.int64), minlength=length)[:length].astype(float)
    series = counts - counts.mean()
    power = np.abs(np.fft.rfft(series)) ** 2
    low, high = 3, length // 2
    chance = np.random.default_rng(length)
    largest = max(
        float((np.abs(np.fft.rfft(chance.permutation(series))) ** 2)[low:high].max()) for _ in range(permutations)
    )
    if largest <= 0:
        return 0.0
    correlation = np.fft.irfft(np.abs(np.fft.rfft(series, 2 * length)) ** 2)[:length]
    best = 0.0
    for peak in np.argsort(power[low:high])[::-1][:10] + low:
        lag = length / peak
        around = correlation[max(1, round(lag) - 1) : round(lag) + 2]
        hill = float(around.max() / correlation[0]) if around.size and correlation[0] > 0 else 0.0
        best = max(best, float(power[peak]) / largest * max(0.0, hill))
    return best
