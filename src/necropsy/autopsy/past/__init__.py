"""Over time: series of Prometheus, older cases and the sessions' own births become one history with its changes and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from necropsy._internal.progress import Progress
    from necropsy.autopsy.evidence_log import EvidenceInMemory
    from necropsy.autopsy.sources import Sources
    from necropsy.verdict.evidence import Births


def record(
    evidence: EvidenceInMemory,
    sources: Sources,
    births: Mapping[str, Births],
    report_progress: Progress,
) -> None:
    """Write the history, the events and the change points of every store into the case.

    Raises
    ------
    UsageError
        An event in the future, or an older case that is about other stores.
    NoEvidence
        The past was all that was given, and it cannot be had.
    """
    from necropsy.autopsy.past import events as named
    from necropsy.autopsy.past import from_sessions, keeping
    from necropsy.autopsy.reading import require_evidence

    case = evidence.log.case
    events = [*named.given(sources, evidence.now), *named.commits(sources, evidence.now)]
    series = []
    for address in sources.history:
        from necropsy.autopsy.past import from_prometheus

        found, seen = from_prometheus.read(evidence.log, address, sources, evidence.now, report_progress)
        series += found
        events += seen
    if sources.history:
        require_evidence(evidence.log)
    for path in sources.before:
        series += from_sessions.older(evidence.log, path, births)
    series += from_sessions.own(births)
    keeping.keep_events(case, events)
    for past in series:
        keeping.keep_births(case, past)
        keeping.keep_changes(case, past, events)
