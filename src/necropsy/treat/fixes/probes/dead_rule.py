"""``probes/dead-rule``: write the label that the targets do have in place of the one that none of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several
from necropsy.probes.relabel_coverage import tallies
from necropsy.treat.edits.yaml_fields import replaced
from necropsy.treat.fixes.interface import Edits, Fix, FixContext

if TYPE_CHECKING:
    from necropsy.probes.relabel_coverage import RuleCoverage


def _accused(context: FixContext) -> RuleCoverage | None:
    origin = context.finding.primary.origin if context.finding.primary else None
    if origin is None:
        return None
    for tally in tallies(found.target for found in context.targets()):
        node = tally.rule.node
        if (node.file, node.line) == (origin.file, origin.line):
            return tally
    return None


def _edit(context: FixContext) -> Edits:
    tally = _accused(context)
    if tally is None or tally.absent_label is None or tally.alike is None:
        return {}
    text = context.text(tally.rule.node.file)
    for name in tally.rule.node.get("source_labels") or ():
        if name.text() == tally.absent_label:
            edits = replaced(text, name, tally.alike)
            return {tally.rule.node.file: edits} if edits else {}
    return {}


def _effect(_: FixContext, after: FixContext) -> str:
    tally = _accused(after)
    if tally is None or not tally.matched:
        return ""
    return f"the rule touches {tally.matched:,} of {several(tally.reached, 'target')}"


FIX: Final = Fix(("probes/dead-rule",), _edit, _effect)
