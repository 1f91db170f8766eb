"""``probes/creates-sessions``: a configured, repeated request creates a new session each time.

Signs: births follow the visits of a client that comes at one period, or of a configured probe; trains of births at a
probe's period; or sessions name a prober as their creator. Reason: a prober keeps no cookie from one request to the next,
so every answer that starts a session starts a new one.

Before, with ``replacement`` of an address: ``GET http://172.12.1.189:8080/`` → 302 → a session every 10 s.
After: ``GET http://172.12.1.189:8080/health`` → 200, no session.

Cleared is only who was tested: so many visits, so many of them followed by a birth, as many as chance would have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import case_queries, creation
from necropsy.examine.interface import Examiner
from necropsy.model.figures import percent, several
from necropsy.model.finding import Cleared, Exhibit, Finding, Severity
from necropsy.model.verdict import HOW_KNOWN

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.probe import Probe

_MOST_CLEARED: Final = 5
_TESTED: Final = """
SELECT coalesce(v.user_agent, p.prober, '') AS who, coalesce(v.method || ' ' || v.path, p.method || ' ' || p.url, '') AS asks,
  (sum(t.visits) FILTER (WHERE t.outcome = 'innocent'))::BIGINT AS visits,
  (sum(t.followed) FILTER (WHERE t.outcome = 'innocent'))::BIGINT AS followed,
  sum(t.chance * t.visits) FILTER (WHERE t.outcome = 'innocent')
    / sum(t.visits) FILTER (WHERE t.outcome = 'innocent') AS chance
FROM creation_test t LEFT JOIN visitor_class v ON v.class_id = t.class_id LEFT JOIN probe p ON p.probe_id = t.probe_id
WHERE t.class_id IS NOT NULL OR t.outcome <> 'innocent' OR (
  t.chance > 0 AND p.url NOT IN (SELECT q.url FROM birth_claim b JOIN probe q ON q.probe_id = b.probe_id))
GROUP BY 1, 2
HAVING bool_and(t.outcome IN ('innocent', 'untested')) AND sum(t.visits) FILTER (WHERE t.outcome = 'innocent') > 0
  AND bool_or(v.period_s IS NOT NULL OR t.probe_id IS NOT NULL)
  AND max(t.followed::DOUBLE / greatest(t.visits, 1) - t.chance) <= 0.5
ORDER BY visits DESC, who, asks
"""
"""Clients that were tested, and are periodic or configured: no client of that name creates sessions at that page.

Visits of two that keep one rhythm may meet again and again: by chance, but not as often as chance has it. Who is followed
by a birth nearly each time is not cleared, whatever else explains these births. Of a probe that no log shows the requests
are reckoned, not seen: where chance has it that none was followed they were not placed in time, and it is not cleared.
"""


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """Judge each store's births by probes; clear the probers that were tested and create nothing."""
    probes = case_queries.probes(case)
    for made in creation.created(case, creation.PROBES):
        if made.total and made.births >= 1:
            yield _finding(case, made, probes)
    yield from _cleared(case)


def _finding(case: Case, made: creation.Created, probes: Mapping[int, Probe]) -> Finding:
    configured = any(claim["probe_id"] is not None for claim in made.claims)
    who = "Monitoring" if configured else "A client that comes at a fixed interval"
    named = [probes[claim["probe_id"]].prober for claim in made.claims if claim["probe_id"] in probes]
    found = creation.finding(
        case,
        made,
        f"{who} creates {percent(made.share)} of the sessions in store {made.store}",
        f"{made.births:,.0f} of {several(made.total, 'session')} were created by"
        f" {several(len(made.claims), 'repeated request')}. A prober keeps no cookie between requests, so each visit to a"
        " page that starts a session leaves another one.",
        tuple(_exhibit(made.store, claim, probes) for claim in made.claims),
    )
    return replace(found, probers=tuple(dict.fromkeys(named)))


def _exhibit(store: str, claim: dict[str, Any], probes: Mapping[int, Probe]) -> Exhibit:
    probe = probes.get(claim["probe_id"]) if claim["probe_id"] is not None else None
    seen = {True: "in the access log", False: "not in any access log", None: "no access log given"}[
        claim["in_access_log"]
    ]
    period = f" every {claim['period_s']:g} s" if claim["period_s"] else ""
    what = f"{probe.method} {probe.url}" if probe and not claim["one_of"] else claim["label"]
    if claim["one_of"]:
        urls = [probes[number].url for number in claim["one_of"] if number in probes]
        seen += f"; one of {', '.join(urls)}" if len(urls) > 1 else "; configured no more"
        period = ""  # the label has it
    return Exhibit(
        title=f"{what}{period}: {several(claim['births'], 'session')}",
        text=f"{seen}; {HOW_KNOWN[claim['evidence']]}",
        origin=probe.origin[0] if probe and probe.origin else None,
        query=_query(store, claim),
    )


def _query(store: str, claim: dict[str, Any]) -> str:
    """Count its sessions: those that were attributed to it one by one, else those born at its phases."""
    counted = f"SELECT count(*) FROM session WHERE store = {literal(store)}"
    if claim["phase_low_s"] is None or not claim["period_s"]:
        if claim["claim_id"] is None:
            return counted
        return (
            f"SELECT count(*), sum(weight) FROM session_claim WHERE store = {literal(store)}"
            f" AND claim_id = {claim['claim_id']}"
        )
    phase = f"(epoch_ms(born_at) % {round(claim['period_s'] * 1000)}) / 1000.0"
    low, high = claim["phase_low_s"], claim["phase_high_s"]
    inside = f"{phase} BETWEEN {low:g} AND {high:g}" if low <= high else f"({phase} >= {low:g} OR {phase} <= {high:g})"
    return f"{counted} AND {inside}"


def _cleared(case: Case) -> Iterator[Cleared]:
    """Name whoever comes at one period, was tested visit by visit, and creates nothing."""
    tested = case.rows(_TESTED)
    for row in tested[:_MOST_CLEARED]:
        name = row["who"] or "a client without a User-Agent"
        yield Cleared(
            "",
            f"{name} {row['asks']}: {several(row['visits'], 'visit')}; {percent(row['followed'] / row['visits'])} are followed"
            f" by a birth, and chance alone predicts {percent(min(1.0, row['chance'] or 0.0))}",
        )
    if len(tested) > _MOST_CLEARED:
        yield Cleared(
            "", f"{len(tested) - _MOST_CLEARED} more that come at a fixed interval were tested and create nothing"
        )


EXAMINER: Final = Examiner(
    slug="probes/creates-sessions",
    meaning="A configured, repeated request creates a new session each time.",
    severity=Severity.CRITICAL,
    needs=("session",),
    helped_by=("probe", "visitor_class"),
    examine=examine,
)
