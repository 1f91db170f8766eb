"""Sources of births: a creator, with its births and the probability that each is its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.trains import Train


@dataclass(slots=True)
class BirthSource:
    """One creator of births of one store."""

    kind: str
    """``visitor``, ``people`` or ``unlogged``; whether it is a configured probe is told later."""
    evidence: str
    """``named``, ``comb``, ``authenticated`` or ``visits``."""
    births: NDArray[np.int64]
    """Indices into the store's births, each once."""
    weight: NDArray[np.float64]
    groups: list[int] = field(default_factory=list)
    """Groups of visits, that of most births first."""
    train: Train | None = None
    births_each: int = 1
    """Births of one visit: two where it follows a redirect without a cookie."""
    seconds: float = 0.0
    """Time for which its trains ran."""
    visits: int | None = None
    clients: int | None = None
    extrapolated: float = 0.0
    """Of the births, those outside the logs' time."""
    beyond: tuple[float, float] | None = None
    """Fewest and most of them that the evidence allows; None: as certain as the others."""
    apart: float = 0.0
    """Difference of its births in another reading of the same visits."""
    perhaps: float = 0.0
    """Births of people that may be its own: they come to its pages with a session, and seem to start another."""
    probability: float | None = None
    rivals: tuple[int, ...] = ()
    reason: str = ""
    creator: int | None = None
    """Index into the store's creators, of named births."""
    pages: tuple[int, ...] = ()
    """Indices of all creators that it stands for, where it is a program that asked for several pages."""
    probe: int | None = None
    one_of: list[int] | None = None
    """Probes of which ``probe`` is any, where fewer sources are there than probes and nothing tells which; else None.

    A single one: it is a former target, configured no more, of that probe's job.
    """
    row: int | None = None
    """Class that stands for it: index into the classes."""
    also: str | None = None
    """Another creator that nothing tells from it."""
    sharers: int = 1
    """Number of sources that share these births, when several probers have one phase."""

    @property
    def amount(self) -> float:
        """Births, expected."""
        return float(self.weight.sum())


def gathered(
    births: NDArray[np.int64], weight: NDArray[np.float64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Add up weights on the same birth."""
    total = np.bincount(births, weight, minlength=size)
    where = np.flatnonzero(total > 1e-6)
    return where, np.minimum(total[where], 1.0)


def settle(sources: list[BirthSource], size: int) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float64]]:
    """Scale claims down where they add up to more than one birth; return the likeliest source, its weight, and the sums."""
    total = np.zeros(size)
    for source in sources:
        total[source.births] += source.weight  # each birth once
    if total.max(initial=0.0) > 1.0:
        for source in sources:
            source.weight = source.weight / np.maximum(1.0, total[source.births])
        total = np.minimum(total, 1.0)
    owner, best = np.full(size, -1, np.int32), np.zeros(size, np.float32)
    for number, source in enumerate(sources):
        better = source.weight > best[source.births]
        owner[source.births[better]] = number
        best[source.births[better]] = source.weight[better]
    return owner, best, total
