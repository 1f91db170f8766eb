"""Which comb is whose: combs of all stores, fitted with configured targets and with the visitor classes of the logs.

A store serves an application, and an application's targets come as a group (a discovered service, else a job). Each
group that answers should leave one comb a target in one store. So groups go to stores as wholes, best fit first: what a
log shows must agree in phase, what no log shows need only agree in number. What no group explains is fitted with
clockwork visitors of the logs by phase; what nothing explains stays unlogged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from necropsy.probes import session_risk
from necropsy.verdict import acquaintance
from necropsy.verdict.combs import Comb, circular_distance
from necropsy.verdict.evidence import Circumstances

_COMPUTED_PHASE_TOLERANCE_S = 0.05
"""A phase computed from the prober's own hash is good to milliseconds; latency adds some more."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One comb (or a part of it, when targets share a phase) and who made it, as indices."""

    comb: int
    probe: int | None
    visitors: int | None
    """Index into ``Circumstances.classes``; None: no log shows it."""
    sharers: int = 1
    """How many fits share this comb's births."""


_Slot = tuple[int, int, int]
"""Store, comb, and which of the targets that share the comb."""


@dataclass(frozen=True, slots=True)
class _GroupFit:
    """How well one group of targets explains the free combs of one store."""

    pairs: Mapping[_Slot, tuple[int, int | None]]
    """Slot to (probe, class)."""
    missing: int
    """Targets that should have left a comb and did not."""
    distance_s: float

    @property
    def rank(self) -> tuple[int, float]:
        return len(self.pairs) - self.missing, -self.distance_s


def fit_combs(stores: Sequence[Sequence[Comb]], around: Circumstances) -> list[list[Fit]]:
    """Fit the combs of all stores; one list of fits a store, in its order of combs.

    Which of two unlogged targets has which phase is only known when the prober's phase can be computed; their number, and
    with it every share, is right all the same.
    """
    free = [(s, c, n) for s, combs in enumerate(stores) for c, comb in enumerate(combs) for n in range(comb.targets)]
    sharers = Counter(slot[:2] for slot in free)
    groups = _groups(around)
    settled: dict[_Slot, tuple[int | None, int | None]] = {}
    while groups and free:
        offers = [
            (fit.rank, -store, key, fit)
            for key, members in groups.items()
            for store in range(len(stores))
            if (fit := _fit_group(members, [slot for slot in free if slot[0] == store], stores, around)).pairs
        ]
        if not offers:
            break
        _, _, key, best = max(offers, key=lambda offer: (offer[0], offer[1]))
        settled.update(best.pairs)
        free = [slot for slot in free if slot not in best.pairs]
        del groups[key]
    settled.update({slot: (None, visitors) for slot, visitors in _strangers(free, stores, around).items()})
    settled.update(_overruled([slot for slot in free if slot not in settled], stores, around))
    result: list[list[Fit]] = []
    for store, combs in enumerate(stores):
        slots = [(store, c, n) for c, comb in enumerate(combs) for n in range(comb.targets)]
        result.append([Fit(slot[1], *settled.get(slot, (None, None)), sharers=sharers[slot[:2]]) for slot in slots])
    return result


def _groups(around: Circumstances) -> dict[str, list[int]]:
    """Targets that answer and may create sessions, by the application that they belong to."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, probe in enumerate(around.probes):
        if session_risk.may_create(probe) and index not in around.idle:
            groups[probe.service or probe.prober].append(index)
    return dict(groups)


def _fit_group(
    members: Sequence[int], free: Sequence[_Slot], stores: Sequence[Sequence[Comb]], around: Circumstances
) -> _GroupFit:
    pairs = [
        (distance, slot, index, visitors)
        for index in members
        for slot in free
        for distance, visitors in _ways(index, stores[slot[0]][slot[1]], around)
    ]
    chosen: dict[_Slot, tuple[int, int | None]] = {}
    used: set[int] = set()
    total = 0.0
    for distance, slot, index, visitors in sorted(pairs, key=lambda pair: (pair[0], pair[1], pair[2], pair[3] or 0)):
        if slot not in chosen and index not in used:
            chosen[slot] = (index, visitors)
            used.add(index)
            total += distance
    return _GroupFit(chosen, len(members) - len(used), total)


def _ways(index: int, comb: Comb, around: Circumstances) -> Iterator[tuple[float, int | None]]:
    """How a target can have made a comb: distance of phase, and the class that shows it."""
    probe = around.probes[index]
    if abs(probe.period_s - comb.period_s) > 0.01 * comb.period_s:
        return
    shown = [n for n, visitors in enumerate(around.classes) if acquaintance.class_fits(probe, visitors)]
    for number in shown:
        distance = acquaintance.phase_fits(around.classes[number], comb.phase_s, comb.period_s)
        if distance is not None:
            yield distance, number
    if shown:
        return
    if probe.phase_s is None:
        yield comb.period_s, None  # by number alone: after all that agree in phase
    elif (distance := circular_distance(probe.phase_s, comb.phase_s, comb.period_s)) <= _COMPUTED_PHASE_TOLERANCE_S:
        yield distance, None


def _strangers(free: Sequence[_Slot], stores: Sequence[Sequence[Comb]], around: Circumstances) -> dict[_Slot, int]:
    """Fit what no configured target explains with clockwork visitors that no configuration explains."""
    pairs: list[tuple[float, _Slot, int]] = []
    for number, visitors in enumerate(around.classes):
        known = any(acquaintance.class_fits(probe, visitors) for probe in around.probes)
        if known or session_risk.is_harmless_path(visitors.path):
            continue
        for slot in free:
            comb = stores[slot[0]][slot[1]]
            distance = acquaintance.phase_fits(visitors, comb.phase_s, comb.period_s)
            if distance is not None:
                pairs.append((distance, slot, number))
    result: dict[_Slot, int] = {}
    for _, slot, number in sorted(pairs):
        if slot not in result and number not in result.values():
            result[slot] = number
    return result


def _overruled(
    free: Sequence[_Slot], stores: Sequence[Sequence[Comb]], around: Circumstances
) -> dict[_Slot, tuple[int | None, int | None]]:
    """Fit what is still left with configured probes that are harmless by their path: births say otherwise.

    By phase alone, never by number, and never a visitor that no configuration explains: a health endpoint is accused
    only where something shows when it was asked.
    """
    pairs: list[tuple[float, _Slot, int, int | None]] = []
    for index, probe in enumerate(around.probes):
        if (
            session_risk.may_create(probe)
            or not probe.creates_sessions
            or probe.timing != "ticker"
            or index in around.idle
        ):
            continue
        for slot in free:
            pairs += [
                (distance, slot, index, visitors)
                for distance, visitors in _ways(index, stores[slot[0]][slot[1]], around)
                if visitors is not None or probe.phase_s is not None
            ]
    result: dict[_Slot, tuple[int | None, int | None]] = {}
    for _, slot, index, visitors in sorted(pairs, key=lambda pair: pair[:3]):
        if slot not in result and all(index != known for known, _ in result.values()):
            result[slot] = (index, visitors)
    return result
