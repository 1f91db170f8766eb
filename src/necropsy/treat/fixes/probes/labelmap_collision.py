"""``probes/labelmap-collision``: take the other labels away before the labelmap, so that one of them is always copied.

Before::

    - action: labelmap
      regex: __meta_kubernetes_(?:pod|service)_label_(.+)

After, with ``app`` at the pod and at the service of a target, one rule more::

    - action: labeldrop
      regex: __meta_kubernetes_service_label_app
    - action: labelmap
      …

Which of them is meant, nobody wrote down: the patch says that it is a guess, and what to confirm. The one is kept that all
targets have which have any of them, so no target loses the name; every other label must stay as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several
from necropsy.probes.relabel_coverage import tallies
from necropsy.treat.edits.yaml_fields import literal, quoted, rule_beside
from necropsy.treat.fixes.interface import Edits, Fix, FixContext, asked

if TYPE_CHECKING:
    from necropsy.probes.prometheus.relabel.relabelling import Rule

_MOST: Final = 12
"""Labels to drop; beyond them the regex itself should be written anew, by somebody who knows what is meant."""


def _accused(context: FixContext) -> Rule | None:
    origin = context.finding.primary.origin if context.finding.primary else None
    if origin is None:
        return None
    for tally in tallies(found.target for found in context.targets()):
        node = tally.rule.node
        if (node.file, node.line) == (origin.file, origin.line) and tally.collided:
            return tally.rule
    return None


def _sources(context: FixContext, rule: Rule) -> dict[str, dict[str, int]]:
    """Return, of each name that several labels get: how many targets have each of these labels."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    before: list[Mapping[str, str]] = []
    for found in context.targets():
        target = found.target
        steps = target.scrape_job.rules.steps(target.discovered_labels)
        for step in steps:
            if step.rule.node is rule.node:
                before.append(step.before)
                for collision in step.collisions:
                    for name, _ in collision.sources:
                        counts[collision.name][name] = 0
    for labels in before:
        for names in counts.values():
            for name in names:
                names[name] += name in labels
    return counts


def _kept(context: FixContext, rule: Rule) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each name, the label that keeps it, and those that lose it; nothing where none of them is everywhere."""
    for name, sources in sorted(_sources(context, rule).items()):
        winner = max(sources, key=lambda label: (sources[label], len(label), label))
        yield name, winner, sorted(sources.keys() - {winner})


def _edit(context: FixContext) -> Edits:
    rule = _accused(context)
    if rule is None:
        return {}
    losers = sorted({label for _, _, others in _kept(context, rule) for label in others})
    if not losers or len(losers) > _MOST or not all(label.startswith("__meta_") for label in losers):
        return {}  # without __meta_ a label is one of the target itself, and would be lost
    fields = ("action: labeldrop", f"regex: {quoted('|'.join(map(literal, losers)))}")
    edits = rule_beside(context.text(rule.node.file), rule.node, fields, before=True)
    return {rule.node.file: edits} if edits else {}


def _effect(before: FixContext, after: FixContext) -> str:
    rule = _accused(before)
    if rule is None or asked(before.simulation) != asked(after.simulation):
        return ""
    kept = list(_kept(before, rule))
    then = [found.target.labels for found in before.targets()]
    now = [found.target.labels for found in after.targets()]
    names = {name for name, _, _ in kept}
    if len(then) != len(now) or not all(map(_same_but, then, now, [names] * len(then))):
        return ""
    node = rule.node
    moved = node.line + 2
    for tally in tallies(found.target for found in after.targets()):
        if (tally.rule.node.file, tally.rule.node.line) == (node.file, moved) and tally.collided:
            return ""
    told = [f"{name} is always that of {winner}" for name, winner, _ in kept]
    others = sorted({label for _, _, labels in kept for label in labels})
    return (
        f"{'; '.join(told)}, in {several(len(now), 'target')}. A guess: confirm that not {' or '.join(others)} is meant,"
        " else drop the other one"
    )


def _same_but(then: Mapping[str, str], now: Mapping[str, str], names: set[str]) -> bool:
    """Whether two targets differ in these labels alone, and still have them."""
    return then.keys() == now.keys() and all(then[name] == now[name] for name in then.keys() - names)


FIX: Final = Fix(("probes/labelmap-collision",), _edit, _effect, guess=True)
