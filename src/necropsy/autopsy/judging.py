"""Judging: attribute the births, run the examiners, propose remedies, weigh. Everything it says goes into the case."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from necropsy._internal.serialization import to_plain
from necropsy.autopsy.evidence_log import EvidenceInMemory
from necropsy.autopsy.reading import simulate
from necropsy.autopsy.sources import DumpPath, LiveAddress
from necropsy.wire.files import STANDARD_INPUT

if TYPE_CHECKING:
    from necropsy.autopsy.sources import Sources
    from necropsy.case.store import Case
    from necropsy.model.verdict import Verdict
    from necropsy.verdict.evidence import Births, Claim


def judge(case: Case, evidence: EvidenceInMemory, sources: Sources, births: Mapping[str, Births]) -> Verdict:
    """Come to a verdict on the births and write it, with its findings and claims, into the case."""
    from necropsy.autopsy import verdict_inputs, what_if
    from necropsy.autopsy.claimed_kinds import kinds_of_claims
    from necropsy.examine.case_queries import kept_expired
    from necropsy.examine.interface import examine_all
    from necropsy.examine.registry import EXAMINERS
    from necropsy.treat.fixes.attach import attach_fixes
    from necropsy.verdict.attribution import attribute
    from necropsy.verdict.weigh import Weighed, weigh

    around = verdict_inputs.circumstances(case, evidence, births)
    attribution = attribute(list(births.values()), around)
    if _timed(case, evidence, sources, attribution.claims):
        around = replace(around, probes=evidence.simulation.probes if evidence.simulation else ())
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
            server_clocks=attribution.server_clocks,
            coverage={name: store.coverage for name, store in births.items()},
            expired=kept_expired(case),
            layouts=verdict_inputs.layouts(case),
            kinds=kinds_of_claims(case),
            read_at=verdict_inputs.read_at(case, evidence.now),
            changed=verdict_inputs.changed_lifetimes(case),
            log_files=verdict_inputs.log_files(case),
            logs=evidence.logs_given,
            keys_command=_keys_command(sources),
        ),
    )
    case.append("finding", [{"slug": f.slug, "value": json.dumps(to_plain(f))} for f in findings])
    case.append("verdict", [{"value": json.dumps(to_plain(verdict))}])
    return verdict


def _keys_command(sources: Sources) -> str:
    """Return the command that lists the keys of the first store; with a name to be filled in where it was a stream."""
    locator = sources.stores[0].locator if sources.stores else DumpPath("-")
    if isinstance(locator, LiveAddress):
        return f"necropsy keys --redis {shlex.quote(locator.masked)}"
    return f"necropsy keys {'dump.rdb' if locator.text == STANDARD_INPUT else shlex.quote(locator.text)}"


def _timed(case: Case, evidence: EvidenceInMemory, sources: Sources, claims: Sequence[Claim]) -> bool:
    """Compute when each probe fires, where only the births tell on which machine Prometheus runs; say whether they do.

    Then trains that were matched with targets by number are attributed again, each to the target whose moment it keeps.
    """
    simulation = evidence.simulation
    if simulation is None or simulation.monitoring is None or sources.prometheus_host:
        return False
    by_number = any(c.probe_id is not None and c.class_id is None and c.evidence == "comb" for c in claims)
    if not by_number or any(probe.phase_s is not None for probe in simulation.probes):
        return False
    from necropsy.autopsy.prometheus_host import solve_by_births
    from necropsy.examine.case_queries import remember

    found = solve_by_births(case, simulation.monitoring, claims, sources.prometheus_version)
    if found is None:
        return False
    file, solution = found
    timed = simulate(
        evidence.files, replace(sources, prometheus_host=solution.host, prometheus_version=solution.version)
    )
    if [probe.url for probe in timed.probes] != [probe.url for probe in simulation.probes]:
        return False
    evidence.simulation = timed
    for number, probe in enumerate(timed.probes):
        if probe.phase_s is not None:
            case.execute(
                "UPDATE probe SET phase_s = $1, value = $2 WHERE probe_id = $3",
                [probe.phase_s, json.dumps(to_plain(probe)), number],
            )
    remember(case, timed.probes)
    said = (
        f"runs on {solution.host}: the name that explains the moments of {solution.explained} of {solution.trains}"
        " trains of births, each after a scrape of another target"
    )
    case.execute(
        "UPDATE source SET note = concat_ws('; ', nullif(note, ''), $1) WHERE reader = 'prometheus' AND locator = $2",
        [said, file],
    )
    return True
