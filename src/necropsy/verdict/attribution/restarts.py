"""A train that ends when another begins is one prober that was restarted: a rollout gives its pods new phases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.sources import Source

if TYPE_CHECKING:
    from necropsy.verdict.attribution.timeline import Timeline

_APART_S: Final = 900.0
"""Longest pause between the last birth of one and the first of the next."""
_OVERLAP_S: Final = 180.0
"""How long both may run: a new pod is asked before the old one is gone."""
_EDGE: Final = 6
"""Periods from the end of all births within which a train that stops has not ended."""


def joined(sources: list[Source], timeline: Timeline) -> list[Source]:
    """Join sources of one period that follow one another, unless no log could have shown their owner apart."""
    chained = [
        source
        for source in sources
        if source.kind == "unlogged" and source.train is not None and source.train.members == 1 and not source.groups
    ]
    if len(chained) < 2 or not timeline.born_s.size:
        return sources
    end = float(timeline.born_s[-1])
    chained.sort(key=lambda source: float(timeline.born_s[source.births[0]]))
    tails: list[Source] = []
    gone: set[int] = set()
    for source in chained:
        assert source.train is not None  # noqa: S101 -- chosen above
        first = float(timeline.born_s[source.births[0]])
        best: Source | None = None
        closest = np.inf
        for tail in tails:
            assert tail.train is not None  # noqa: S101 -- chosen above
            last = float(timeline.born_s[tail.births[-1]])
            has_ended = end - last > _EDGE * tail.train.period_s
            if tail.train.period_s == source.train.period_s and has_ended and -_OVERLAP_S <= first - last <= _APART_S:
                distance = abs(first - last)
                if distance < closest:
                    best, closest = tail, distance
        if best is None:
            tails.append(source)
            continue
        gone.add(id(source))
        order = np.argsort(np.concatenate([best.births, source.births]), kind="stable")
        best.weight = np.concatenate([best.weight, source.weight])[order]
        best.births = np.concatenate([best.births, source.births])[order]
        best.seconds += source.seconds
        best.train = source.train  # its phase is the one that can be seen now
    return [source for source in sources if id(source) not in gone]
