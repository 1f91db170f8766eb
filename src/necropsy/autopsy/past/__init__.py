"""Over time: series of Prometheus, older cases and the sessions' own births become one history with its changes and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from necropsy._internal.progress import Progress
    from necropsy.autopsy.evidence_log import Evidence, EvidenceLog
    from necropsy.autopsy.sources import Sources


def record(
    evidence_log: EvidenceLog,
    evidence: Evidence,
    sources: Sources,
    report_progress: Progress,
) -> None:
    """Write the history, the events and the change points of every store into the case.

    Raises
    ------
    UsageError
        An event in the future, or an older case that is about other stores.
    """
    from necropsy.autopsy import verdict_inputs
    from necropsy.autopsy.past import events as named
    from necropsy.autopsy.past import from_prometheus, from_sessions, keeping

    case = evidence_log.case
    births = verdict_inputs.births_by_store(case)
    events = [*named.given(sources, evidence.now), *named.commits(sources, evidence.now)]
    series = []
    for address in sources.history:
        found, seen = from_prometheus.read(evidence_log, address, sources, evidence.now, report_progress)
        series += found
        events += seen
    for path in sources.before:
        series += from_sessions.older(evidence_log, path, births)
    series += from_sessions.own(births)
    keeping.keep_events(case, events)
    for past in series:
        keeping.keep_births(case, past)
        keeping.keep_changes(case, past, events)
