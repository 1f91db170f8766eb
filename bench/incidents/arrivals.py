"""Arrival times, Unix milliseconds as float arrays, sorted: when a client of a given temper comes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from incidents.chance import Chance

Times = NDArray[np.float64]
DAY_MS = 86_400_000.0


def ticker(chance: Chance, start: float, end: float, period: float, jitter_ms: float = 0.6) -> Times:
    """Locked to a clock (Prometheus, kubelet): a fixed phase, each visit off by a little, the error never adds up."""
    phase = chance.between(0, period)
    first = np.ceil((start - phase) / period) * period + phase
    times = np.arange(first, end, period)
    return within(times + chance.numpy.normal(0, jitter_ms, times.size), start, end)


def drifting(
    chance: Chance, start: float, end: float, period: float, mean_ms: float = 3.0, spread_ms: float = 2.0
) -> Times:
    """Waits a period after each answer (load balancers, Consul): the error adds up."""
    count = int((end - start) / period) + 2
    gaps = period + np.abs(chance.numpy.normal(mean_ms, spread_ms, count))
    return within(start + chance.between(0, period) + np.concatenate([[0.0], np.cumsum(gaps)]), start, end)


def jittered(chance: Chance, start: float, end: float, period: float, share: float) -> Times:
    """Each visit anywhere in a part of its period (uptime services that spread their load)."""
    phase = chance.between(0, period)
    times = np.arange(np.floor((start - phase) / period) * period + phase, end, period)
    return within(np.sort(times + chance.numpy.uniform(0, share * period, times.size)), start, end)


def cron(chance: Chance, start: float, end: float, minutes: int) -> Times:
    """Every so many minutes at :00, after the time that a script takes to start."""
    period = minutes * 60_000.0
    times = np.arange(np.ceil(start / period) * period, end, period)
    warm = chance.between(60, 900)
    return within(times + warm + chance.numpy.gamma(2.0, chance.between(40, 400), times.size), start, end)


def poisson(chance: Chance, start: float, end: float, count: float) -> Times:
    """Without memory, ``count`` expected."""
    return np.sort(chance.numpy.uniform(start, end, chance.numpy.poisson(count)))


def daily(chance: Chance, start: float, end: float, count: float, peak_hour: float = 12.0, depth: float = 0.9) -> Times:
    """Like people: most at the peak hour, few by night; ``count`` expected."""
    kept = poisson(chance, start, end, count * 2.0)
    while True:
        hours = kept % DAY_MS / 3_600_000
        weight = 1 - depth * 0.5 * (1 - np.cos((hours - peak_hour) / 24 * 2 * np.pi))
        mean = float(weight.mean()) if kept.size else 1.0
        if kept.size * mean >= count or kept.size > 40 * (count + 10):
            break
        kept = poisson(chance, start, end, count * 1.3 / mean)
    keep = min(1.0, count / max(1e-9, float(weight.sum()))) if kept.size else 1.0
    return kept[chance.numpy.random(kept.size) < weight * keep]


def growing(chance: Chance, start: float, end: float, count: float, times_more: float) -> Times:
    """Linear growth: ``times_more`` times as many at the end as at the start."""
    u = chance.numpy.random(chance.numpy.poisson(count))
    slope = times_more - 1.0
    # inverse of the integral of 1 + slope x over 0..1
    x = (np.sqrt(1 + u * (2 * slope + slope * slope)) - 1) / slope if slope else u
    return np.sort(start + x * (end - start))


def bursts(chance: Chance, start: float, end: float, count: float, size: int, pause_ms: float) -> Times:
    """Runs of about ``size`` visits, ``pause_ms`` apart, then silence (crawlers)."""
    heads = poisson(chance, start, end, max(1.0, count / size))
    runs = chance.numpy.geometric(1 / size, heads.size)
    gaps = chance.numpy.exponential(pause_ms, int(runs.sum()))
    first = np.cumsum(runs) - runs
    since = np.cumsum(gaps)
    since -= np.repeat(since[first] if heads.size else since[:0], runs)
    return within(np.sort(np.repeat(heads, runs) + since), start, end)


def within(times: Times, start: float, end: float) -> Times:
    """Those of a span."""
    return times[(times >= start) & (times < end)]
