"""Whether a log shows a creator that sessions name: its visits must be there when its sessions are born.

Two probers of one name, one by the proxy and one round it, send the same User-Agent and the same Host: only time tells which
of them the log shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.join import SHIFTS_S, is_joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.sources import BirthSource
    from necropsy.verdict.attribution.timeline import Timeline

_FEWEST: Final = 8
"""Births within the log's time that tell."""
_SHOWN: Final = 0.3
"""Share of them at which a visit is, beyond chance: one of several proxies may have kept no log."""
_MOST_ROWS: Final = 400


@dataclass(slots=True)
class VisitsOfRows:
    """Visits of one store's timeline by class, found once."""

    timeline: Timeline
    any: bool = field(init=False)
    _order: NDArray[np.int64] = field(init=False)
    _row: NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        self.any = bool(self.timeline.logs) and self.timeline.visit_s.size > 0
        self._order = np.argsort(self.timeline.row, kind="stable")
        self._row = self.timeline.row[self._order]

    def of(self, rows: Sequence[int]) -> NDArray[np.int64]:
        """Visits of some classes, in order of time."""
        wanted = np.asarray(rows, np.int32)
        first, last = np.searchsorted(self._row, wanted), np.searchsorted(self._row, wanted, side="right")
        parts = [self._order[a:b] for a, b in zip(first, last, strict=True)]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)


def row_of(source: BirthSource, rows: Sequence[int], visits: VisitsOfRows) -> int | None:
    """Class that stands for a creator: of those that can be it by name, the first with visits at its births.

    None where no visit is there, although the logs cover its births; the first by name where they cover too few.
    """
    rows = rows[:_MOST_ROWS]
    if not rows or not visits.any:
        return rows[0] if rows else None
    timeline = visits.timeline
    at = timeline.born_s[source.births]
    at = at[timeline.covered(at) & (at >= timeline.horizon_s)]
    if at.size < _FEWEST:
        return rows[0]
    mine = visits.of(rows)
    if not mine.size or _excess(timeline, mine, at) < _SHOWN:
        return None
    if len(rows) == 1:
        return rows[0]
    low, high = timeline.windows()
    made = is_joined(low[mine], high[mine], at)
    count = np.bincount(timeline.row[mine[made]], minlength=max(rows) + 1)
    return max(rows, key=lambda row: int(count[row]))


def _excess(timeline: Timeline, mine: NDArray[np.int64], at: NDArray[np.float64]) -> float:
    """Share of births at which one of these visits is, what chance reaches taken off."""
    low, high = timeline.windows()
    order = np.argsort(low[mine], kind="stable")
    starts, ends = low[mine][order], np.maximum.accumulate(high[mine][order])

    def share(shift_s: float) -> float:
        place = np.searchsorted(starts, at + shift_s, side="right") - 1
        return float((ends[np.maximum(place, 0)] >= at + shift_s)[place >= 0].sum()) / at.size

    chance = float(np.mean([share(shift) for shift in SHIFTS_S]))
    return (share(0.0) - chance) / max(0.05, 1 - chance)
