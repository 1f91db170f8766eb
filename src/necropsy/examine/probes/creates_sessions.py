"""``probes/creates-sessions``: a configured, repeated request creates a new session each time.

Signs: births pile up at the phases of a period (combs), or sessions name a prober as their creator; and a probe of the
configuration, or a visitor class that comes like clockwork, fits. Reason: a prober keeps no cookie from one request to
the next, so every answer that starts a session starts a new one.

Before, with ``replacement`` of an address: ``GET http://172.12.1.189:8080/`` → 302 → a session every 10 s.
After: ``GET http://172.12.1.189:8080/health`` → 200, no session.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from necropsy.examine import evidence
from necropsy.model.figures import percent, several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Severity
from necropsy.probes.session_risk import may_create

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.probe import Probe

CLAIMS = (
    "SELECT * FROM birth_claim WHERE store = ? AND (creator = 'probe' OR (creator = 'visitor' AND period_s IS NOT NULL))"
    " ORDER BY births DESC, label"
)


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """Judge each store's clockwork births; clear the probes that create nothing."""
    probes = evidence.probes(case)
    guilty: set[int] = set()
    for store, total in evidence.sessions_by_store(case).items():
        claims = case.rows(CLAIMS, [store])
        if not claims or not total:
            continue
        guilty |= {claim["probe_id"] for claim in claims if claim["probe_id"] is not None}
        yield _finding(store, total, claims, probes)
    yield from _cleared(case, probes, guilty)


def _finding(store: str, total: int, claims: list[dict[str, Any]], probes: Mapping[int, Probe]) -> Finding:
    born = sum(claim["births"] for claim in claims)
    share, low, high = (
        sum(claim[name] for claim in claims) / total for name in ("births", "births_low", "births_high")
    )
    configured = [claim for claim in claims if claim["probe_id"] is not None]
    confidence = Confidence.HIGH if configured and share >= 0.2 else Confidence.MEDIUM
    severity = Severity.CRITICAL if share >= 0.5 else Severity.WARNING if share >= 0.1 else Severity.INFO
    exhibits = tuple(_exhibit(store, claim, probes) for claim in claims)
    who = "monitoring" if configured else "a client that comes like clockwork"
    return Finding(
        severity=severity,
        confidence=confidence,
        title=f"{who[0].upper()}{who[1:]} creates {percent(share)} of the sessions in store {store}",
        text=(
            f"{born:,.0f} of {total:,} sessions were born at the phases of {len(claims)} repeated request"
            f"{'s' if len(claims) != 1 else ''}. A prober keeps no cookie between requests, so each of its visits to a"
            " page that starts a session leaves one more."
        ),
        primary=exhibits[0],
        supporting=exhibits[1:],
        store=store,
        share=min(1.0, share),
        share_low=max(0.0, min(low, share)),
        share_high=min(1.0, max(high, share)),
    )


def _exhibit(store: str, claim: dict[str, Any], probes: Mapping[int, Probe]) -> Exhibit:
    probe = probes.get(claim["probe_id"]) if claim["probe_id"] is not None else None
    seen = {True: "in the access log", False: "in no access log", None: "no access log given"}[claim["in_access_log"]]
    period = f" every {claim['period_s']:g} s" if claim["period_s"] else ""
    what = f"{probe.method} {probe.url}" if probe else claim["label"]
    query = f"SELECT count(*) FROM session WHERE store = {evidence.quoted(store)}"
    if claim["phase_low_s"] is not None:
        phase = f"(epoch_ms(born_at) % {round(claim['period_s'] * 1000)}) / 1000.0"
        low, high = claim["phase_low_s"], claim["phase_high_s"]
        inside = (
            f"{phase} BETWEEN {low:g} AND {high:g}" if low <= high else f"({phase} >= {low:g} OR {phase} <= {high:g})"
        )
        query += f" AND {inside}"
    return Exhibit(
        title=f"{what}{period}: {several(claim['births'], 'session')}",
        text=f"{seen}; evidence: {claim['evidence']}",
        origin=probe.origin[0] if probe and probe.origin else None,
        query=query,
    )


def _cleared(case: Case, probes: Mapping[int, Probe], guilty: set[int]) -> Iterator[Cleared]:
    """Name the probers that were looked at and create nothing."""
    harmless = sorted({p.prober.split("/", 1)[0] for i, p in probes.items() if i not in guilty and not may_create(p)})
    agents = case.rows(
        "SELECT user_agent, path, sum(visits)::BIGINT AS visits FROM visitor_class WHERE period_s IS NOT NULL"
        " AND class_id NOT IN (SELECT class_id FROM birth_claim WHERE class_id IS NOT NULL)"
        # Who came at another time was not there to create anything.
        " AND NOT coalesce(first_at > (SELECT max(born_at) FROM session), false)"
        " AND NOT coalesce(last_at < (SELECT min(born_at) FROM session), false)"
        " GROUP BY ALL HAVING sum(visits) >= 5 ORDER BY visits DESC, user_agent, path LIMIT 5"
    )
    if agents and case.value("SELECT count(*) FROM birth_claim"):
        names = " and ".join(f"{row['user_agent'] or 'a nameless client'} ({row['path']})" for row in agents)
        yield Cleared("", f"{names} come{'s' if len(agents) == 1 else ''} like clockwork and create nothing")
    elif harmless and case.value("SELECT count(*) FROM birth_claim"):
        yield Cleared("", f"configured probes of {', '.join(harmless)} ask health endpoints only")
