"""``probes/partial-fix``: some targets of one service ask for its health endpoint, others still for a page.

Signs: the URLs of one service differ in that; or, in a store, some trains of births have ended while others go on, so
that the keys fall to a plateau instead of to the ground. Reason: the fix reached some servers and not the others.

Before: ``http://10.0.0.1:8080/health`` and ``http://10.0.0.2:8080/``. After: both ask ``/health``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.examine.probes.asking import exhibit
from necropsy.model.figures import several
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.probes.session_risk import may_create
from necropsy.rhythm.endings import has_ended, quiet_s

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.probe import Probe

_REMEDY: Final = Remedy(
    title="Apply the fix to the remaining servers",
    text=(
        "Apply the same definition to every node, reload each agent, and deregister instances that no running agent"
        " registers: a zombie keeps its old meta."
    ),
    undo="restore the old definition and reload",
)
_LEAST: Final = 20.0
"""Births of a train that tell whether it goes on."""
_TRAINS: Final = (
    "SELECT *, (SELECT max(born_at) FROM session WHERE store = $1) AS newest FROM birth_claim"
    " WHERE store = $1 AND creator <> 'people' AND period_s > 0 AND births >= $2 AND last_at IS NOT NULL ORDER BY label, phase_s"
)


def examine(case: Case) -> Iterator[Finding]:
    """One finding a service, one a store."""
    services: dict[str, list[Probe]] = defaultdict(list)
    for probe in case_queries.probes(case).values():
        if probe.kind == "blackbox-http" and probe.service:
            services[probe.service].append(probe)
    for service, probes in sorted(services.items()):
        left = [probe for probe in probes if may_create(probe)]
        done = [probe for probe in probes if not may_create(probe)]
        if left and done:
            yield _of_service(service, left, done)
    for store in case_queries.sessions_by_store(case):
        yield from _of_store(case, store)


def _of_service(service: str, left: list[Probe], done: list[Probe]) -> Finding:
    alike = {(probe.prober, probe.port) for probe in left} & {(probe.prober, probe.port) for probe in done}
    exhibits = [exhibit(probe) for probe in (*left, *done)]
    asked, health = (", ".join(sorted({probe.path for probe in probes})) for probes in (left, done))
    return Finding(
        severity=Severity.WARNING,
        confidence=Confidence.HIGH if alike else Confidence.MEDIUM,
        title=f"{len(done)} of {several(len(left) + len(done), 'target')} of {service} are probed at {health},"
        f" {len(left)} still at {asked}",
        text="Births fall only by the share of targets that are fixed.",
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=_REMEDY,
    )


def _of_store(case: Case, store: str) -> Iterator[Finding]:
    """Some trains of births ended while others went on: a fix that reached some of the targets."""
    trains = case.rows(_TRAINS, [store, _LEAST])
    ended = [train for train in trains if _has_ended(train)]
    going = [train for train in trains if not _has_ended(train)]
    # What a restart moves to another phase is one train that ends as another begins.
    ended = [train for train in ended if not any(_goes_on_as(train, other) for other in trains if other is not train)]
    if not ended or not going:
        return
    exhibits = [
        Exhibit(f"{train['label']} every {train['period_s']:g} s", text, query=_query(store))
        for text, found in (("goes on", going), ("has ended", ended))
        for train in found
    ]
    yield Finding(
        severity=Severity.WARNING,
        confidence=Confidence.MEDIUM,
        title=(
            f"{len(ended)} of {len(ended) + len(going)} periodic creators in store {store} have stopped, {len(going)}"
            f" {'goes' if len(going) == 1 else 'go'} on"
        ),
        text="The number of keys falls to a lower plateau, not to normal: the targets that were not fixed go on.",
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=_REMEDY,
        store=store,
    )


def _has_ended(train: dict[str, Any]) -> bool:
    return has_ended(
        train["last_at"],
        train["newest"],
        train["period_s"],
        train["creation_probability"],
        train["births_per_hour"] or 0.0,
    )


def _goes_on_as(train: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether another train of the same period began when this one ended."""
    if other["first_at"] is None or other["period_s"] != train["period_s"]:
        return False
    apart_s: float = abs((other["first_at"] - train["last_at"]).total_seconds())
    return apart_s <= quiet_s(train["period_s"], train["creation_probability"], train["births_per_hour"] or 0.0)


def _query(store: str) -> str:
    return (
        "SELECT label, period_s, phase_s, births, first_at, last_at FROM birth_claim"
        f" WHERE store = {literal(store)} AND period_s > 0 ORDER BY last_at"
    )


EXAMINER: Final = Examiner(
    slug="probes/partial-fix",
    meaning="Some targets of a service are probed at its health endpoint, others still at a page.",
    severity=Severity.WARNING,
    needs=("probe",),
    helped_by=("session",),
    examine=examine,
)
