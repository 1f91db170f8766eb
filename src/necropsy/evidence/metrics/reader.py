"""Read the history of stores from Prometheus, and the times at which probed targets appeared and left.

One pass over the whole span, on a grid that fits one request a metric; then the neighbourhood of each change again, as fine as
the samples are (``births_near``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy._internal.masking import masked, masked_address
from necropsy.evidence.metrics.query import Grid, Series, ask, grid
from necropsy.history.births import StoreSeries
from necropsy.history.events import Event
from necropsy.history.sampling import spacing
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEYS: Final = "redis_db_keys"
_OTHERS: Final[Mapping[str, str]] = {
    "expired": "redis_expired_keys_total",
    "evicted": "redis_evicted_keys_total",
    "uptime_s": "redis_uptime_in_seconds",
    "bytes": "redis_memory_used_bytes",
    "limit": "redis_memory_max_bytes",
    "replica": "redis_master_link_up",
}
_OF_ITS_MASTER: Final = "max without (master_host, master_port) ({})"
"""What only a replica has, whichever master it follows."""
_TARGETS: Final = "probe_success"
_NOT_ITS_OWN: Final = frozenset({"__name__", "db"})
_MOST_TARGETS: Final = 500
_LOOKBACK_S: Final = 330.0
"""A series is shown for five minutes after its last sample: what came or went within that time of an end is not dated."""
_MARGIN_S: Final = 30.0
_WINDOW_S: Final = 3_600.0
"""Around a change, in the second pass."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One server as an exporter measured it."""

    labels: Mapping[str, str]
    """Labels that tell it from the others: ``instance``, ``job``, ``addr`` …"""
    series: StoreSeries
    bytes: NDArray[np.float64]
    limit: NDArray[np.float64]
    """``maxmemory`` in bytes; 0 is none. NaN where it was not measured, as for ``bytes``."""

    @property
    def name(self) -> str:
        """The name that an operator uses for it."""
        return self.labels.get("alias") or self.labels.get("addr") or self.labels.get("instance") or "redis"


@dataclass(frozen=True, slots=True)
class History:
    """The past of the stores, by a Prometheus server."""

    source: str
    """Its address, without password."""
    measured: tuple[Measured, ...] = ()
    events: tuple[Event, ...] = ()
    absent: tuple[Absent, ...] = field(default=())


def read(
    address: str, start_s: float, end_s: float, progress: Callable[[float | None], None] = lambda _share: None
) -> History:
    """Read what is known of every Redis server between two moments.

    Parameters
    ----------
    address
        Of Prometheus' HTTP API.
    start_s, end_s
        Unix seconds.
    progress
        Called with the share that is done.

    Returns
    -------
    History
        Nothing is raised: what cannot be had is absent, with a hint.
    """
    source = masked_address(address)
    on = grid(start_s, end_s)
    asked = len(_OTHERS) + 2
    lacks: list[str] = []
    try:
        keys = ask(address, _of_all_databases(_KEYS, on), on, lambda share: progress(share / asked), lacks.append)
        others: dict[str, list[Series]] = {}
        for done, (name, metric) in enumerate(_OTHERS.items(), 1):
            progress(done / asked)
            others[name] = ask(address, _expression(name, _latest(metric, on)), on, warn=lacks.append)
        targets = ask(address, f"max by (job, instance) ({_latest(_TARGETS, on)})", on, warn=lacks.append)
    except UnreadableSource as error:
        return History(
            source, absent=(Absent("history", source, error.message.removeprefix(f"{source}: "), error.hint),)
        )
    measured = tuple(_measured(on, one, others) for one in keys)
    absent = () if measured else (_no_series(source),)
    if lacks:
        absent = (*absent, _incomplete(source, lacks[0]))
    # A downsampled store has one sample an hour: until the next one nothing has left.
    apart = max((spacing(np.isfinite(one.values)) for one in (*keys, *targets[:_MOST_TARGETS])), default=0.0)
    return History(source, measured, tuple(_targets(on, targets, source, apart)), absent)


def births_near(address: str, one: Measured, at_s: float, least_step_s: float = 15.0) -> Measured | None:
    """Read one server again, an hour around a moment, as fine as the samples are; None where that cannot be had."""
    on = grid(at_s - _WINDOW_S, at_s + _WINDOW_S, least_step_s)
    chosen = "{" + ",".join(f'{name}="{_quoted(text)}"' for name, text in sorted(one.labels.items())) + "}"
    try:
        keys = ask(address, _of_all_databases(f"redis_db_keys{chosen}", on), on)
        others = {name: ask(address, _expression(name, f"{metric}{chosen}"), on) for name, metric in _OTHERS.items()}
    except UnreadableSource:
        return None
    return _measured(on, keys[0], others) if keys else None


def _expression(name: str, samples: str) -> str:
    return _OF_ITS_MASTER.format(samples) if name == "replica" else samples


def _latest(metric: str, on: Grid) -> str:
    """Return the expression of the latest sample at each moment: on a coarse grid the server would not look back far enough."""
    return f"last_over_time({metric}[{on.step_s:.0f}s])" if on.step_s > _LOOKBACK_S - _MARGIN_S else metric


def _of_all_databases(metric: str, on: Grid) -> str:
    return f"sum without (db) ({_latest(metric, on)})"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _own(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in labels.items() if name not in _NOT_ITS_OWN}


def _measured(on: Grid, keys: Series, others: Mapping[str, Sequence[Series]]) -> Measured:
    labels = _own(keys.labels)
    nothing = np.full(on.points, np.nan)
    found = {
        name: next((one.values for one in series if _own(one.labels) == labels), nothing)
        for name, series in others.items()
    }
    series = StoreSeries(on.at_s, keys.values, found["expired"], found["evicted"], found["uptime_s"], found["replica"])
    return Measured(labels, series, found["bytes"], found["limit"])


def _incomplete(source: str, why: str) -> Absent:
    reason = f"its answer is incomplete, so gaps may be its own: {masked(why)}"
    return Absent("history", source, reason, "Read it again once all of its storage answers.")


def _no_series(source: str) -> Absent:
    return Absent(
        "history",
        source,
        "it has no series redis_db_keys in this time",
        "Scrape the stores with an exporter (`necropsy exporter`), or give the Prometheus that does.",
    )


def _targets(on: Grid, series: Sequence[Series], source: str, apart: float) -> list[Event]:
    """Say when probed targets appeared and left, of those that were not there all the time; samples are so many points apart."""
    events: list[Event] = []
    margin = max(int(_LOOKBACK_S // on.step_s), int(np.ceil(apart))) + 1
    for one in series[:_MOST_TARGETS]:
        there = np.flatnonzero(np.isfinite(one.values))
        if not there.size:
            continue
        what = f"probe of {masked_address(one.labels.get('instance', '?'))} (job {one.labels.get('job', '?')})"
        first, last = int(there[0]), int(there[-1])
        if first >= margin:
            events.append(Event(on.start_s + first * on.step_s, "target-appeared", f"first {what}", source))
        if last < on.points - margin:
            events.append(Event(on.start_s + last * on.step_s, "target-left", f"last {what}", source))
    return events
