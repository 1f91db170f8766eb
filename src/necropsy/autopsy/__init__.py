"""The conductor: read, attribute, examine, weigh, propose. Prints nothing.

``sources`` says what to read, ``reading`` fills a case, ``judging`` comes to a verdict, ``reporting`` and ``pictures``
make the value that every report renders. ``examine`` and ``report`` below are the two ways in.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from necropsy._internal.progress import Progress

if TYPE_CHECKING:
    from necropsy.autopsy.sources import Sources
    from necropsy.model.report import Report


def examine(
    sources: Sources,
    *,
    case_path: Path | None = None,
    withhold_key: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Perform a whole autopsy: sources in, report out; the case is kept when ``case_path`` is given.

    Raises
    ------
    NoEvidence
        Nothing was given, or nothing that was given could be read.
    CaseError
        The case cannot be written.
    """
    from necropsy.autopsy import judging, past, reading, reporting, verdict_inputs
    from necropsy.case.store import Case

    report_progress: Progress = progress or (lambda _stage, _share: None)
    sources.require_some()
    with Case.create(case_path, withhold_key=withhold_key, large=reading.needs_disk(sources)) as case:
        evidence = reading.read(case, sources, report_progress)
        births = verdict_inputs.births_by_store(case)
        past.record(evidence, sources, births, report_progress)
        report_progress("weighing the evidence", None)
        judging.judge(case, evidence, sources, births)
        return reporting.report(case, births)


def report(case_path: Path) -> Report:
    """Make the report of a finished case again; reads nothing but the case.

    Raises
    ------
    CaseError
        Not a case file, or one of a newer necropsy.
    """
    from necropsy.autopsy import reporting
    from necropsy.case.store import Case

    with Case.open(case_path) as case:
        return reporting.report(case)
