"""Reporting: the case, read back as the value that every report renders. ``necropsy report`` does this and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from necropsy import __version__
from necropsy._internal.serialization import from_plain
from necropsy.autopsy import chart_data, course, verdict_inputs
from necropsy.autopsy.kept_claims import claims_of
from necropsy.autopsy.past import showing as past
from necropsy.examine import case_queries
from necropsy.examine.interface import in_order
from necropsy.examine.registry import SLUGS
from necropsy.model.evidence import Absent, Blemish, Source
from necropsy.model.finding import Finding
from necropsy.model.report import Report, StoreSummary
from necropsy.model.verdict import Verdict

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.verdict.evidence import Births

_SUMMARY = """
SELECT count(*) AS sessions, mode(layout) AS layout, mode(lifetime_s) AS lifetime_s,
       count(*) FILTER (WHERE authentication = 'yes') AS authenticated,
       count(*) FILTER (WHERE authentication = 'no') AS anonymous,
       count(*) FILTER (WHERE authentication = 'unknown') AS unknown,
       count(*) FILTER (WHERE state <> 'live') AS dead,
       coalesce(sum(keys), 0)::BIGINT AS session_keys, coalesce(sum(bytes), 0)::BIGINT AS session_bytes,
       min(born_at) AS oldest, max(born_at) AS newest
FROM session WHERE store = ?
"""


def report(case: Case, births: Mapping[str, Births] | None = None) -> Report:
    """Make the report of a case that has been judged.

    Parameters
    ----------
    case
        The case.
    births
        Births by store, when they are at hand; by default they are loaded from the case.
    """
    facts = case.meta()
    now = datetime.fromisoformat(facts["now"])
    verdict = from_plain(Verdict, json.loads(case.value("SELECT value FROM verdict")))
    findings = tuple(from_plain(Finding, json.loads(row["value"])) for row in case.rows("SELECT value FROM finding"))
    claims = claims_of(case)
    if births is None:
        births = verdict_inputs.births_by_store(case)
    layouts: Counter[str] = Counter(
        {
            row["layout"]: row["n"]
            for row in case.rows("SELECT layout, count(*) AS n FROM session GROUP BY 1 ORDER BY 1")
        }
    )
    stores = tuple(_summary(case, store) for store in births)
    events = past.events(case)
    probes = case_queries.probes(case)
    phased = {number for number, probe in probes.items() if probe.phase_s is not None}
    return Report(
        necropsy=facts.get("necropsy", __version__),
        taken_at=now,
        case=case.name,
        verdict=verdict,
        stores=stores,
        findings=in_order(findings, SLUGS),
        sources=tuple(_sources(case)),
        absent=tuple(
            Absent(**row) for row in case.rows("SELECT kind, locator, reason, hint FROM absence ORDER BY ALL")
        ),
        blemishes=tuple(
            Blemish(**row)
            for row in case.rows("SELECT file, unit, place, why, sample, count FROM blemish ORDER BY file, place, why")
        ),
        probes=tuple(probes.values()),
        births=tuple(chart_data.birth_charts(births, claims)),
        combs=tuple(chart_data.comb_charts(births, claims, phased)),
        populations=tuple(chart_data.population(case, each, now) for each in births.values()),
        chains=tuple(chart_data.chains(verdict)),
        frameworks=dict(layouts),
        histories=tuple(past.histories(case)),
        events=events,
        courses=tuple(course.courses(case, stores, events, now)),
    )


def _sources(case: Case) -> list[Source]:
    rows = case.rows("SELECT reader, locator, taken_at, sha256, size, store, note FROM source ORDER BY reader, locator")
    return [Source(**{**row, "taken_at": _utc(row["taken_at"]), "note": row["note"] or ""}) for row in rows]


def _utc(moment: Any) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None else None


def _summary(case: Case, store: str) -> StoreSummary:
    from necropsy.examine.sessions.immortal import IMMORTAL

    row = case.rows(_SUMMARY, [store])[0]
    families = case.rows(
        "SELECT coalesce(sum(keys), 0)::BIGINT AS keys, coalesce(sum(bytes), 0)::BIGINT AS bytes,"
        " coalesce(sum(keys) FILTER (WHERE role = 'other'), 0)::BIGINT AS other FROM key_family WHERE store = ?",
        [store],
    )[0]
    taken_at = case.value("SELECT max(taken_at) FROM source WHERE store = ?", [store])
    return StoreSummary(
        name=store,
        layout=row["layout"] or "none",
        keys=families["keys"],
        bytes=families["bytes"],
        sessions=row["sessions"],
        authenticated=row["authenticated"],
        anonymous=row["anonymous"],
        unknown=row["unknown"],
        immortal=case.value(f"SELECT count(*) FROM session WHERE store = ? AND {IMMORTAL}", [store]),
        dead=row["dead"],
        session_keys=row["session_keys"],
        session_bytes=row["session_bytes"],
        other_keys=families["other"],
        lifetime_s=row["lifetime_s"],
        oldest_birth=_utc(row["oldest"]),
        newest_birth=_utc(row["newest"]),
        taken_at=_utc(taken_at),
    )
