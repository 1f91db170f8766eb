"""Judging: attribute the births, run the examiners, propose remedies, weigh. Everything it says goes into the case."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from necropsy._internal.serialization import to_plain
from necropsy.autopsy.evidence_log import Evidence
from necropsy.autopsy.reading import simulate

if TYPE_CHECKING:
    from necropsy.autopsy.sources import Sources
    from necropsy.case.store import Case
    from necropsy.model.verdict import Verdict
    from necropsy.verdict.evidence import Births


def judge(case: Case, evidence: Evidence, sources: Sources, births: Mapping[str, Births]) -> Verdict:
    """Come to a verdict on the births and write it, with its findings and claims, into the case."""
    from necropsy.autopsy import verdict_inputs, what_if
    from necropsy.examine.interface import examine_all
    from necropsy.examine.registry import EXAMINERS
    from necropsy.treat.fixes.attach import attach_fixes
    from necropsy.verdict.attribution import attribute
    from necropsy.verdict.weigh import Weighed, weigh

    around = verdict_inputs.circumstances(case, evidence, births)
    attribution = attribute(list(births.values()), around)
    verdict_inputs.record(case, attribution)
    examination = examine_all(case, EXAMINERS)

    findings = examination.findings
    if evidence.simulation is not None:
        findings = attach_fixes(
            findings, evidence.files, evidence.simulation, lambda files: simulate(list(files), sources)
        )
    predictions = what_if.dated(
        case, verdict_inputs.predictions(case, evidence, around, births, attribution.claims), evidence.now
    )
    verdict = weigh(
        findings,
        examination.cleared,
        examination.unexamined,
        Weighed(
            claims=attribution.claims,
            probes=around.probes,
            classes={visitors.class_id: visitors for visitors in around.classes},
            sessions={name: store.total for name, store in births.items()},
            bytes_per_session={name: store.bytes_per_session for name, store in births.items()},
            predictions=predictions,
            now=evidence.now,
            accounts=attribution.accounts,
            offsets=attribution.offsets,
            held=attribution.held,
            coverage={name: store.coverage for name, store in births.items()},
            layouts=verdict_inputs.layouts(case),
            read_at=verdict_inputs.read_at(case, evidence.now),
            logs=evidence.logs_given,
        ),
    )
    case.append("finding", [{"slug": f.slug, "value": json.dumps(to_plain(f))} for f in findings])
    case.append("verdict", [{"value": json.dumps(to_plain(verdict))}])
    return verdict
