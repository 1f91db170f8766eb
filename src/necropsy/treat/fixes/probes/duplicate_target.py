"""``probes/duplicate-target``: drop the targets that ask once more, by what tells them apart from the first."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from necropsy._internal.masking import MASK
from necropsy.model.figures import several
from necropsy.treat.edits.yaml_fields import job_named, literal, quoted, rule_added
from necropsy.treat.fixes.interface import Edits, Fix, FixContext, asked

if TYPE_CHECKING:
    from necropsy.model.probe import Probe

_MOST: Final = 20
"""More targets than these are not named one by one: a rule for them is for somebody who knows what they are."""
_SEPARATOR: Final = ";"


def _edit(context: FixContext) -> Edits:
    edits: Edits = {}
    for file in context.of_kind("prometheus"):
        twice = _twice(context, file.name)
        for prober, groups in twice.items():
            extra = [(first, probe) for first, *rest in groups for probe in rest]
            job = job_named(context.tree(file), prober)
            if job is None or len(extra) > _MOST:
                continue
            names = sorted({name for first, probe in extra for name in _apart(first, probe)})
            key = "__param_target" if all("__param_target" in dict(p.labels) for _, p in extra) else "__address__"
            sources = [key, *names]
            values = [[dict(probe.labels).get(name, "") for name in sources] for _, probe in extra]
            if not names or any(MASK in value for row in values for value in row):
                continue
            pattern = "|".join(_SEPARATOR.join(map(literal, row)) for row in values)
            rule = (f"source_labels: [{', '.join(sources)}]", f"regex: {quoted(pattern)}", "action: drop")
            if insertions := rule_added(file.text, job, rule, first=False):
                edits.setdefault(file.name, []).extend(insertions)
    return edits


def _twice(context: FixContext, file: str) -> dict[str, list[list[Probe]]]:
    """Jobs of a file → probes that ask for the same."""
    together: dict[str, dict[tuple[str, str, str], list[Probe]]] = defaultdict(lambda: defaultdict(list))
    for probe in context.simulation.probes:
        name = probe.prober.partition("/")[2]
        if probe.prober.startswith("prometheus/") and any(
            origin.file == file and origin.what == f"job {name}" for origin in probe.origin
        ):
            together[probe.prober][probe.method, probe.host, probe.url].append(probe)
    return {
        prober: [probes for probes in requests.values() if len(probes) > 1]
        for prober, requests in together.items()
        if prober in context.finding.probers
    }


def _apart(first: Probe, probe: Probe) -> set[str]:
    """Names of the labels that differ."""
    one, other = dict(first.labels), dict(probe.labels)
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def _effect(before: FixContext, after: FixContext) -> str:
    then, now = asked(before.simulation), asked(after.simulation)
    fewer = len(then) - len(now)
    if fewer <= 0 or set(then) != set(now):
        return ""
    mine = [request for request in now if request[0] in before.finding.probers]
    if len(mine) != len(set(mine)):
        return ""
    return f"{several(fewer, 'request')} fewer each interval, every URL is still requested"


FIX: Final = Fix(("probes/duplicate-target",), _edit, _effect)
