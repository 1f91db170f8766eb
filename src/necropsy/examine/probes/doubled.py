"""``probes/doubled``: several probers ask for the same URL.

Sign: two Prometheus servers, two jobs, or two tools send the same request. Reason: replicas for availability probe twice
by design; jobs are copied, and both keep running.

Before: replicas a and b → ``GET http://10.0.0.1/`` 2 × 8,640 times a day.
After: one prober asks, or all of them ask for a health endpoint, which costs nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.examine.probes.asking import a_session_each, exhibit, job, request, server
from necropsy.model.figures import several
from necropsy.model.finding import Confidence, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.probe import Probe

Asker = tuple[str, str]
"""(prober, file of its server)."""


def examine(case: Case) -> Iterator[Finding]:
    """One finding for each set of probers that ask for the same."""
    asked: dict[tuple[str, str, str], dict[Asker, Probe]] = defaultdict(dict)
    for probe in case_queries.probes(case).values():
        what = request(probe)
        if what is not None:
            asked[what].setdefault((probe.prober, server(probe)), probe)
    together: dict[tuple[Asker, ...], list[list[Probe]]] = defaultdict(list)
    for probes in asked.values():
        if len(probes) > 1:
            together[tuple(sorted(probes))].append(list(probes.values()))
    for askers, requests in sorted(together.items()):
        yield _finding(askers, requests)


def _finding(askers: tuple[Asker, ...], requests: list[list[Probe]]) -> Finding:
    costly = any(a_session_each(probes) for probes in requests)
    names = sorted({prober for prober, _ in askers})
    who = f"{len(askers)} servers with the job {names[0]}" if len(names) == 1 else " and ".join(names)
    per_day = sum(86_400 / probe.period_s for probes in requests for probe in probes if probe.period_s)
    what = "URL" if len(requests) == 1 else several(len(requests), "URL")
    exhibits = [exhibit(probe, f"by {probe.prober}", job(probe)) for probes in requests for probe in probes]
    return Finding(
        severity=Severity.WARNING if costly else Severity.INFO,
        confidence=Confidence.HIGH,
        title=f"{who} request the same {what}: {per_day:,.0f} requests a day",
        text=(
            "Replicas probe twice by design, copied jobs by accident."
            + (" Each request may start a session, so every prober adds its own sessions." if costly else "")
        ),
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=Remedy(
            title="Use one prober, or point all of them at a health endpoint",
            text="Remove the copied job. Replicas may both probe if the endpoint starts no session.",
            undo="add the job again and reload",
        ),
        probers=tuple(names),
    )


EXAMINER: Final = Examiner(
    slug="probes/doubled",
    meaning="Several probers request the same URL.",
    severity=Severity.WARNING,
    needs=("probe",),
    examine=examine,
)
