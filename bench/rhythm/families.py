"""Families of visits with known truth: probers as they are in real logs, and visitors that are no probers.

Each generator returns the times of one class of visits in seconds, sorted, floored to whole seconds as an access log
writes them (the fine families keep their milliseconds). The timing models are those of the real probers: Prometheus and
load balancers tick with the clock, Consul waits its interval after each answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERIODS = (5.0, 10.0, 15.0, 30.0, 60.0)
START = 1_558_656_000.0


def ticker(chance: np.random.Generator, period: float, span: float, jitter: float) -> NDArray[np.float64]:
    """Locked to the clock: phase + k * period + noise."""
    phase = chance.uniform(0, period)
    times = np.arange(phase, span, period)
    return times + chance.normal(0, jitter, times.size)


def renewal(
    chance: np.random.Generator, period: float, span: float, jitter: float, *, absolute: bool = False
) -> NDArray[np.float64]:
    """Waits the period after each answer: the phase drifts."""
    noise = chance.normal(0, jitter, int(span / period * 1.5) + 8)
    gaps = period + (np.abs(noise) if absolute else noise)
    times = chance.uniform(0, period) + np.cumsum(np.maximum(gaps, 0.05 * period))
    return times[times < span]


def poisson(chance: np.random.Generator, rate: float, span: float) -> NDArray[np.float64]:
    """Visits that know nothing of each other."""
    return np.sort(chance.uniform(0, span, chance.poisson(rate * span)))


def bursts(chance: np.random.Generator, rate: float, span: float) -> NDArray[np.float64]:
    """People: they come now and then, and then click for a while."""
    clicks = chance.integers(2, 20)
    pause = chance.uniform(1, 20)
    begins = poisson(chance, rate / clicks, span)
    times = [begin + np.cumsum(chance.exponential(pause, chance.poisson(clicks) + 1)) for begin in begins]
    return np.sort(np.concatenate(times)) if times else np.empty(0)


def gamma_crawler(chance: np.random.Generator, rate: float, span: float) -> NDArray[np.float64]:
    """A crawler that paces itself, badly: gaps of a gamma distribution, shape 1.5 to 4."""
    shape = chance.uniform(1.5, 4)
    gaps = chance.gamma(shape, 1 / (rate * shape), int(rate * span * 2) + 20)
    times = chance.uniform(0, 1 / rate) + np.cumsum(gaps)
    return times[times < span]


def thinned(chance: np.random.Generator, times: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Leave out a share of the visits at random."""
    return times[chance.random(times.size) >= share]


def without_stretches(chance: np.random.Generator, times: NDArray[np.float64], span: float) -> NDArray[np.float64]:
    """Cut three stretches out, a third of the log together: rotation, an outage, a lost file."""
    kept = np.ones(times.size, dtype=bool)
    for _ in range(3):
        begin = chance.uniform(0, span)
        kept &= (times < begin) | (times >= begin + span / 9)
    return times[kept]


Positive = Callable[[np.random.Generator, float, float], "NDArray[np.float64]"]

POSITIVE: dict[str, Positive] = {
    "lock-step, sd 1 ms": lambda c, t, s: ticker(c, t, s, 0.001),
    "lock-step, sd 5 %": lambda c, t, s: ticker(c, t, s, 0.05 * t),
    "lock-step, sd 20 %": lambda c, t, s: ticker(c, t, s, 0.2 * t),
    "renewal, + |N(0, 50 ms)|": lambda c, t, s: renewal(c, t, s, 0.05, absolute=True),
    "renewal, sd 5 %": lambda c, t, s: renewal(c, t, s, 0.05 * t),
    "renewal, sd 20 %": lambda c, t, s: renewal(c, t, s, 0.2 * t),
    "20 % missing": lambda c, t, s: thinned(c, ticker(c, t, s, 0.001), 0.2),
    "50 % missing": lambda c, t, s: thinned(c, ticker(c, t, s, 0.001), 0.5),
    "two probers, one key": lambda c, t, s: np.concatenate([ticker(c, t, s, 0.001), ticker(c, t, s, 0.001)]),
    "log with gaps": lambda c, t, s: without_stretches(c, ticker(c, t, s, 0.001), s),
    "+ 1:1 Poisson noise": lambda c, t, s: np.concatenate([ticker(c, t, s, 0.001), poisson(c, 1 / t, s)]),
    "+ 1:1 human noise": lambda c, t, s: np.concatenate([ticker(c, t, s, 0.001), bursts(c, 1 / t, s)]),
}
"""Families of probers: generator of (chance, period, span)."""

Negative = Callable[[np.random.Generator, float, float], "NDArray[np.float64]"]

NEGATIVE: dict[str, Negative] = {"human bursts": bursts, "Poisson": poisson, "gamma crawlers": gamma_crawler}
"""Families of visitors without rhythm: generator of (chance, rate, span)."""


def floored(times: NDArray[np.float64], span: float) -> NDArray[np.float64]:
    """Return what a log of whole seconds says."""
    times = np.sort(times[(times >= 0) & (times < span)])
    return np.floor(START + times)


def positives(seed: int, family: str, number: int, span: float) -> list[NDArray[np.float64]]:
    """Return so many classes of one family, periods in turn."""
    chance = np.random.default_rng([seed, list(POSITIVE).index(family)])
    return [floored(POSITIVE[family](chance, PERIODS[i % len(PERIODS)], span), span) for i in range(number)]


def negatives(seed: int, number: int, span: float) -> list[NDArray[np.float64]]:
    """Return so many classes without rhythm, as busy as the positive ones, families in turn; five visits at least."""
    chance = np.random.default_rng([seed, 1000])
    generators = list(NEGATIVE.values())
    found: list[NDArray[np.float64]] = []
    while len(found) < number:
        rate = 1 / chance.choice(PERIODS) * chance.uniform(0.5, 2)
        times = floored(generators[len(found) % len(generators)](chance, rate, span), span)
        if times.size >= 5:
            found.append(times)
    return found
