"""Which comb is whose: a one-to-one fit of combs with visitor classes (by phase) and configured targets (by address)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from necropsy.probes import character
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


def fit_combs(combs: Sequence[Comb], around: Circumstances, taken: frozenset[int] = frozenset()) -> list[Fit]:
    """Fit combs with classes and probes.

    First the logged ones: pairs of comb and class by smallest distance of phase. Then the unlogged ones: what is left of
    the combs goes to targets of the same service that should create sessions and that no log shows. That fit is exact
    in number; which of two unlogged targets has which phase is only known when the prober's phase can be computed.
    """
    slots = [(index, number) for index, comb in enumerate(combs) for number in range(comb.targets)]
    visitors = _logged(combs, slots, around)
    probes = _configured(combs, slots, visitors, around, taken)
    sharers = Counter(index for index, _ in slots)
    return [
        Fit(comb=slot[0], probe=probes.get(slot), visitors=visitors.get(slot), sharers=sharers[slot[0]])
        for slot in slots
    ]


_Slot = tuple[int, int]


def _logged(combs: Sequence[Comb], slots: Sequence[_Slot], around: Circumstances) -> dict[_Slot, int]:
    pairs: list[tuple[int, float, _Slot, int]] = []
    for slot in slots:
        comb = combs[slot[0]]
        for number, visitors in enumerate(around.classes):
            distance = acquaintance.phase_fits(visitors, comb.phase_s, comb.period_s)
            if distance is None or not _could_create(number, around):
                continue
            configured = any(acquaintance.class_fits(probe, visitors) for probe in around.probes)
            pairs.append((0 if configured else 1, distance, slot, number))
    return _greedy(pairs)


def _could_create(number: int, around: Circumstances) -> bool:
    """Whether a class can have created sessions: not one that asks for a health endpoint of a configured probe."""
    visitors = around.classes[number]
    matching = [probe for probe in around.probes if acquaintance.class_fits(probe, visitors)]
    if matching:
        return any(character.may_create(probe) for probe in matching)
    return not character.is_harmless_path(visitors.path)


def _configured(
    combs: Sequence[Comb],
    slots: Sequence[_Slot],
    visitors: dict[_Slot, int],
    around: Circumstances,
    taken: frozenset[int],
) -> dict[_Slot, int]:
    candidates = {
        index
        for index, probe in enumerate(around.probes)
        if character.may_create(probe) and index not in around.idle and index not in taken
    }
    chosen: dict[_Slot, int] = {}
    for slot, number in visitors.items():
        fits = [i for i in sorted(candidates) if acquaintance.class_fits(around.probes[i], around.classes[number])]
        if fits:
            chosen[slot] = fits[0]
            candidates.discard(fits[0])
    rest = [slot for slot in slots if slot not in visitors]
    if around.logs_given:
        # A target that a log shows, but no comb of this store, belongs to another store.
        candidates -= {
            i for i in candidates if any(acquaintance.class_fits(around.probes[i], v) for v in around.classes)
        }
    candidates = _of_services(candidates, chosen, len(rest), around)
    pairs: list[tuple[int, float, _Slot, int]] = []
    for slot in rest:
        comb = combs[slot[0]]
        for index in sorted(candidates):
            probe = around.probes[index]
            if abs(probe.period_s - comb.period_s) > 0.01 * comb.period_s:
                continue
            if probe.phase_s is None:
                pairs.append((1, float(slots.index(slot)) + index / 1e6, slot, index))
                continue
            distance = circular_distance(probe.phase_s, comb.phase_s, comb.period_s)
            if distance <= _COMPUTED_PHASE_TOLERANCE_S:
                pairs.append((0, distance, slot, index))
    chosen.update(_greedy(pairs))
    return chosen


def _of_services(candidates: set[int], chosen: dict[_Slot, int], wanted: int, around: Circumstances) -> set[int]:
    """Keep the candidates of the services that this store is known to serve; else the one whose number fits."""
    services = {around.probes[i].service for i in chosen.values()}
    if services:
        return {i for i in candidates if around.probes[i].service in services}
    by_service = Counter(around.probes[i].service for i in candidates)
    if len(by_service) <= 1:
        return candidates
    exact = [service for service, count in by_service.items() if count == wanted]
    return {i for i in candidates if around.probes[i].service == exact[0]} if len(exact) == 1 else set()


def _greedy(pairs: list[tuple[int, float, _Slot, int]]) -> dict[_Slot, int]:
    """Pair one to one, best first; ties by order so that two runs agree."""
    result: dict[_Slot, int] = {}
    taken: set[int] = set()
    for _, _, slot, number in sorted(pairs):
        if slot not in result and number not in taken:
            result[slot] = number
            taken.add(number)
    return result
