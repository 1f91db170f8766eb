"""Match of sources and configured probes: by their log, else by period, phase and number.

A store serves an application, and an application's targets come as a group (a discovered service, else a job). What no log
shows is matched by number: which of two targets that go round the proxy has which phase is only known when the prober's
phase can be computed; their number, and with it every share, is right all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from necropsy.model.probe import Probe
from necropsy.probes import session_risk
from necropsy.rhythm.endings import quiet_s
from necropsy.verdict import identity_match
from necropsy.verdict.attribution.groups import Group
from necropsy.verdict.attribution.reckoning import Reckoning
from necropsy.verdict.attribution.sources import BirthSource
from necropsy.verdict.attribution.timeline import Timeline
from necropsy.verdict.evidence import Circumstances, VisitorClass
from necropsy.visits.agents import is_browser

_PHASE_S: Final = 0.05
"""A phase computed from the prober's own hash is good to milliseconds; latency adds some more."""
_PERIOD: Final = 0.01
_AS_OFTEN: Final = 0.5
"""Share of a probe's requests that the visits of a source without a rhythm must be to be the probe's."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """A train without an owner in one store, and which of the probers that share it."""

    store: int
    source: int
    part: int


def name_probes(reckonings: Sequence[Reckoning], groups: Sequence[Group], around: Circumstances) -> None:
    """Set ``probe`` of every source that a configured probe explains; splits trains that several probers share."""
    used: set[int] = set()
    hidden = _round_the_proxy(reckonings, around)
    for reckoning in reckonings:
        for source in sorted(reckoning.sources, key=lambda source: -source.amount):
            if source.kind == "visitor" and source.probe is None and source.groups:
                source.probe = _logged(source, groups, reckoning.timeline, around, used, hidden)
            if source.probe is not None:
                used.add(source.probe)
    slots = [
        _Slot(store, number, part)
        for store, reckoning in enumerate(reckonings)
        for number, source in enumerate(reckoning.sources)
        if source.kind == "unlogged" and source.train is not None
        for part in range(min(source.train.members, 8))
    ]
    settled = _by_groups(slots, reckonings, around, used)
    settled.update(_by_phase([slot for slot in slots if slot not in settled], reckonings, around, used))
    settled.update(_called_dead([slot for slot in slots if slot not in settled], reckonings, around, used))
    settled.update(_replicas([slot for slot in slots if slot not in settled], settled, reckonings, around))
    _write(settled, reckonings)
    _mark_shown(reckonings, groups, around)
    _mark_unseparated(reckonings, around, used)
    _mark_unnamed(reckonings, groups, around, used)


def _mark_shown(reckonings: Sequence[Reckoning], groups: Sequence[Group], around: Circumstances) -> None:
    """Set ``groups`` of sources that were matched by number, and whose requests a log shows that is too coarse to join them.

    In a log of whole seconds a check each half a second is at every birth: time says nothing, the configuration does.
    """
    taken = {group for reckoning in reckonings for source in reckoning.sources for group in source.groups}
    proxied = proxied_ports(around)
    for reckoning in reckonings:
        for source in reckoning.sources:
            probe = around.probes[source.probe] if source.probe is not None else None
            if probe is None or source.groups or source.kind != "unlogged" or probe.port not in proxied:
                continue
            free = ((number, group) for number, group in enumerate(groups) if number not in taken)
            shown = next((number for number, group in free if _is_blurred(probe, group, reckoning, around)), None)
            if shown is not None:
                source.groups, source.row = [shown], groups[shown].rows[0]
                taken.add(shown)


def _is_blurred(probe: Probe, group: Group, reckoning: Reckoning, around: Circumstances) -> bool:
    """Whether a group is a probe's by all but its moments, as its log is coarser than the probe's period."""
    logs = reckoning.timeline.logs
    if not logs or logs[group.log].resolution_s < probe.period_s:
        return False
    return any(
        row.period_s is not None
        and same_period(row.period_s, probe.period_s)
        and identity_match.class_fits(probe, replace(row, host=""))
        # nginx' $host has no port.
        and (not row.host or session_risk.split_host(row.host)[0] == probe.host)
        for row in (around.classes[number] for number in group.rows)
    )


def _mark_unseparated(reckonings: Sequence[Reckoning], around: Circumstances, used: set[int]) -> None:
    """Set ``one_of`` of sources that were matched by number alone, where some of the targets create and others do not.

    Six targets of one job and three trains, or six of which three have ended: that the job creates is known, which three of
    its targets do is not.
    """
    by_number: dict[_Job, list[tuple[BirthSource, Timeline]]] = defaultdict(list)
    for reckoning in reckonings:
        for source in reckoning.sources:
            probe = around.probes[source.probe] if source.probe is not None else None
            if probe is not None and source.kind == "unlogged" and probe.phase_s is None:
                by_number[_job(probe)].append((source, reckoning.timeline))
    if not by_number:
        return
    targets: dict[_Job, set[int]] = defaultdict(set)
    for number in (number for members in _members(around, used).values() for number in members):
        if around.probes[number].phase_s is None:
            targets[_job(around.probes[number])].add(number)
    for job, matched in by_number.items():
        for source in _not_sure_which(matched, targets[job], around):
            source.one_of = sorted(targets[job])


def _not_sure_which(
    matched: Sequence[tuple[BirthSource, Timeline]], targets: set[int], around: Circumstances
) -> list[BirthSource]:
    """Return the sources, of those that were matched with a job's targets, of which nothing tells which target they are."""
    ended = [_has_ended(source, timeline) for source, timeline in matched]
    differ = len(set(ended)) > 1
    probes = [around.probes[number] for number in targets]
    if len({probe.url for probe in probes}) > 1:
        return [source for source, _ in matched] if differ or targets - {source.probe for source, _ in matched} else []
    if not differ or any(probe.host == session_risk.UNKNOWN_ADDRESS for probe in probes):  # pods have one URL
        return []
    # The one target that is configured is who goes on: who ended was another, that is configured no more.
    return [source for (source, _), over in zip(matched, ended, strict=True) if over]


def _mark_unnamed(
    reckonings: Sequence[Reckoning], groups: Sequence[Group], around: Circumstances, used: set[int]
) -> None:
    """Set ``one_of`` of sources that a log shows which names no hosts, where more targets look like them than there are."""
    alike: dict[tuple[_Job, str], list[BirthSource]] = defaultdict(list)
    for source in (source for reckoning in reckonings for source in reckoning.sources):
        if source.kind == "visitor" and source.probe is not None and source.train is not None and source.groups:
            probe = around.probes[source.probe]
            if (
                probe.phase_s is None
                and not groups[source.groups[0]].host
                and probe.host != session_risk.UNKNOWN_ADDRESS
            ):
                alike[_job(probe), probe.path].append(source)
    proxied = proxied_ports(around)
    for (job, path), sources in alike.items():
        mine = {source.probe for source in sources}
        targets = [
            number
            for number, probe in enumerate(around.probes)
            if (number in mine or number not in used)
            and number not in around.idle
            and (_job(probe), probe.path) == (job, path)
            and session_risk.may_create(probe)
            and probe.port in proxied
        ]
        if len(targets) > len(mine):
            for source in sources:
                source.one_of = targets


def _has_ended(source: BirthSource, timeline: Timeline) -> bool:
    """Whether no birth of a train came for so long, at the end, that more would have."""
    period_s = source.train.period_s if source.train is not None else None
    silent_s = float(timeline.born_s[-1] - timeline.born_s[source.births].max()) if source.births.size else 0.0
    return silent_s > quiet_s(period_s, source.probability, 0.0, least_s=0.0)


_Job = tuple[str, str | None, float]


def _job(probe: Probe) -> _Job:
    """Return what is common to targets that nothing but their phases tells apart."""
    return probe.prober, probe.service, probe.period_s


def hidden_by_name(probe: Probe, classes: Sequence[VisitorClass]) -> bool:
    """Whether no class of any log names this probe's host: then it is in no log, or in one that names no hosts."""
    return not any(visitors.host and identity_match.class_fits(probe, visitors) for visitors in classes)


def hidden_periods(around: Circumstances) -> tuple[float, ...]:
    """Periods of the probes that may create sessions, keep a phase, and are shown by no log under their host's name."""
    proxied = proxied_ports(around)
    periods = {
        probe.period_s
        for index, probe in enumerate(around.probes)
        if probe.timing == "ticker"
        and index not in around.idle
        and session_risk.may_create(probe)
        and (hidden_by_name(probe, around.classes) or probe.port not in proxied)
    }
    return tuple(sorted(periods))


def proxied_ports(around: Circumstances) -> frozenset[int]:
    """Ports at which a logging proxy answers."""
    return _known_proxies(around) or frozenset({80, 443})


def _known_proxies(around: Circumstances) -> frozenset[int]:
    return frozenset(backend.port for backend in around.backends if backend.role == "proxy")


def _round_the_proxy(reckonings: Sequence[Reckoning], around: Circumstances) -> frozenset[int]:
    """Probes of ports at which no known proxy answers, of the periods of trains that no log shows: they are rather these."""
    proxies = _known_proxies(around)
    periods = [s.train.period_s for r in reckonings for s in r.sources if s.kind == "unlogged" and s.train is not None]
    return frozenset(
        index
        for index, probe in enumerate(around.probes)
        if proxies and probe.port not in proxies and any(same_period(probe.period_s, period) for period in periods)
    )


def _logged(
    source: BirthSource,
    groups: Sequence[Group],
    timeline: Timeline,
    around: Circumstances,
    used: set[int],
    hidden: frozenset[int],
) -> int | None:
    """Probe whose requests a log shows as this source, and none of the ``hidden``; one that none has yet is preferred."""
    rows = {number: [around.classes[row] for row in groups[number].rows[:50]] for number in source.groups[:3]}
    fitting: set[int] = set()
    readings = (identity_match.class_fits, _fits_but_for_its_agent, _fits_but_for_its_port)
    for looks_like in readings:
        fitting = {
            index
            for index, probe in enumerate(around.probes)
            if probe.creates_sessions
            and index not in hidden
            and (shown := [n for n in rows if any(looks_like(probe, row) for row in rows[n])])
            and (
                _comes_as_often(probe, shown, groups, timeline)
                if source.train is None
                else same_period(probe.period_s, source.train.period_s)
            )
        }
        if fitting or source.train is None:
            break
    if not fitting:
        return None
    proxied = proxied_ports(around)
    return min(
        fitting,
        key=lambda index: (
            index in used,
            index in around.idle,
            around.probes[index].port not in proxied,
            not session_risk.may_create(around.probes[index]),
            index,
        ),
    )


def _comes_as_often(probe: Probe, shown: Sequence[int], groups: Sequence[Group], timeline: Timeline) -> bool:
    """Whether groups without a train have about as many visits as a probe sends, from their first visit to their last.

    A scanner that calls itself what the prober does, and asks for the same page now and then, is not the prober.
    """
    at = timeline.visit_s[np.isin(timeline.group, shown)]
    if not at.size:
        return False
    log = timeline.logs[groups[shown[0]].log]
    sent = np.arange(float(at.min()), float(at.max()), probe.period_s)
    return bool(at.size >= _AS_OFTEN * log.complete * int(log.covers(sent).sum()))


def _fits_but_for_its_agent(probe: Probe, visitors: VisitorClass) -> bool:
    """Whether a class can be a probe's whose User-Agent the configuration does not tell; its rhythm is known to be the probe's.

    Then the host must be named.
    """
    return (
        bool(visitors.host)
        and probe.timing == "ticker"
        and visitors.method == probe.method
        and visitors.path == probe.path.split("?", 1)[0]
        and identity_match.host_fits(probe, visitors.host)
        and not is_browser(visitors.user_agent)
    )


def _fits_but_for_its_port(probe: Probe, visitors: VisitorClass) -> bool:
    """Whether a class is a probe's by all but the port, in a log that names hosts without: nginx' $host has none.

    Then the User-Agent must be one that only such a prober sends.
    """
    name, _ = session_risk.split_host(visitors.host)
    return (
        bool(visitors.host and visitors.user_agent and probe.user_agents)
        and not session_risk.names_port(visitors.host)
        and probe.host in (session_risk.UNKNOWN_ADDRESS, name)
        and identity_match.class_fits(probe, replace(visitors, host=""))
    )


def same_period(a_s: float, b_s: float) -> bool:
    """Whether two periods agree to a hundredth."""
    return abs(a_s - b_s) <= _PERIOD * max(a_s, b_s)


def _members(around: Circumstances, used: set[int]) -> dict[str, list[int]]:
    """Targets that answer, may create sessions and are not shown by a log, by the application that they belong to."""
    members: dict[str, list[int]] = defaultdict(list)
    for index, probe in enumerate(around.probes):
        open_ = index not in used and index not in around.idle
        if open_ and session_risk.may_create(probe) and hidden_by_name(probe, around.classes):
            members[probe.service or probe.prober].append(index)
    return members


def _fits(probe: Probe, slot: _Slot, reckonings: Sequence[Reckoning]) -> float | None:
    """Distance in seconds between a probe and a train that no log shows; None when it cannot have made it."""
    train = reckonings[slot.store].sources[slot.source].train
    if train is None or not same_period(probe.period_s, train.period_s):
        return None
    if probe.phase_s is None:
        return probe.period_s  # by number alone: after all that agree in phase
    phase = phase_of(train.low_s, train.width_s, train.period_s, reckonings[slot.store].timeline.origin_us)
    apart = abs(phase - probe.phase_s) % train.period_s
    apart = min(apart, train.period_s - apart)
    return apart if apart <= _PHASE_S + train.width_s / 2 else None


def phase_of(low_s: float, width_s: float, period_s: float, origin_us: int) -> float:
    """Middle of a window of phase as Unix time modulo the period."""
    return float((origin_us / 1e6 % period_s + low_s + width_s / 2) % period_s)


def _by_groups(
    slots: Sequence[_Slot], reckonings: Sequence[Reckoning], around: Circumstances, used: set[int]
) -> dict[_Slot, int]:
    """Give each application's hidden targets to the store whose trains they explain best."""
    groups = _members(around, used)
    home = _homes(reckonings, around)
    settled: dict[_Slot, int] = {}
    while groups:
        offers = []
        for key, members in groups.items():
            for store in range(len(reckonings)):
                if home.get(key, store) != store:
                    continue
                pairs = _pair(members, [s for s in slots if s.store == store and s not in settled], reckonings, around)
                if pairs:
                    missing = len(members) - len(set(pairs.values()))
                    offers.append(((len(pairs) - missing, -store), key, pairs))
        if not offers:
            break
        _, key, pairs = max(offers, key=lambda offer: offer[0])
        settled.update(pairs)
        del groups[key]
    return settled


def _homes(reckonings: Sequence[Reckoning], around: Circumstances) -> dict[str, int]:
    """Store of each application that a log or a session already showed."""
    found: dict[str, int] = {}
    for store, reckoning in enumerate(reckonings):
        for source in reckoning.sources:
            if source.probe is not None:
                probe = around.probes[source.probe]
                found.setdefault(probe.service or probe.prober, store)
    return found


def _pair(
    members: Sequence[int], slots: Sequence[_Slot], reckonings: Sequence[Reckoning], around: Circumstances
) -> dict[_Slot, int]:
    offers = [
        (distance, number, place)
        for number in members
        for place, slot in enumerate(slots)
        if (distance := _fits(around.probes[number], slot, reckonings)) is not None
    ]
    pairs: dict[_Slot, int] = {}
    taken: set[int] = set()
    for _, number, place in sorted(offers):
        # A probe of pods whose addresses nobody knows is as many probers as there are pods.
        unlimited = around.probes[number].host == session_risk.UNKNOWN_ADDRESS
        if slots[place] not in pairs and (number not in taken or unlimited):
            pairs[slots[place]] = number
            taken.add(number)
    return pairs


def _by_phase(
    slots: Sequence[_Slot], reckonings: Sequence[Reckoning], around: Circumstances, used: set[int]
) -> dict[_Slot, int]:
    """Match what is left with configured probes that are harmless by their path, by computed phase: births say otherwise."""
    found: dict[_Slot, int] = {}
    for index, probe in enumerate(around.probes):
        if index in used or index in around.idle or probe.phase_s is None or not probe.creates_sessions:
            continue
        for slot in slots:
            if slot not in found and index not in found.values() and _fits(probe, slot, reckonings) is not None:
                found[slot] = index
    return found


def _called_dead(
    slots: Sequence[_Slot], reckonings: Sequence[Reckoning], around: Circumstances, used: set[int]
) -> dict[_Slot, int]:
    """Match what is left with targets whose own check fails, at ports where a proxy answers: births say that it does."""
    proxied = proxied_ports(around)
    members = [
        index
        for index, probe in enumerate(around.probes)
        if index in around.idle
        and index not in used
        and probe.port in proxied
        and session_risk.may_create(probe)
        and hidden_by_name(probe, around.classes)
    ]
    return _pair(members, slots, reckonings, around)


def _replicas(
    slots: Sequence[_Slot], settled: Mapping[_Slot, int], reckonings: Sequence[Reckoning], around: Circumstances
) -> dict[_Slot, int]:
    """Match trains that are left with probes that have one already: a second prober asks for the same.

    Only in whole: as many trains of a period as that period's hidden probes have, or a log shows that one is asked twice.
    """
    found: dict[_Slot, int] = {}
    for store, reckoning in enumerate(reckonings):
        for period in {s.train.period_s for s in reckoning.sources if s.train is not None}:
            left = [s for s in slots if s.store == store and _period(s, reckonings) == period]
            known = [p for s, p in settled.items() if s.store == store and _period(s, reckonings) == period]
            shown = [s.probe for s in reckoning.sources if s.kind == "visitor" and s.probe is not None and s.train]
            twice = len(shown) > len(set(shown))
            free = [p for p in known if around.probes[p].phase_s is None]
            if left and free and (twice or len(left) == len(free)):
                found.update(zip(left, free, strict=False))
    return found


def _period(slot: _Slot, reckonings: Sequence[Reckoning]) -> float | None:
    train = reckonings[slot.store].sources[slot.source].train
    return train.period_s if train is not None else None


def _write(settled: Mapping[_Slot, int], reckonings: Sequence[Reckoning]) -> None:
    """Write the matches into the sources; a train of several probers becomes as many sources."""
    by_source: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for slot, probe in settled.items():
        by_source[slot.store, slot.source][slot.part] = probe
    for store, reckoning in enumerate(reckonings):
        result: list[BirthSource] = []
        for number, source in enumerate(reckoning.sources):
            members = source.train.members if source.kind == "unlogged" and source.train is not None else 1
            matched = by_source.get((store, number), {})
            if members == 1 or members > 8:
                source.probe = matched.get(0, source.probe)
                result.append(source)
                continue
            result += [
                replace(source, weight=source.weight / members, probe=matched.get(part), sharers=members)
                for part in range(members)
            ]
        reckoning.sources = result
