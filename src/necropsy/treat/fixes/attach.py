"""Give findings their patches: edit, simulate again, keep what helps and loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from necropsy.model.finding import Finding, Patch
from necropsy.treat.edits import count_changes, edited, unified_diff, whole
from necropsy.treat.fixes.interface import Edits, FixContext
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
        What the examiners said.
    files, simulation
        All configuration texts, and what they do.
    simulate
        Simulates patched texts.
    """
    made: list[Finding] = []
    left = _MOST
    for finding in findings:
        fix = BY_SLUG.get(finding.slug)
        patches: tuple[Patch, ...] = ()
        if fix is not None and finding.remedy is not None and not finding.remedy.patches and left:
            context = FixContext(finding, tuple(files), simulation)
            edits = fix.edit(context)
            if edits and all(file.patchable for file in files if file.name in edits):
                left -= 1
                after = _patched(context, edits, simulate)
                effect = fix.effect(context, after) if not _breaks(context, after) else ""
                patches = _patches(context, after, effect) if effect else ()
        made.append(
            replace(finding, remedy=replace(finding.remedy, patches=patches)) if patches and finding.remedy else finding
        )
    return tuple(made)


def _patched(context: FixContext, edits: Edits, simulate: Simulate) -> FixContext:
    files = tuple(edited(file, edits.get(file.name, ())) for file in context.files)
    return FixContext(context.finding, files, simulate(files))


def _breaks(before: FixContext, after: FixContext) -> bool:
    """Whether a program would refuse what it took before. Lines move, so reasons are compared; a file is not given twice."""
    known = {problem.reason for problem in before.simulation.problems}
    return any(problem.line and problem.reason not in known for problem in after.simulation.problems)


def _patches(before: FixContext, after: FixContext, effect: str) -> tuple[Patch, ...]:
    patches: list[Patch] = []
    for old, new in zip(before.files, after.files, strict=True):
        if old.text != new.text and old.name not in {patch.file for patch in patches}:
            diff = unified_diff(old.name, whole(old), whole(new))
            patches.append(Patch(old.name, diff, *count_changes(diff), effect))
    return tuple(patches)
