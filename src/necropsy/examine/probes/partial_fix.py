"""``probes/partial-fix``: some targets of one service ask for its health endpoint, others still for a page.

Signs: the URLs of one service differ in that; or, in a store, some combs of births have ended while others go on, so
that the keys fall to a plateau instead of to the ground. Reason: the fix reached some servers and not the others.

Before: ``http://10.0.0.1:8080/health`` and ``http://10.0.0.2:8080/``. After: both ask ``/health``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy.examine import evidence
from necropsy.examine.probes.asking import exhibit, several
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.probes.session_risk import may_create

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.probe import Probe

_REMEDY: Final = Remedy(
    title="Bring the fix to the servers that it has not reached",
    text=(
        "Apply the same definition to every node, reload each agent, and deregister instances that no living agent"
        " registers: a zombie keeps its old meta."
    ),
    undo="put the old definition back and reload",
)
_RECENT_S: Final = 3_600
_ENDED: Final = 0.2
"""A comb whose rate in the last hour is below this share of its own rate has ended."""
_GOES_ON: Final = 0.6
_LEAST_EXPECTED: Final = 20.0
_COMBS: Final = (
    "SELECT *, creation_probability * 3600 / period_s AS expected FROM birth_claim"
    " WHERE store = ? AND period_s > 0 AND phase_low_s IS NOT NULL ORDER BY label, phase_s"
)


def examine(case: Case) -> Iterator[Finding]:
    """One finding a service, one a store."""
    services: dict[str, list[Probe]] = defaultdict(list)
    for probe in evidence.probes(case).values():
        if probe.kind == "blackbox-http" and probe.service:
            services[probe.service].append(probe)
    for service, probes in sorted(services.items()):
        left = [probe for probe in probes if may_create(probe)]
        done = [probe for probe in probes if not may_create(probe)]
        if left and done:
            yield _of_service(service, left, done)
    for store in evidence.sessions_by_store(case):
        yield from _of_store(case, store)


def _of_service(service: str, left: list[Probe], done: list[Probe]) -> Finding:
    alike = {(probe.prober, probe.port) for probe in left} & {(probe.prober, probe.port) for probe in done}
    exhibits = [exhibit(probe) for probe in (*left, *done)]
    asked, health = (", ".join(sorted({probe.path for probe in probes})) for probes in (left, done))
    return Finding(
        severity=Severity.WARNING,
        confidence=Confidence.HIGH if alike else Confidence.MEDIUM,
        title=f"{len(done)} of {several(len(left) + len(done), 'target')} of {service} ask {health}, {len(left)} still {asked}",
        text="Births fall by the share of the targets that are fixed, and stay there.",
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=_REMEDY,
    )


def _of_store(case: Case, store: str) -> Iterator[Finding]:
    combs = [comb for comb in case.rows(_COMBS, [store]) if (comb["expected"] or 0) >= _LEAST_EXPECTED]
    long = case.value(
        "SELECT count(*) FROM (SELECT max(born_at) - min(born_at) AS span FROM session WHERE store = ?)"
        f" WHERE span > INTERVAL {3 * _RECENT_S} SECOND",
        [store],
    )
    if len(combs) < 2 or not long:
        return
    rates = [(comb, query, case.value(query) / comb["expected"]) for comb in combs for query in [_query(store, comb)]]
    ended = [(comb, query) for comb, query, rate in rates if rate < _ENDED]
    going = [(comb, query) for comb, query, rate in rates if rate > _GOES_ON]
    if not ended or not going:
        return
    exhibits = [
        Exhibit(f"{comb['label']} every {comb['period_s']:g} s", text, query=query)
        for text, found in (("goes on", going), ("has ended", ended))
        for comb, query in found
    ]
    yield Finding(
        severity=Severity.WARNING,
        confidence=Confidence.MEDIUM,
        title=f"{len(ended)} of {len(ended) + len(going)} combs of births in store {store} have ended, {len(going)} go on",
        text="The keys fall to a plateau and not to the ground: what was fixed for some targets goes on at the others.",
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=_REMEDY,
        store=store,
    )


def _query(store: str, comb: dict[str, Any]) -> str:
    """Count the births of a comb in the last hour of the evidence."""
    name = store.replace("'", "''")
    phase = f"(epoch_ms(born_at) % {round(comb['period_s'] * 1000)}) / 1000.0"
    low, high = comb["phase_low_s"], comb["phase_high_s"]
    inside = f"{phase} BETWEEN {low:g} AND {high:g}" if low <= high else f"({phase} >= {low:g} OR {phase} <= {high:g})"
    newest = f"(SELECT max(born_at) FROM session WHERE store = '{name}')"
    return (
        f"SELECT count(*) FROM session WHERE store = '{name}' AND {inside}"
        f" AND born_at > {newest} - INTERVAL {_RECENT_S} SECOND"
    )
