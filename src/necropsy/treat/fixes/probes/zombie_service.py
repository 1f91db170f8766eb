"""``probes/zombie-service``: a rule that drops what is gone, by node and instance, until somebody has deregistered it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several
from necropsy.treat.edits.yaml_fields import job_named, literal, quoted, rule_added
from necropsy.treat.fixes.interface import Edits, Fix, FixContext, asked

if TYPE_CHECKING:
    from necropsy.probes.prometheus.targets.target import Target

_LABELS: Final = ("__meta_consul_node", "__meta_consul_service_id")
_MOST: Final = 20
"""More than these are not named one by one in a rule: Consul wants cleaning."""


def _zombies(context: FixContext) -> list[Target]:
    """Targets that are asked although their instance is gone."""
    finding = context.finding
    exhibits = [exhibit for exhibit in (finding.primary, *finding.supporting) if exhibit is not None]
    gone = {(exhibit.origin.file, exhibit.origin.line) for exhibit in exhibits if exhibit.origin is not None}
    return [
        found.target
        for found in context.targets()
        if not found.target.dropped_because and any((o.file, o.line) in gone for o in found.identity().lines[:1])
    ]


def _edit(context: FixContext) -> Edits:
    zombies = _zombies(context)
    named: dict[str, dict[str, None]] = {}
    for target in zombies:
        labels = target.discovered_labels
        values = [labels.get(name, "") for name in _LABELS]
        if not all(values) or len(zombies) > _MOST:  # without its node a rule would drop the living one as well
            return {}
        named.setdefault(f"prometheus/{target.job}", {})[";".join(map(literal, values))] = None
    edits: Edits = {}
    for file in context.of_kind("prometheus"):
        for prober, patterns in named.items():
            job = job_named(context.tree(file), prober)
            rule = (f"source_labels: [{', '.join(_LABELS)}]", f"regex: {quoted('|'.join(patterns))}", "action: drop")
            if job is not None and (insertions := rule_added(file.text, job, rule, first=True)):
                edits.setdefault(file.name, []).extend(insertions)
    return edits


def _effect(before: FixContext, after: FixContext) -> str:
    count = len(_zombies(before))
    then, now = list(asked(before.simulation)), asked(after.simulation)
    if not count or len(then) - len(now) != count or _zombies(after) or set(now) - set(then):
        return ""
    return f"{several(count, 'probe')} fewer, of instances that are gone; remove the rule once they are deregistered"


FIX: Final = Fix(("probes/zombie-service",), _edit, _effect)
