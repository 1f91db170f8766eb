"""Births of one store and visits of all logs on one clock: the columns on which everything else works."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.delays import Delays
    from necropsy.verdict.attribution.groups import Groups
    from necropsy.verdict.evidence import Births, Visits


_COARSEST_S: Final = 1.0
"""Births are not joined more loosely than this: of times that are further off only the clock of the log can tell."""


_LATE_S: Final = 1.0
"""How long after the store was read a visit may be written that made one of its births."""
_FINE_S: Final = 0.001
_ENOUGH: Final = 30


@dataclass(slots=True)
class Log:
    """One access log: which time it covers, and how its times relate to births."""

    name: str
    spans_s: NDArray[np.float64]
    """k by 2: first and last second of each stretch, on the store's clock."""
    resolution_s: float
    times_are_starts: bool
    offset_s: float = 0.0
    """Seconds that this log's clock is ahead of the store's; its visits and spans were moved back by it."""
    delays: Delays | None = None
    complete: float = 1.0
    """Share of all requests that it holds: less than 1 where it is a sample."""

    def covers(self, at_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each moment lies in a stretch of this log."""
        return within(at_s, self.spans_s)

    @property
    def length_s(self) -> float:
        """Seconds that the log covers."""
        return float((self.spans_s[:, 1] - self.spans_s[:, 0]).sum())


@dataclass(slots=True)
class Timeline:
    """Births and visits of one store, in order of time, seconds since ``origin_us``."""

    origin_us: int
    born_s: NDArray[np.float64]
    resolution_s: float
    """Of the births."""
    horizon_s: float
    """Sessions born before it may have expired; minus infinity when none expires or nothing is known."""
    until_s: float
    """When the store was read: visits after it have left nothing that could be seen; infinity when unknown."""
    visit_s: NDArray[np.float64]
    group: NDArray[np.int32]
    client: NDArray[np.int32]
    """Clients numbered from 0."""
    row: NDArray[np.int32]
    """Index into ``Circumstances.classes``."""
    log: NDArray[np.int16]
    logs: list[Log] = field(default_factory=list)
    slow: dict[int, Delays] = field(default_factory=dict)
    """By group: delays of pages that answer more slowly than the others of their log."""

    def covered(self, at_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each moment lies in any log's time."""
        result = np.zeros(at_s.size, dtype=bool)
        for log in self.logs:
            result |= log.covers(at_s)
        return result

    def windows(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Per visit the earliest and the latest moment at which it can have made a birth."""
        low, high = np.empty(self.visit_s.size), np.empty(self.visit_s.size)
        for number, log in enumerate(self.logs):
            mine = self.log == number
            assert log.delays is not None  # noqa: S101 -- learnt before anything is joined
            low[mine], high[mine] = self.visit_s[mine] + log.delays.low_s, self.visit_s[mine] + log.delays.high_s
        for number, delays in self.slow.items():
            mine = self.group == number
            low[mine], high[mine] = self.visit_s[mine] + delays.low_s, self.visit_s[mine] + delays.high_s
        return low, high

    def stretches(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Per visit, start and length of the stretch of its log in which it lies, younger than the horizon; else 0."""
        first_s, length_s = np.zeros(self.visit_s.size), np.zeros(self.visit_s.size)
        for number, log in enumerate(self.logs):
            mine = self.log == number
            for first, last in self.young(log.spans_s):
                inside = mine & (self.visit_s >= first) & (self.visit_s <= last)
                first_s[inside], length_s[inside] = first, last - first
        return first_s, length_s

    def young(self, spans_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cut spans at the horizon, and at the moment at which the store was read."""
        cut = np.minimum(np.maximum(spans_s, self.horizon_s), self.until_s)
        return cut[cut[:, 1] > cut[:, 0]]

    def select(self, keep: NDArray[np.bool_]) -> Timeline:
        """Return the timeline with some of its visits."""
        return replace(
            self,
            visit_s=self.visit_s[keep],
            group=self.group[keep],
            client=self.client[keep],
            row=self.row[keep],
            log=self.log[keep],
        )


def within(at_s: NDArray[np.float64], spans_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each moment lies in one of the spans, ends included.

    >>> within(np.array([0.5, 2.0, 3.0]), np.array([[0.0, 1.0], [3.0, 4.0]])).tolist()
    [True, False, True]
    """
    result = np.zeros(at_s.size, dtype=bool)
    for first, last in spans_s:
        result |= (at_s >= first) & (at_s <= last)
    return result


def union(spans: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Join spans that overlap.

    >>> union([np.array([[0.0, 2.0]]), np.array([[1.0, 3.0], [5.0, 6.0]])]).tolist()
    [[0.0, 3.0], [5.0, 6.0]]
    """
    rows = sorted((float(a), float(b)) for part in spans for a, b in part)
    joined: list[list[float]] = []
    for first, last in rows:
        if joined and first <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return np.asarray(joined, dtype=np.float64).reshape(-1, 2)


def lay_out(births: Births, visits: Visits | None, groups: Groups | None) -> Timeline:
    """Put a store's births and all visits on one clock; offsets of clocks are not corrected yet."""
    origin_us = int(births.born_ms[0]) * 1000 if births.born_ms.size else 0
    born_s = (births.born_ms * 1000 - origin_us) / 1e6
    resolution_s = float(np.clip(births.resolution_s, 0.001, _COARSEST_S))
    if resolution_s > _FINE_S and born_s.size >= _ENOUGH:
        # An expiry that a server set is right to the millisecond, however coarse the lifetime is that was taken off it.
        within_second = births.born_ms % 1000
        if (within_second == 0).mean() < 0.1 and np.unique(within_second[:5_000]).size >= _ENOUGH:
            resolution_s = _FINE_S
    horizon_s = _horizon(births, born_s, origin_us)
    until_s = np.inf
    if births.taken_ms is not None and born_s.size:
        until_s = max((births.taken_ms * 1000 - origin_us) / 1e6, float(born_s[-1])) + _LATE_S
    none = np.zeros(0, np.int32)
    if visits is None or groups is None or not visits.at_us.size:
        return Timeline(
            origin_us, born_s, resolution_s, horizon_s, until_s, np.zeros(0), none, none, none, none.astype(np.int16)
        )
    names = list(groups.logs)
    logs = []
    for name in names:
        mine = [span for span in visits.spans if span.log == name]
        spans_s = np.asarray([[s.first_us - origin_us, s.last_us - origin_us] for s in mine]).reshape(-1, 2) / 1e6
        log_resolution_s = max((span.resolution_s for span in mine), default=1.0)
        spans_s[:, 1] += log_resolution_s
        logs.append(
            Log(
                name,
                spans_s,
                log_resolution_s,
                any(span.times_are_starts for span in mine),
                complete=groups.share_held(names.index(name)),
            )
        )
    return Timeline(
        origin_us=origin_us,
        born_s=born_s,
        resolution_s=resolution_s,
        horizon_s=horizon_s,
        until_s=until_s,
        visit_s=(visits.at_us - origin_us) / 1e6,
        group=groups.of_visit,
        client=groups.client_of_visit,
        row=groups.row_of_visit,
        log=groups.log_of_visit,
        logs=logs,
    )


def _horizon(births: Births, born_s: NDArray[np.float64], origin_us: int) -> float:
    """Before which moment sessions may have expired; minus infinity when none has.

    A dump that was copied later, or a server whose clock is wrong, seems to hold little but expired sessions: then the last
    birth tells when it was taken.
    """
    if births.lifetime_s is None or births.lifetime_s <= 0 or not born_s.size:
        return -np.inf
    taken = float(born_s[-1]) if births.taken_ms is None else (births.taken_ms * 1000 - origin_us) / 1e6
    kept_s = births.lifetime_s + births.grace_s
    for moment in (taken, float(born_s[-1])):
        if 2 * int((born_s >= moment - kept_s).sum()) >= born_s.size:
            return moment - kept_s
    return -np.inf
