"""``probes/duplicate-target``: one job asks for the same URL more than once.

Sign: several targets of one job, told apart by their labels, lead to one request. Reason: discovery knows the instance
twice (two services, two tags, a static entry beside a discovered one), and relabelling forgets what told them apart.

Before: services ``web`` and ``web-admin`` on ``10.0.0.1:80`` → ``GET http://10.0.0.1/`` twice every 10 s.
After: a rule keeps one of them, or both carry the same labels: Prometheus then asks once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.examine.probes.asking import a_session_each, exhibit, request, server
from necropsy.model.figures import several
from necropsy.model.finding import Confidence, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.probe import Probe


def examine(case: Case) -> Iterator[Finding]:
    """One finding a job."""
    asked: dict[tuple[str, str], dict[tuple[str, str, str], list[Probe]]] = defaultdict(lambda: defaultdict(list))
    for probe in case_queries.probes(case).values():
        what = request(probe)
        if what is not None and probe.prober.startswith("prometheus/"):
            asked[server(probe), probe.prober][what].append(probe)
    for (_, prober), requests in sorted(asked.items()):
        twice = [probes for probes in requests.values() if len(probes) > 1]
        if twice:
            yield _finding(prober, twice)


def _finding(prober: str, twice: list[list[Probe]]) -> Finding:
    extra = sum(len(probes) - 1 for probes in twice)
    costly = any(a_session_each(probes) for probes in twice)
    exhibits = [exhibit(probe, _apart(probe, probes)) for probes in twice for probe in probes]
    return Finding(
        severity=Severity.WARNING if costly else Severity.INFO,
        confidence=Confidence.HIGH,
        title=f"{prober} requests {several(len(twice), 'URL')} more than once: {several(extra, 'target')} too many",
        text=(
            "Prometheus merges targets with the same labels and the same URL; these differ in a label that does not"
            " change the request." + (" Each of the requests may start a session." if costly else "")
        ),
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=Remedy(
            title="Remove one of the targets",
            text="Drop one by a relabel rule, discover the service once, or make the URLs differ.",
            undo="remove the rule and reload",
        ),
        probers=(prober,),
    )


def _apart(probe: Probe, probes: list[Probe]) -> str:
    """Name the labels that differ."""
    others = [dict(other.labels) for other in probes if other is not probe]
    mine = [f"{name}={value}" for name, value in probe.labels if any(other.get(name) != value for other in others)]
    return ", ".join(mine)


EXAMINER: Final = Examiner(
    slug="probes/duplicate-target",
    meaning="One job requests the same URL more than once.",
    severity=Severity.WARNING,
    needs=("probe",),
    examine=examine,
)
