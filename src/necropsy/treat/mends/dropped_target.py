"""``probes/dropped-target``: a rule that writes a URL into ``__address__`` writes the address alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several
from necropsy.probes.walk import discovered
from necropsy.treat.mends.interface import Edits, Mend, Scene
from necropsy.treat.mends.yaml_edits import replaced

if TYPE_CHECKING:
    from necropsy.probes.target import Target

_URL: Final = re.compile(r"https?://([^/\s]+)/?")


def _edit(scene: Scene) -> Edits:
    for target in discovered(scene.files):
        if target.dropped_by is None and target.dropped_because and target.dropped_because in scene.finding.title:
            return _of(scene, target)
    return {}


def _of(scene: Scene, target: Target) -> Edits:
    writers = [step.rule.node for step in target.steps if "__address__" in step.written]
    replacement = writers[-1].get("replacement") if writers else None
    url = _URL.fullmatch(replacement.text()) if replacement is not None else None
    if replacement is None or url is None:
        return {}
    text = next((file.text for file in scene.files if file.name == replacement.file), "")
    edits = replaced(text, replacement, url[1])
    return {replacement.file: edits} if edits else {}


def _effect(before: Scene, after: Scene) -> str:
    def lost(scene: Scene) -> int:
        return sum(entry.reason in before.finding.title for entry in scene.simulation.dropped)

    more = len(after.simulation.probes) - len(before.simulation.probes)
    if lost(after) or more <= 0:
        return ""
    return f"{several(more, 'target')} that nobody asked before {'is' if more == 1 else 'are'} asked"


MEND: Final = Mend("probes/dropped-target", _edit, _effect)
