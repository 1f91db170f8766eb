"""The chain of lines behind one target: which rule wrote what is asked, from what, found where, how often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.prometheus import Job
from necropsy.probes.relabel import Step

_ASKED: Final = ("__param_target", "__metrics_path__", "__address__", "__scheme__")
"""Labels that decide what is asked, the one that is most often wrong first."""
_SETTINGS: Final = ("params", "metrics_path", "scheme", "scrape_interval")


def chain(job: Job, steps: Sequence[Step], discovered: Iterable[Origin]) -> tuple[Origin, ...]:
    """Return the lines that made a target, the accused first.

    Order: the rules that wrote the target parameter, path, address and scheme, each followed by the rules that wrote
    their sources; the rules that selected the target; where it was discovered; the settings; the job itself.
    """
    found: dict[Origin, None] = {}
    for step in _writers(steps):
        found.setdefault(step.rule.node.origin(step.rule.describe()))
    for step in steps:
        if step.rule.action in ("keep", "keepequal") or step.after is None:
            found.setdefault(step.rule.node.origin(step.rule.describe()))
    for origin in discovered:
        found.setdefault(origin)
    for setting in _SETTINGS:
        line = job.origin_of(setting)
        if line is not None:
            found.setdefault(line)
    found.setdefault(job.origin)
    return tuple(found)


def _writers(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield the rules that wrote what is asked, each before those that wrote its sources."""
    written = {name for step in steps for name in step.written}
    others = sorted(name for name in written if name.startswith("__param_") and name not in _ASKED)
    seen: set[int] = set()
    for name in (*_ASKED, *others, "__scrape_interval__"):
        waiting = [(name, len(steps))]
        while waiting:
            label, before = waiting.pop()
            index = next((i for i in range(before - 1, -1, -1) if label in steps[i].written), None)
            if index is None or index in seen:
                continue
            seen.add(index)
            yield steps[index]
            waiting.extend((source, index) for source in reversed(steps[index].rule.source_labels))
