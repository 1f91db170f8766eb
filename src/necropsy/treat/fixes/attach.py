"""Give findings their patches: edit, simulate again, keep what helps and loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from necropsy.model.finding import Finding, Patch
from necropsy.probes.session_risk import asks_for_page
from necropsy.treat.edits.text import Insertion, count_changes, edited, unified_diff, whole
from necropsy.treat.fixes.interface import Documents, Edits, Fix, FixContext
from necropsy.treat.fixes.registry import BY_SLUG

if TYPE_CHECKING:
    from necropsy.probes.configuration_file import ConfigurationFile
    from necropsy.probes.simulate import Simulation

Simulate = Callable[[Sequence["ConfigurationFile"]], "Simulation"]
"""Configuration texts to what they do. Handed in, so that the judge of a patch is the judge of the case."""
_MOST: Final = 20
"""Each patch costs a simulation; who has more findings fixes these first."""


def attach_fixes(
    findings: Iterable[Finding], files: Sequence[ConfigurationFile], simulation: Simulation, simulate: Simulate
) -> tuple[Finding, ...]:
    """Return the findings, those with a fix with its patches beside the advice that they have.

    Parameters
    ----------
    findings
        What the examiners reported.
    files, simulation
        All configuration texts, and what they do.
    simulate
        Simulates patched texts.
    """
    workshop = _Workshop(tuple(files), simulation, simulate)
    return tuple(workshop.fixed(finding) for finding in findings)


class _Workshop:
    """The configuration of a case, with what was parsed and simulated of it so far."""

    def __init__(self, files: tuple[ConfigurationFile, ...], simulation: Simulation, simulate: Simulate) -> None:
        self.files, self.simulation, self.simulate = files, simulation, simulate
        self.documents = Documents()
        self.simulated: dict[object, tuple[tuple[ConfigurationFile, ...], Simulation]] = {}

    def fixed(self, finding: Finding) -> Finding:
        if finding.remedy is not None and finding.remedy.patches:
            return finding
        before = FixContext(finding, self.files, self.simulation, self.documents)
        advice = None
        for fix in BY_SLUG.get(finding.slug, ()):
            after = self.after(fix, before)
            effect = fix.effect(before, after) if after is not None and not _breaks(before, after) else ""
            patches = _patches(before, after, effect) if after is not None and effect else ()
            if patches:
                remedy = finding.remedy or fix.remedy(before, after)
                return replace(finding, remedy=replace(remedy, patches=patches)) if remedy is not None else finding
            advice = advice or fix.remedy(before, None)
        return finding if finding.remedy is not None or advice is None else replace(finding, remedy=advice)

    def after(self, fix: Fix, before: FixContext) -> FixContext | None:
        """Return the context once the edits of a fix were made; None without edits that can be made."""
        edits = fix.edit(before)
        if not edits or not all(file.patchable for file in before.files if file.name in edits):
            return None
        foreseen = fix.foresee(before)
        key = (_hashable(edits), _hashable(foreseen))
        if key not in self.simulated:
            if len(self.simulated) >= _MOST:
                return None
            everything = {
                name: list(dict.fromkeys([*edits.get(name, ()), *foreseen.get(name, ())])) for name in edits | foreseen
            }
            self.simulated[key] = (_edited(before.files, edits), self.simulate(_edited(before.files, everything)))
        return FixContext(before.finding, *self.simulated[key], self.documents)


def _hashable(edits: Mapping[str, Sequence[Insertion]]) -> tuple[tuple[str, tuple[Insertion, ...]], ...]:
    return tuple((name, tuple(insertions)) for name, insertions in sorted(edits.items()))


def _edited(files: Sequence[ConfigurationFile], edits: Edits) -> tuple[ConfigurationFile, ...]:
    return tuple(edited(file, edits.get(file.name, ())) for file in files)


def _breaks(before: FixContext, after: FixContext) -> bool:
    """Whether a program would refuse what it took before. Lines move, so reasons are compared; a file is not given twice."""
    known = {problem.reason for problem in before.simulation.problems}
    return any(problem.line and problem.reason not in known for problem in after.simulation.problems)


def _creating(simulation: Simulation) -> set[str]:
    """Return the requests that may create sessions."""
    return {f"{probe.prober} {probe.method} {probe.url}" for probe in simulation.probes if asks_for_page(probe)}


def _patches(before: FixContext, after: FixContext, effect: str) -> tuple[Patch, ...]:
    patches: list[Patch] = []
    stops = tuple(sorted(_creating(before.simulation) - _creating(after.simulation)))
    for old, new in zip(before.files, after.files, strict=True):
        if old.text != new.text and old.name not in {patch.file for patch in patches}:
            diff = unified_diff(old.name, whole(old), whole(new))
            patches.append(Patch(old.name, diff, *count_changes(diff), effect, stops))
    return tuple(patches)
