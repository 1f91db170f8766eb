"""Proposing patches: edit the texts, simulate again, show only what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from necropsy.model.errors import ConfigurationError
from necropsy.model.figures import several
from necropsy.model.finding import Finding, Patch, Remedy
from necropsy.probes.session_risk import may_create
from necropsy.treat import consul_patch, prometheus_patch
from necropsy.treat.edits import Insertion, apply, count_changes, edited, unified_diff, whole

if TYPE_CHECKING:
    from necropsy.model.probe import Probe
    from necropsy.probes.configuration_file import ConfigurationFile

_OF_PATHS: Final = frozenset(("probes/creates-sessions", "probes/wrong-path"))
Simulate = Callable[[Sequence["ConfigurationFile"]], Sequence["Probe"]]
"""Configuration texts to the probes that they make. Handed in, so that the judge of a patch is the judge of the case."""


def propose(files: Sequence[ConfigurationFile], probes: Sequence[Probe], simulate: Simulate) -> Remedy | None:
    """Propose a remedy for blackbox probes that ask for a page which may create sessions.

    Parameters
    ----------
    files
        All configuration texts of the case.
    probes
        What they make now.
    simulate
        Makes probes from patched texts.

    Returns
    -------
    Remedy or None
        None when nothing is wrong. Without patches (advice alone) when no edit makes the configuration harmless.
    """
    wrong = [probe for probe in probes if probe.kind == "blackbox-http" and may_create(probe)]
    if not wrong:
        return None
    edits = _edits(files, wrong)
    patched = [edited(file, edits.get(file.name, ())) for file in files]
    if edits and all(file.patchable for file in files if file.name in edits):
        after = simulate([_reloaded(file, wrong) for file in patched])
        still = [probe for probe in after if probe.kind == "blackbox-http" and may_create(probe)]
        if not still and _same_targets(probes, after):
            return _remedy(files, patched, edits, wrong, after)
    return Remedy(
        title="Let the probes ask for a health endpoint",
        text=(
            "Give every discovered service its health endpoint in its meta, and join it to the address by a relabel"
            " rule; or answer the probes from a path outside the session middleware."
        ),
        undo="reload the configuration as it was",
        safe=False,
    )


def attach_path_remedy(findings: Iterable[Finding], remedy: Remedy | None) -> tuple[Finding, ...]:
    """Give the findings about paths the remedy of ``propose``; what is said of one service keeps its own advice."""
    made = []
    for finding in findings:
        given = finding
        if remedy is not None and finding.slug in _OF_PATHS and finding.remedy is None:
            given = replace(finding, remedy=remedy)
        elif remedy is not None and finding.slug == "probes/partial-fix" and finding.remedy and finding.store is None:
            given = replace(finding, remedy=replace(finding.remedy, patches=remedy.patches))
        made.append(given)
    return tuple(made)


def _reloaded(file: ConfigurationFile, wrong: Sequence[Probe]) -> ConfigurationFile:
    """A saved answer of Consul as it will be after the agents have read their patched definitions."""
    if file.kind != "consul":
        return file
    try:
        return replace(
            file, text=apply(file.text, consul_patch.foresee_answer(file.text, file.name, _endpoints(wrong)))
        )
    except ConfigurationError:
        return file


def _edits(files: Sequence[ConfigurationFile], wrong: Sequence[Probe]) -> Mapping[str, list[Insertion]]:
    jobs = frozenset(probe.prober.split("/", 1)[1] for probe in wrong if probe.prober.startswith("prometheus/"))
    edits: dict[str, list[Insertion]] = {}
    for file in files:
        try:
            if file.kind == "prometheus":
                insertions = prometheus_patch.join_health_endpoint(file.text, file.name, jobs)
            elif file.kind == "consul":
                insertions = consul_patch.name_health_endpoint(file.text, file.name, _endpoints(wrong))
            else:
                continue
        except ConfigurationError:  # reported when it was read; a broken file is not patched
            continue
        if insertions:
            edits[file.name] = insertions
    return edits


def _endpoints(wrong: Sequence[Probe]) -> dict[tuple[str, str], str]:
    """Health endpoint of each (service name, service ID) that is asked for the wrong page.

    The agents of one service carry equal definitions, and a definition does not say on which node it lies: each file
    that defines the service is patched.
    """
    return {
        (probe.service, probe.instance): probe.health_path
        for probe in wrong
        if probe.service and probe.instance and probe.health_path
    }


def _same_targets(before: Sequence[Probe], after: Sequence[Probe]) -> bool:
    """Whether the patch loses no target and adds none: only paths may change."""
    return sorted((p.prober, p.host, p.port) for p in before) == sorted((p.prober, p.host, p.port) for p in after)


def _remedy(
    files: Sequence[ConfigurationFile],
    patched: Sequence[ConfigurationFile],
    edits: Mapping[str, list[Insertion]],
    wrong: Sequence[Probe],
    after: Sequence[Probe],
) -> Remedy:
    before_urls = {(p.prober, p.host, p.port) for p in wrong}
    now = sorted({p.path for p in after if (p.prober, p.host, p.port) in before_urls})
    effect = f"{several(len(wrong), 'probe')} {'asks' if len(wrong) == 1 else 'ask'} for {', '.join(now)} instead"
    patches: list[Patch] = []
    for old, new in zip(files, patched, strict=True):
        if old.name not in edits or old.name in {patch.file for patch in patches}:
            continue
        diff = unified_diff(old.name, whole(old), whole(new))
        added, removed = count_changes(diff)
        patches.append(Patch(old.name, diff, added, removed, effect))
    return Remedy(
        title=f"Let the probes ask for {', '.join(now)}",
        text=(
            "Apply the patches, reload the Consul agents on every server, then Prometheus. Births stop at once; keys fall"
            " as sessions expire."
        ),
        undo="apply the patches in reverse (patch -R -p1) and reload",
        safe=False,
        patches=tuple(patches),
    )
