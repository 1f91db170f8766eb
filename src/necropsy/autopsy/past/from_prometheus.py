"""The past of stores as a Prometheus server has it, laid beside the stores of the investigation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from necropsy.autopsy.past.keeping import Past, keep_level
from necropsy.autopsy.sources import LiveAddress
from necropsy.evidence.metrics.reader import births_near
from necropsy.history.births import EMPTIED, StoreSeries, derive
from necropsy.history.change_points import change_points
from necropsy.history.events import Event
from necropsy.history.matching import match
from necropsy.history.sampling import spacing
from necropsy.model.evidence import Absent, Source
from necropsy.model.figures import several
from necropsy.report.figures import duration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy._internal.progress import Progress
    from necropsy.autopsy.evidence_log import EvidenceLog
    from necropsy.autopsy.sources import Sources
    from necropsy.case.store import Case
    from necropsy.evidence.metrics.reader import History, Measured
    from necropsy.history.births import DerivedBirths
    from necropsy.history.change_points import ChangePoint

SINCE: Final = timedelta(days=30)
"""Default length of the history that is read."""
_FINE_S: Final = 15.0
"""Step at which the neighbourhood of a change is read again: the usual interval of scrapes."""
_LATE_S: Final = 600.0
"""A history that begins later than asked by so much says so."""
_MOST_REFINED: Final = 10
_ENOUGH, _MOSTLY = 20, 0.95
"""Samples that two servers must share to be one, and the part of them that must agree."""
_DELETED: Final = 0.1
"""Part of the keys that come and go from which on deletions are worth a word."""
_COUNTERS: Final = {
    "expired": "redis_expired_keys_total",
    "evicted": "redis_evicted_keys_total",
    "uptime": "redis_uptime_in_seconds",
}


def read(
    evidence_log: EvidenceLog, address: str, sources: Sources, now: datetime, report_progress: Progress
) -> tuple[list[Past], list[Event]]:
    """Read the past of the stores; without a store, that of every server that the exporter knows.

    Returns
    -------
    tuple
        The past of each server that could be told, and what happened to them.
    """
    from necropsy.evidence.metrics.reader import read as read_metrics

    end = now.timestamp()
    start = end - (sources.history_since or SINCE).total_seconds()
    past = read_metrics(address, start, end, lambda share: report_progress("reading the history", share))
    evidence_log.record(absent=past.absent)
    if not past.measured:
        return [], list(past.events)
    reaches = reach([one.series for one in past.measured], start)
    note = f"history of {several(len(past.measured), 'server')} {reaches}"
    evidence_log.record([Source("history", past.source, taken_at=now, note=note)])
    series: list[Past] = []
    events = list(past.events)
    for store, one in _whose(evidence_log, past, _addresses(sources)).items():
        per_session = keys_per_session(evidence_log.case, store)
        derived = derive(one.series, per_session or 1.0)
        if (own := reach([one.series], start)) != reaches:  # another server has more: this one was renamed, or is new
            mine = f"history of store {store} {own}"
            evidence_log.record([Source("history", past.source, store=store, taken_at=now, note=mine)])
        events += _interruptions(derived, store, past.source)
        for quantity, values in (("keys", one.series.keys), ("bytes", one.bytes), ("limit", one.limit)):
            keep_level(evidence_log.case, store, past.source, quantity, one.series.at_s, values)
        _remark(evidence_log, past.source, store, derived, per_session)
        series.append(Past(store, past.source, derived, _changes(address, one, derived, per_session or 1.0)))
    return series, events


def reach(series: Sequence[StoreSeries], asked_s: float) -> str:
    """Say from when on there are samples, and where there are none in between: what was asked for is not what is there.

    >>> import numpy as np
    >>> hours = np.arange(5) * 3600.0
    >>> one = StoreSeries(hours, np.array([np.nan, 1, np.nan, 2, 3]), *[np.full(5, np.nan)] * 3)
    >>> reach([one], 0.0)
    'from 1970-01-01 01:00 UTC, asked since 1970-01-01 00:00 UTC, with 1 gap of 2 hours'
    """
    import numpy as np

    at_s = series[0].at_s
    step = float(at_s[1] - at_s[0]) if at_s.size > 1 else 0.0
    known: NDArray[np.bool_] = np.asarray(np.isfinite(np.vstack([one.keys for one in series])).any(axis=0))
    there = np.flatnonzero(known)
    if not there.size:
        return "without a sample"
    apart = spacing(known)
    first = float(at_s[there[0]])
    said = [f"from {_minute(first)}"]
    if first - asked_s >= max(step, _LATE_S):
        said.append(f"asked since {_minute(asked_s)}")
    if apart:
        said.append(f"one sample every {duration(apart * step)}")
    gaps = [float(gap) * step for gap in np.diff(there) if gap > max(1, apart)]
    if gaps:
        which = "of" if len(gaps) == 1 else "the longest of"
        said.append(f"with {several(len(gaps), 'gap')}{',' if len(gaps) > 1 else ''} {which} {duration(max(gaps))}")
    return ", ".join(said)


def _minute(moment_s: float) -> str:
    return f"{datetime.fromtimestamp(moment_s, UTC):%Y-%m-%d %H:%M} UTC"


def keys_per_session(case: Case, store: str) -> float | None:
    """Redis keys that one session costs, from the sessions of the case; None when it has none."""
    row = case.rows("SELECT count(*) AS sessions, sum(keys) AS keys FROM session WHERE store = ?", [store])[0]
    return float(row["keys"] / row["sessions"]) if row["sessions"] and row["keys"] else None


def _addresses(sources: Sources) -> dict[str, str]:
    """``host:port`` of each live store by its name; empty for a dump."""
    return {
        store.name: store.locator.masked.rpartition("//")[2].partition("/")[0]
        if isinstance(store.locator, LiveAddress)
        else ""
        for store in sources.stores
    }


def _whose(evidence_log: EvidenceLog, past: History, stores: Mapping[str, str]) -> dict[str, Measured]:
    """Return what was measured of each store; a store that cannot be told from others is absent, with the names there are."""
    if not stores:
        return {one.name: one for one in past.measured}
    measured = past.measured
    found = match(stores, [one.labels for one in measured], lambda one, two: _alike(measured[one], measured[two]))
    names = [one.name for one in past.measured]
    evidence_log.record(
        absent=[
            Absent(
                "history",
                past.source,
                f"cannot tell which server is store {store}; it measured {', '.join(sorted(names)[:5])}",
                f"Give the store the name that it has there: {'--redis' if stores[store] else '--rdb'} {names[0]}="
                f"{'URL' if stores[store] else 'FILE'}.",
            )
            for store in stores
            if store not in found
        ]
    )
    for store, index in found.items():
        if names[index] not in (store, stores[store]):
            taken = f"{names[index]} is taken for store {store}: it is the only one that fits"
            evidence_log.record([Source("history", past.source, store=store, note=taken)])
    return {store: past.measured[index] for store, index in found.items()}


def _alike(one: Measured, other: Measured) -> bool:
    """Whether two exporters measured one server: the same keys at the same times, but for the seconds between their scrapes."""
    import numpy as np

    both = np.isfinite(one.series.keys) & np.isfinite(other.series.keys)
    if np.count_nonzero(both) < _ENOUGH:
        return False
    mine, theirs = one.series.keys[both], other.series.keys[both]
    return float(np.mean(np.abs(mine - theirs) <= np.maximum(10.0, 0.02 * np.maximum(mine, theirs)))) > _MOSTLY


def _changes(address: str, one: Measured, derived: DerivedBirths, per_session: float) -> list[ChangePoint]:
    """Return the changes of the births, the first ones dated by the samples around them at their full resolution."""
    import numpy as np

    found = change_points(derived)
    step = float(np.median(derived.seconds)) if derived.seconds.size else 0.0
    if step <= _FINE_S:
        return found

    def dated(change: ChangePoint) -> ChangePoint:
        near = births_near(address, one, change.at_s, _FINE_S)
        finer = change_points(derive(near.series, per_session)) if near is not None else []
        best = min(finer, key=lambda fine: abs(fine.at_s - change.at_s), default=None)
        if best is None or not change.earliest_s - step <= best.at_s <= change.latest_s + step:
            return change
        return replace(change, at_s=best.at_s, earliest_s=best.earliest_s, latest_s=best.latest_s)

    return [*map(dated, found[:_MOST_REFINED]), *found[_MOST_REFINED:]]


def _interruptions(derived: DerivedBirths, store: str, source: str) -> Iterator[Event]:
    for one in derived.interruptions:
        lost = f"{one.keys:,.0f} keys were removed at once, neither expired nor evicted"
        yield Event(one.at_s, one.kind, lost if one.kind == EMPTIED else "Redis restarted", source, store)


def _remark(
    evidence_log: EvidenceLog, source: str, store: str, derived: DerivedBirths, per_session: float | None
) -> None:
    import numpy as np

    absent = []
    if "expired" in derived.lacks:
        reason = f"store {store} has no metric of expired keys: births are underestimated while sessions expire"
        absent.append(Absent("history", source, reason, "Scrape redis_expired_keys_total as well."))
    if "evicted" in derived.lacks:
        reason = f"store {store} has no metric of evicted keys: births are underestimated while keys are evicted"
        absent.append(Absent("history", source, reason, "Scrape redis_evicted_keys_total as well."))
    if derived.deleted > _DELETED * float(np.nansum(np.abs(derived.births))):
        reason = (
            f"in store {store} more keys went than came at times, neither expired nor evicted (a logout, DEL): births are"
            " underestimated"
        )
        absent.append(
            Absent("history", source, reason, "Give the store as well: its sessions tell their births themselves.")
        )
    for counter, seconds in derived.uncounted_s.items():
        metric = _COUNTERS[counter]
        reason = f"store {store} has no {metric} for {duration(seconds)} of it: births in that time are unknown"
        absent.append(Absent("history", source, reason, f"Scrape {metric} with every sample of redis_db_keys."))
    if derived.on_replica_s:
        reason = (
            f"store {store} was a replica for {duration(derived.on_replica_s)} of it: a replica counts no expired and no"
            " evicted key, so births in that time are unknown"
        )
        absent.append(Absent("history", source, reason, "Scrape its master as well, and name that one."))
    if per_session is None:
        reason = f"the number of keys per session in store {store} is unknown: keys are counted, not sessions"
        absent.append(Absent("history", source, reason, "Give the store as well: --rdb or --redis."))
    evidence_log.record(absent=absent)
