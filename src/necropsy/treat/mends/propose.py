"""Give findings their patches: edit, simulate again, keep what helps and loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from necropsy.model.finding import Finding, Patch
from necropsy.treat.edits import apply, count_changes, unified_diff
from necropsy.treat.mends.interface import Edits, Scene
from necropsy.treat.mends.registry import BY_SLUG

if TYPE_CHECKING:
    from necropsy.probes.simulate import ConfigurationFile, Simulation

Simulate = Callable[[Sequence["ConfigurationFile"]], "Simulation"]
"""Configuration texts to what they do. Handed in, so that the judge of a patch is the judge of the case."""
_MOST: Final = 20
"""Each patch costs a simulation; who has more findings mends these first."""


def mended(
    findings: Iterable[Finding], files: Sequence[ConfigurationFile], simulation: Simulation, simulate: Simulate
) -> tuple[Finding, ...]:
    """Return the findings, those with a mend with its patches beside the advice that they have.

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
        mend = BY_SLUG.get(finding.slug)
        patches: tuple[Patch, ...] = ()
        if mend is not None and finding.remedy is not None and not finding.remedy.patches and left:
            scene = Scene(finding, tuple(files), simulation)
            edits = mend.edit(scene)
            if edits:
                left -= 1
                after = _patched(scene, edits, simulate)
                effect = mend.effect(scene, after) if not _breaks(scene, after) else ""
                patches = _patches(scene, after, effect) if effect else ()
        made.append(
            replace(finding, remedy=replace(finding.remedy, patches=patches)) if patches and finding.remedy else finding
        )
    return tuple(made)


def _patched(scene: Scene, edits: Edits, simulate: Simulate) -> Scene:
    files = tuple(replace(file, text=apply(file.text, edits.get(file.name, ()))) for file in scene.files)
    return Scene(scene.finding, files, simulate(files))


def _breaks(before: Scene, after: Scene) -> bool:
    """Whether a program would refuse what it took before. Lines move, so reasons are compared; a file is not given twice."""
    known = {problem.reason for problem in before.simulation.problems}
    return any(problem.line and problem.reason not in known for problem in after.simulation.problems)


def _patches(before: Scene, after: Scene, effect: str) -> tuple[Patch, ...]:
    patches = []
    for old, new in zip(before.files, after.files, strict=True):
        if old.text != new.text:
            diff = unified_diff(old.name, old.text, new.text)
            patches.append(Patch(old.name, diff, *count_changes(diff), effect))
    return tuple(patches)
