"""``probes/health-behind-session``: a health endpoint that starts a session with each request.

Signs: births pile up at the phase of a request whose path is a health endpoint, or sessions name one as their creator, or
the access log shows a new session cookie in the answers.
Reason: the session middleware stands in front of the endpoint as well; its name alone makes it no cheaper than a page.

Before: the session filter matches ``/*``: ``GET /health`` → 200, ``Set-Cookie: SESSION=…``, 8,640 sessions a day.
After: the filter leaves ``/health`` out: ``GET /health`` → 200, no cookie.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.figures import percent, several
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.probes.session_risk import is_harmless_path
from necropsy.sessions.registry import cure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from necropsy.case.store import Case
    from necropsy.model.probe import Probe

_CLAIMS: Final = (
    "SELECT b.*, v.path AS class_path, v.method AS class_method FROM birth_claim b"
    " LEFT JOIN visitor_class v USING (class_id)"
    " WHERE b.store = ? AND b.creator IN ('probe', 'visitor') ORDER BY b.births DESC, b.label"
)
_RENEWED: Final = (
    "SELECT user_agent, sum(visits)::BIGINT AS visits, sum(renewed)::BIGINT AS renewed FROM cookie_use"
    " WHERE user_agent <> '*' GROUP BY 1 HAVING sum(renewed) >= $1 AND sum(renewed) * 2 >= sum(visits) ORDER BY 3 DESC, 1"
)
_PATHS: Final = "SELECT DISTINCT path FROM visitor_class WHERE user_agent = $1 ORDER BY 1"
_LEAST: Final = 5
"""Fewer births may have met the request by chance."""
_SPRING: Final = (
    "Spring: let the session repository filter match everything but the endpoint, or serve it on the management port"
    " (management.server.port)."
)
_ANY: Final = "Register the route of the endpoint before, or without, the session middleware."


def examine(case: Case) -> Iterator[Finding]:
    """One finding a store; without births that tell, one for each client whose cookies do."""
    found = list(_by_births(case))
    yield from found or _by_cookies(case)


def _by_births(case: Case) -> Iterator[Finding]:
    probes = case_queries.probes(case)
    for store, total in case_queries.sessions_by_store(case).items():
        claims = [
            (claim, asked)
            for claim in case.rows(_CLAIMS, [store])
            if claim["births"] >= _LEAST and (asked := _health_request(claim, probes))
        ]
        if claims and total:
            yield _finding(store, total, claims, _remedy(case_queries.layouts(case, store)))


def _by_cookies(case: Case) -> Iterator[Finding]:
    """Clients that ask health endpoints alone, and are given a new session cookie by most answers."""
    for row in case.rows(_RENEWED, [_LEAST]):
        paths = [asked["path"] for asked in case.rows(_PATHS, [row["user_agent"]])]
        if not paths or not all(map(is_harmless_path, paths)):
            continue
        yield Finding(
            severity=Severity.WARNING,
            confidence=Confidence.HIGH,
            title=(
                f"{row['user_agent'] or 'A client without a User-Agent'} requests {', '.join(paths)} and is given a"
                f" new session cookie in"
                f" {row['renewed']:,} of {several(row['visits'], 'visit')}"
            ),
            text="The name of a path does not make it harmless: the session middleware runs before this endpoint.",
            primary=Exhibit(
                title=f"Set-Cookie for {row['user_agent'] or 'a client without a User-Agent'}",
                text="the access log records cookies sent and set",
                query="SELECT user_agent, visits, brought, given, renewed FROM cookie_use ORDER BY renewed DESC",
            ),
            remedy=_remedy(case_queries.layouts(case)),
        )


def _health_request(claim: dict[str, Any], probes: Mapping[int, Probe]) -> str:
    """Return the request that is accused, if it asks for a health endpoint."""
    probe = probes.get(claim["probe_id"]) if claim["probe_id"] is not None else None
    path = probe.path.partition("?")[0] if probe else claim["class_path"] or ""
    if not is_harmless_path(path) and not (probe and path == probe.health_path):
        return ""
    return f"{probe.method} {probe.url}" if probe else f"{claim['class_method'] or 'GET'} {path}"


def _remedy(layouts: Sequence[str]) -> Remedy:
    """Return what to change in the frameworks whose sessions were seen; no other one is named."""
    told = list(dict.fromkeys(filter(None, map(_advice, layouts))))
    return Remedy(
        title="Exclude the health endpoint from the session middleware",
        text=(
            f"{' '.join(told) or _ANY} Then request it twice without a cookie: neither response may have a Set-Cookie."
        ),
        undo="move the endpoint back behind the middleware and restart",
    )


def _advice(layout: str) -> str:
    if layout.startswith("spring"):
        return _SPRING
    told = cure(layout)
    return f"{told.framework}: {told.stop}" if told is not None else ""


def _finding(store: str, total: int, claims: list[tuple[dict[str, Any], str]], remedy: Remedy) -> Finding:
    born = sum(claim["births"] for claim, _ in claims)
    exhibits = [
        Exhibit(
            title=f"{asked}: {several(round(claim['births']), 'session')}",
            text=f"evidence: {claim['evidence']}",
            query=(
                "SELECT label, births, creation_probability, period_s, phase_s FROM birth_claim"
                f" WHERE store = {literal(store)} AND label = {literal(claim['label'])}"
            ),
            request=asked,
        )
        for claim, asked in claims
    ]
    return Finding(
        severity=Severity.WARNING,  # who asks is the cause, with the same sessions: this is what to mend
        confidence=Confidence.HIGH if all(claim["probe_id"] is not None for claim, _ in claims) else Confidence.MEDIUM,
        title=f"A health endpoint starts {percent(born / total)} of the sessions in store {store}",
        text="The name of a path does not make it harmless: the session middleware runs before this endpoint.",
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=remedy,
        store=store,
        share=min(1.0, born / total),
    )


EXAMINER: Final = Examiner(
    slug="probes/health-behind-session",
    meaning="A health endpoint starts a session with each request.",
    severity=Severity.WARNING,
    needs=("session",),
    helped_by=("probe", "visitor_class", "cookie_use"),
    examine=examine,
)
