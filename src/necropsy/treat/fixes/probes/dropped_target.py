"""``probes/dropped-target``: a rule writes an address, not a URL, and leaves the parameter of others alone.

A rule that writes a URL into ``__address__`` writes the address alone; one that deletes the target parameter of those without
a label touches only those with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several
from necropsy.probes.prometheus.targets.requests import ERASED, erased_by
from necropsy.treat.edits.yaml_fields import field_set, replaced
from necropsy.treat.fixes.interface import Edits, Fix, FixContext

if TYPE_CHECKING:
    from necropsy.probes.prometheus.targets.target import Target

_URL: Final = re.compile(r"https?://([^/\s]+)/?")


def _edit(context: FixContext) -> Edits:
    reason = _reason(context)
    if ERASED in reason:
        return _heedful(context)
    for target in (found.target for found in context.targets()):
        if target.dropped_by is None and target.dropped_because and target.dropped_because == reason:
            return _of(context, target)
    return {}


def _reason(context: FixContext) -> str:
    """Return why the targets of the finding are lost: each exhibit is a target, and says so."""
    return context.finding.primary.text if context.finding.primary is not None else ""


def _heedful(context: FixContext) -> Edits:
    """Let the rule that deletes the parameter touch only the targets that have its label."""
    accused = context.finding.primary.origin if context.finding.primary else None
    for target in (found.target for found in context.targets()):
        erased = erased_by(target)
        if erased is None or accused is None or (erased[0].node.file, erased[0].line) != (accused.file, accused.line):
            continue
        rule = erased[0]
        if len(rule.source_labels) != 1 or rule.regex != "(.*)" or not rule.replacement:
            return {}
        text = context.text(rule.node.file)
        edits = field_set(text, rule.node, "regex", "(.+)")
        return {rule.node.file: edits} if edits else {}
    return {}


def _of(context: FixContext, target: Target) -> Edits:
    writers = [step.rule.node for step in target.steps if "__address__" in step.written]
    replacement = writers[-1].get("replacement") if writers else None
    url = _URL.fullmatch(replacement.text()) if replacement is not None else None
    if replacement is None or url is None:
        return {}
    text = context.text(replacement.file)
    edits = replaced(text, replacement, url[1])
    return {replacement.file: edits} if edits else {}


def _effect(before: FixContext, after: FixContext) -> str:
    reason = _reason(before)

    def lost(context: FixContext) -> int:
        return sum(entry.reason == reason for entry in context.simulation.dropped)

    more = len(after.simulation.probes) - len(before.simulation.probes)
    if lost(after) or more <= 0:
        return ""
    was, now = ("was", "is") if more == 1 else ("were", "are")
    return f"{several(more, 'target')} that {was} never probed before {now} probed"


FIX: Final = Fix(("probes/dropped-target",), _edit, _effect)
