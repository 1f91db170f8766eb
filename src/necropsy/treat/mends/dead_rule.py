"""``probes/dead-rule``: write the label that the targets do have in place of the one that none of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several
from necropsy.probes.walk import discovered, tallies
from necropsy.treat.mends.interface import Edits, Mend, Scene
from necropsy.treat.mends.yaml_edits import replaced

if TYPE_CHECKING:
    from necropsy.probes.walk import Tally


def _accused(scene: Scene) -> Tally | None:
    origin = scene.finding.primary.origin if scene.finding.primary else None
    if origin is None:
        return None
    for tally in tallies(discovered(scene.files)):
        node = tally.rule.node
        if (node.file, node.line) == (origin.file, origin.line):
            return tally
    return None


def _edit(scene: Scene) -> Edits:
    tally = _accused(scene)
    if tally is None or tally.absent_label is None or tally.alike is None:
        return {}
    text = next((file.text for file in scene.files if file.name == tally.rule.node.file), "")
    for name in tally.rule.node.get("source_labels") or ():
        if name.text() == tally.absent_label:
            edits = replaced(text, name, tally.alike)
            return {tally.rule.node.file: edits} if edits else {}
    return {}


def _effect(_: Scene, after: Scene) -> str:
    tally = _accused(after)
    if tally is None or not tally.matched:
        return ""
    return f"the rule touches {tally.matched:,} of {several(tally.reached, 'target')}"


MEND: Final = Mend("probes/dead-rule", _edit, _effect)
