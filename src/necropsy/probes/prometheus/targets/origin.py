"""The lines behind one target: which rule wrote its URL, from what, found where, and how often it is scraped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.prometheus.configuration import Job
from necropsy.probes.prometheus.relabel.relabelling import RelabelTrace

_ASKED: Final = ("__param_target", "__metrics_path__", "__address__", "__scheme__")
"""Labels that decide what is asked, the one that is most often wrong first."""
_SETTINGS: Final = ("params", "metrics_path", "scheme", "scrape_interval")
_REMEMBERED: Final = 1000
"""Ways through the rules that are remembered; the targets of one job take a few."""


class Chains:
    """The chains of one job. Targets that took the same way through its rules share all but where they were found."""

    __slots__ = ("_job", "_rules", "_settings")

    def __init__(self, job: Job) -> None:
        self._job = job
        self._rules: dict[RelabelTrace, tuple[Origin, ...]] = {}
        lines = (job.origin_of(setting) for setting in _SETTINGS)
        self._settings = (*(line for line in lines if line is not None), job.origin)

    def chain(self, trace: RelabelTrace, discovered: Iterable[Origin]) -> tuple[Origin, ...]:
        """Return the lines that made a target, the accused first.

        Order: the rules that wrote the target parameter, path, address and scheme, each followed by the rules that
        wrote their sources; the rules that selected the target; where it was discovered; the settings; the job itself.
        """
        head = self._rules.get(trace)
        if head is None:
            if len(self._rules) >= _REMEMBERED:
                self._rules.clear()
            head = self._rules[trace] = tuple(self._deciding(trace))
        return tuple(dict.fromkeys((*head, *discovered, *self._settings)))

    def _deciding(self, trace: RelabelTrace) -> Iterator[Origin]:
        rules = self._job.rules.rules
        selecting = [
            index
            for index in range(len(trace.written))
            if rules[index].action in ("keep", "keepequal") or (trace.dropped and index == len(trace.written) - 1)
        ]
        for index in dict.fromkeys((*self._writers(trace.written), *selecting)):
            yield rules[index].node.origin(rules[index].describe())

    def _writers(self, written: Sequence[frozenset[str]]) -> Iterator[int]:
        """Yield the rules that wrote what is asked, each before those that wrote its sources."""
        names = {name for step in written for name in step}
        others = sorted(name for name in names if name.startswith("__param_") and name not in _ASKED)
        seen: set[int] = set()
        for name in (*_ASKED, *others, "__scrape_interval__"):
            waiting = [(name, len(written))]
            while waiting:
                label, before = waiting.pop()
                index = next((i for i in range(before - 1, -1, -1) if label in written[i]), None)
                if index is None or index in seen:
                    continue
                seen.add(index)
                yield index
                sources = self._job.rules.rules[index].source_labels
                waiting.extend((source, index) for source in reversed(sources))
