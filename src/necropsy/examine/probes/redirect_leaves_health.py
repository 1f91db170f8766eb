"""``probes/redirect-leaves-health``: a health endpoint answers with a redirect, and the prober follows it to a page.

Sign: the access log shows the health endpoint of a probe with a status of 3xx. Reason: the login filter, the redirect to
https or to a path with a slash at its end come first; the prober follows, and the page behind it starts the session.

Before: ``GET /health`` → 302 ``/login`` → 200: the probe is green, a session each time.
After: ``GET /health`` → 200; or ``follow_redirects: false``, and the probe tells the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.examine.probes.asking import server
from necropsy.model.figures import several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.probes.session_risk import UNKNOWN_ADDRESS, is_harmless_path, may_create, split_host

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.probe import Probe

_REDIRECTED: Final = (
    "SELECT class_id, user_agent, host, method, path, status, followed_to, sum(visits)::BIGINT AS visits"
    " FROM visitor_class WHERE status IN (301, 302, 303, 307, 308) GROUP BY ALL ORDER BY visits DESC, class_id"
)


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding for each prober and place that its probes are sent to."""
    healthy = [p for p in case_queries.probes(case).values() if p.creates_sessions and not may_create(p)]
    rows = [row for row in case.rows(_REDIRECTED) if is_harmless_path(row["path"]) or _known(healthy, row["path"])]
    sent: dict[tuple[str, str, str], list[tuple[Probe, dict[str, Any]]]] = {}
    for probe in healthy:
        if not probe.follows_redirects:
            continue
        for row in rows:
            if _shows(probe, row) and not is_harmless_path(row["followed_to"] or ""):
                sent.setdefault((server(probe), probe.prober, row["followed_to"] or ""), []).append((probe, row))
                break
    for (_, prober, place), found in sorted(sent.items()):
        yield _finding(prober, place, found)
    if healthy and not sent:
        asked = {row["path"] for row in case.rows("SELECT DISTINCT path FROM visitor_class")}
        if any(probe.path.partition("?")[0] in asked for probe in healthy):
            yield Cleared("", "no health endpoint in the access log answers with a redirect to a page")


def _known(probes: list[Probe], path: str) -> bool:
    return any(path == probe.path.partition("?")[0] for probe in probes)


def _shows(probe: Probe, row: dict[str, Any]) -> bool:
    """Whether a class of visitors is this probe."""
    if row["path"] != probe.path.partition("?")[0] or row["method"] != probe.method:
        return False
    if probe.user_agents and not row["user_agent"].startswith(probe.user_agents):
        return False
    if not row["host"]:
        return True
    host, port = split_host(row["host"])
    return port == probe.port and (probe.host == UNKNOWN_ADDRESS or host in (probe.host, "localhost"))


def _finding(prober: str, place: str, found: list[tuple[Probe, dict[str, Any]]]) -> Finding:
    exhibits = [
        Exhibit(
            title=f"{probe.method} {probe.url} is answered {row['status']}"
            + (f" and goes on to {place}" if place else ""),
            text=f"{several(row['visits'], 'visit')} in the access log",
            origin=probe.origin[0] if probe.origin else None,
            query=_REDIRECTED,
            request=f"{probe.method} {probe.url}",
        )
        for probe, row in found
    ]
    paths = ", ".join(sorted({probe.path for probe, _ in found}))
    where = f"to {place}" if place else "to a place that this log does not show"
    return Finding(
        severity=Severity.WARNING if place else Severity.INFO,
        confidence=Confidence.HIGH if place else Confidence.MEDIUM,
        title=f"{prober} requests {paths} from {several(len(found), 'target')} and is redirected {where}",
        text=(
            "The final response comes from a page, not from the health endpoint: the probe proves nothing about the"
            " application, and the page may start a session each time."
        ),
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=Remedy(
            title="Make the health endpoint answer itself, and the prober follow no redirect",
            text=(
                "Exclude the endpoint from redirects: the login filter, the redirect to https, the trailing slash."
                " follow_redirects: false in the module of the blackbox exporter ends the sessions at once; the probe"
                " then fails as long as the endpoint redirects."
            ),
            undo="follow redirects again and reload the exporter",
        ),
        probers=(prober,),
    )


EXAMINER: Final = Examiner(
    slug="probes/redirect-leaves-health",
    meaning="A health endpoint answers with a redirect to a page, and the prober follows.",
    severity=Severity.WARNING,
    needs=("probe", "visitor_class"),
    examine=examine,
)
