"""Births of sessions from the counters that every Redis exporter has, long after the sessions themselves are gone.

A key that enters a store leaves it by expiry, by eviction, or stays::

    births ≈ (Δ keys + Δ expired + Δ evicted) / keys a session

Keys that an application deletes (a logout) are missing from the sum, and so are hashes that end because all their fields expired
(HEXPIRE): the server counts the fields alone, as expired_subkeys or expired_fields. Keys that are no sessions are in it. A
restart sets the counters to zero, and FLUSHALL takes keys that nothing counts: both are found, and no birth is derived
across them. A replica deletes what its master tells it to and counts none of it (findings/on-a-replica-no-session-expires.sh): no
birth is derived from the time in which a server was one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.history.sampling import spacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESTART: Final = "restart"
EMPTIED: Final = "emptied"
_EMPTIED_SHARE: Final = 0.2
_EMPTIED_KEYS: Final = 100
"""A store is emptied when this share of its keys, and at least so many, go between two samples and nothing counts them."""
_UNCOUNTED: Final = 0.01
"""Share of the samples that may lack a counter without a remark: a scrape that was cut off."""


@dataclass(frozen=True, slots=True)
class StoreSeries:
    """Samples of one store on a grid of equal steps; NaN where a sample is missing."""

    at_s: NDArray[np.float64]
    """Unix seconds, ascending."""
    keys: NDArray[np.float64]
    """Keys of all databases."""
    expired: NDArray[np.float64]
    """Counter of expired keys; all NaN where it was not measured."""
    evicted: NDArray[np.float64]
    """Counter of evicted keys; all NaN where it was not measured."""
    uptime_s: NDArray[np.float64]
    """Seconds since the server started; all NaN where it was not measured."""
    replica: NDArray[np.float64] | None = None
    """A number where the server followed a master, NaN where it did not; None where nothing was asked."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """A moment across which no births can be derived."""

    at_s: float
    kind: str
    """``restart`` or ``emptied``."""
    keys: float
    """Keys that went."""


@dataclass(frozen=True, slots=True)
class DerivedBirths:
    """Births between neighbouring samples."""

    at_s: NDArray[np.float64]
    """Start of each span, Unix seconds."""
    seconds: NDArray[np.float64]
    births: NDArray[np.float64]
    """NaN where they cannot be derived. Below 0 where an application deleted more keys than came."""
    interruptions: list[Interruption] = field(default_factory=list)
    lacks: tuple[str, ...] = ()
    """Counters that were not measured: what left by that way is missing from the births."""
    uncounted_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds without births because a counter was not measured while the keys were, by counter."""
    deleted: float = 0.0
    """Births that deletions hide at least: between two samples more keys went than came, and nothing counts them."""
    on_replica_s: float = 0.0
    """Seconds without births because the server was a replica."""


def derive(series: StoreSeries, keys_per_session: float) -> DerivedBirths:
    """Return the births between each two samples that are complete; a hole in the series is one long span.

    Parameters
    ----------
    series
        At least two samples.
    keys_per_session
        Keys that one session costs; 1 where it is not known, which counts keys.
    """
    present = np.isfinite(series.keys)
    for values in (series.expired, series.evicted, series.uptime_s):
        present &= np.isfinite(values) | np.isnan(values).all()
    if not np.isnan(series.uptime_s).all():
        # The same uptime again is the same sample again: the grid is finer than the scrapes.
        present[1:] &= series.uptime_s[1:] != series.uptime_s[:-1]
    elif spacing(present):
        # Of a downsampled store each sample is shown for five minutes.
        present[1:] &= ~present[:-1].copy()
    at_s, keys = series.at_s[present], np.diff(series.keys[present])
    uncounted = dict(_uncounted(series))
    lacks = tuple(
        name for name, values in (("expired", series.expired), ("evicted", series.evicted)) if np.isnan(values).all()
    )
    left = np.zeros(keys.size)
    restarted = np.zeros(keys.size, np.bool_)
    for values in (series.expired, series.evicted):
        if not np.isnan(values).all():
            change = np.diff(values[present])
            restarted |= change < 0
            left = left + change
    if not np.isnan(series.uptime_s).all():
        restarted |= series.uptime_s[present][1:] < np.diff(at_s) - 1
    births = (keys + left) / max(keys_per_session, 1e-9)
    followed = np.zeros(keys.size, np.bool_)
    if series.replica is not None:
        follows = np.isfinite(series.replica[present])
        followed = follows[1:] | follows[:-1]
    emptied = ~restarted & ~followed & (keys + left < -_lost_by_nobody(series.keys[present][:-1]))
    interruptions = [
        Interruption(float(at_s[place + 1]), RESTART if restarted[place] else EMPTIED, float(-keys[place]))
        for place in np.flatnonzero(restarted | emptied)
    ]
    births[restarted | emptied | followed] = np.nan
    seconds = np.diff(at_s)
    hidden, unseen_s = float(-births[births < 0].sum()), float(seconds[followed].sum())
    return DerivedBirths(at_s[:-1], seconds, births, interruptions, lacks, uncounted, hidden, unseen_s)


def _uncounted(series: StoreSeries) -> Iterator[tuple[str, float]]:
    """Yield each counter that was measured at some time, and not while the keys were: seconds of that."""
    if series.at_s.size < 2:
        return
    step = float(series.at_s[1] - series.at_s[0])
    measured = np.isfinite(series.keys)
    for name, values in (("expired", series.expired), ("evicted", series.evicted), ("uptime", series.uptime_s)):
        missing = int(np.count_nonzero(measured & np.isnan(values)))
        if missing > _UNCOUNTED * np.count_nonzero(measured) and not np.isnan(values).all():
            yield name, missing * step


def _lost_by_nobody(keys: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys that must go at once, uncounted, for a store to be called emptied."""
    return np.maximum(_EMPTIED_KEYS, _EMPTIED_SHARE * np.nan_to_num(keys))


def binned(born_s: NDArray[np.float64], start_s: float, end_s: float, step_s: float) -> DerivedBirths:
    """Count known births on a grid, as a dump or a live store has them.

    Parameters
    ----------
    born_s
        Births in Unix seconds.
    start_s, end_s
        Span in which every birth is known: before it sessions may have expired.
    """
    edges = np.arange(start_s, end_s + step_s / 2, step_s)
    if edges.size < 2:
        return DerivedBirths(np.empty(0), np.empty(0), np.empty(0))
    counts, _ = np.histogram(born_s, edges)
    return DerivedBirths(edges[:-1], np.diff(edges), counts.astype(np.float64))
