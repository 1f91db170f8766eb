"""Find the host name of a Prometheus by trains of births: when its scrapes fire follows from that name (``scrape_phase``).

Nobody knows which train is which target's. But under the right name each train begins a moment after a scrape, each after
another target's; under a wrong one hardly any does. Three trains at 10 s with times in milliseconds tell among a hundred names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, perm
from typing import Final

from necropsy.probes.prometheus.targets.scrape_phase import phase_of_hash, seed, target_hash
from necropsy.probes.prometheus.targets.target import Target
from necropsy.probes.prometheus.version import prometheus_version

_LATENCIES_S: Final = (0.02, 0.1, 0.4)
"""How much later than its scrape a session is born at most: each is tried, the shortest tells most."""
_EARLY_S: Final = 0.005
"""The clocks of prober and store are two."""
_FEWEST: Final = 3
_SURE: Final = 0.001
_PERIOD: Final = 0.01


@dataclass(frozen=True, slots=True)
class TrainPhase:
    """Births at a fixed interval whose maker no log shows."""

    period_s: float
    phase_s: float
    """Middle of its births, Unix time modulo the period."""
    width_s: float
    """Width of the window of phases that its births keep."""


@dataclass(frozen=True, slots=True)
class TrainSolution:
    """A host name that explains the moments of trains."""

    host: str
    version: str
    explained: int
    trains: int
    chance: float
    """Upper bound of the probability that any of the names tried explains as many by chance."""


def solve_by_trains(
    candidates: Iterable[str],
    targets: Sequence[Target],
    trains: Sequence[TrainPhase],
    *,
    external_labels: Mapping[str, str],
    versions: Sequence[str],
) -> TrainSolution | None:
    """Find the name under which a Prometheus sees its machine, by the births that its targets cause.

    Parameters
    ----------
    candidates
        Names worth trying.
    targets
        Its targets, whichever may cause births.
    versions
        Versions worth trying: builds hash labels in two ways.

    Returns
    -------
    TrainSolution or None
        None where no name explains more than chance would, or two names do that disagree about who is when.
    """
    names = list(dict.fromkeys(candidates))
    usable = [target for target in targets if target.interval_ms]
    fitting = [train for train in trains if any(_same(train.period_s, target.interval_s) for target in usable)]
    if len(fitting) < _FEWEST:
        return None
    found: list[tuple[TrainSolution, tuple[float, ...]]] = []
    for version in versions:
        known = prometheus_version(version)
        hashes = [target_hash(target, known) for target in usable]
        for name in names:
            server = seed(name, external_labels, known)
            phases = [phase_of_hash(target, hashed, server) for target, hashed in zip(usable, hashes, strict=True)]
            for latency_s in _LATENCIES_S:
                matched, window = _matched(fitting, usable, phases, latency_s)
                chance = _chance(matched, len(fitting), len(usable), window)
                chance *= len(names) * len(versions) * len(_LATENCIES_S)
                if matched >= _FEWEST and 2 * matched >= len(fitting) and chance < _SURE:
                    solution = TrainSolution(name, version, matched, len(fitting), chance)
                    found.append((solution, tuple(round(phase, 3) for phase in phases)))
    if not found:
        return None
    best, moments = min(found, key=lambda pair: pair[0].chance)
    return best if all(other == moments for _, other in found) else None


def _same(a_s: float, b_s: float) -> bool:
    return abs(a_s - b_s) <= _PERIOD * max(a_s, b_s)


def _matched(
    trains: Sequence[TrainPhase], targets: Sequence[Target], phases: Sequence[float], latency_s: float
) -> tuple[int, float]:
    """Count trains that each follow another target's scrape; and the widest window in which one was taken to do so."""
    offers = []
    window = 0.0
    for number, train in enumerate(trains):
        allowed = train.width_s / 2
        window = max(window, (latency_s + _EARLY_S + train.width_s) / train.period_s)
        for place, (target, phase) in enumerate(zip(targets, phases, strict=True)):
            if not _same(train.period_s, target.interval_s):
                continue
            late = (train.phase_s - phase + train.period_s / 2) % train.period_s - train.period_s / 2
            if -_EARLY_S - allowed <= late <= latency_s + allowed:
                offers.append((abs(late), number, place))
    matched: set[int] = set()
    taken: set[int] = set()
    for _, number, place in sorted(offers):
        if number not in matched and place not in taken:
            matched.add(number)
            taken.add(place)
    return len(matched), min(1.0, window)


def _chance(matched: int, trains: int, targets: int, window: float) -> float:
    """Upper bound of the probability that chance gives so many trains a target of their own: the expected number of ways."""
    return comb(trains, matched) * perm(targets, matched) * window**matched if matched <= targets else 1.0
