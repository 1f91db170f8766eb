"""Opens a live store, hands out its keys in the batches of a dump, and says what it is and how it was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from necropsy.evidence.redis.node import NodeReading
from necropsy.evidence.redis.node_report import BATCH_ROWS, ReadParameters
from necropsy.evidence.redis.parallel_nodes import interleaved
from necropsy.evidence.redis.read_methods import AUTO, OpenStream, require_known
from necropsy.evidence.redis.server import merged
from necropsy.model.errors import UsageError
from necropsy.model.evidence import Absent, Blemish
from necropsy.wire.redis.address import Address, parse_address
from necropsy.wire.redis.topology import Topology, discover

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.sessions.keyspace import Projection

LEAST_IMPACT_S, MOST_IMPACT_S = 0.0001, 1.0
STEPS: Final = 500
"""Of progress: how often it is told at most."""


def read_keys(
    url: str | Address,
    projection: Projection,
    *,
    store: str,
    way: str = AUTO,
    max_impact_s: float = 0.001,
    open_stream: OpenStream | None = None,
    progress: Callable[[float | None], None] | None = None,
    batch_rows: int = BATCH_ROWS,
    each: bool = True,
    patient: bool = False,
) -> LiveKeyspace:
    """Open a live store for reading: a server, the master behind a Sentinel, or all nodes of a Cluster.

    Parameters
    ----------
    url
        ``redis://``, ``rediss://`` or ``unix://``; see ``wire.redis.address``. Without a database, all of them are read.
    projection
        What to keep of the values.
    store
        Name of the store.
    way
        ``auto``, or one of ``stream``, ``script``, ``pipeline``.
    max_impact_s
        Latency that others may suffer, in seconds.
    open_stream
        Reads a dump that arrives as a stream; without it there is no way ``stream``.
    progress
        Called after each batch with the share that was read, 0 to 1; None when it is not known.
    batch_rows
        Most rows of a batch, roughly.
    each
        Ask each key for its idle time, encoding and memory; else, in a script, only some of those that are alike. Expiry,
        elements, and what the projection wants are asked of each key in any case.
    patient
        Of ``auto``: whether costing the server little matters more than being soon over.

    Raises
    ------
    UnreadableSource
        It cannot be reached or read, or not this way.
    UsageError
        The address, the way or the budget is none.
    """
    require_known(way)
    if not LEAST_IMPACT_S <= max_impact_s <= MOST_IMPACT_S:
        raise UsageError(
            f"an impact of {max_impact_s:g} s is no budget",
            hint=f"Between {LEAST_IMPACT_S:g} and {MOST_IMPACT_S:g} seconds; 0.001 is cautious.",
        )
    address = parse_address(url) if isinstance(url, str) else url
    topology = discover(address)
    counter = _KeyCounter(progress)
    wanted = ReadParameters(address, projection, way, max_impact_s, open_stream, counter.add, batch_rows, each, patient)
    nodes: list[NodeReading] = []
    try:
        for node in topology.nodes:
            nodes.append(NodeReading(wanted, node))  # noqa: PERF401 -- those that were opened must be closed
    except BaseException:
        for opened in nodes:
            opened.close()
        raise
    counter.total = sum(node.report.keys_expected for node in nodes)
    return LiveKeyspace(store, address, topology, nodes)


class LiveKeyspace:
    """A live store that is being read: iterate over it once. The like of ``evidence.rdb.reader.Dump``."""

    is_live = True

    def __init__(self, store: str, address: Address, topology: Topology, nodes: list[NodeReading]) -> None:
        self.store = store
        self.locator = address.masked
        """The address without user, password and options."""
        self.topology = topology
        self._nodes = nodes

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from interleaved(self._nodes)

    def close(self) -> None:
        """Hang up without reading on."""
        for node in self._nodes:
            node.close()

    @property
    def facts(self) -> dict[str, str]:
        """Facts that the server reports of itself; of several nodes, merged."""
        return merged({node.name: node.report.server for node in self._nodes})

    @property
    def taken_at(self) -> datetime | None:
        """The store's own time when it was read: of the fork when it was streamed, else when the scan began; UTC."""
        return max((node.report.taken_at for node in self._nodes if node.report.taken_at is not None), default=None)

    @property
    def keys_read(self) -> int:
        """Keys handed out or about to be."""
        return sum(node.report.tally.keys for node in self._nodes)

    @property
    def blemishes(self) -> list[Blemish]:
        """Damaged places and gaps; complete when the iteration has ended."""
        found = [blemish for node in self._nodes for blemish in node.report.blemishes]
        if self.topology.missing_slots:
            why = f"{self.topology.missing_slots:,} of 16,384 slots are not served by any node: their keys are missing"
            found.append(Blemish(self.locator, "slot", 0, why, count=self.topology.missing_slots))
        return found

    @property
    def absent(self) -> list[Absent]:
        """Missing evidence, each with the ACL rule that would bring it."""
        return list(dict.fromkeys(absent for node in self._nodes for absent in node.absent))

    @property
    def note(self) -> str:
        """The read method, the reason for it, and the nodes, in a line.

        ``Redis 7.0.15, by script: 70,412 keys: a scan is faster than a replication stream``
        """
        parts = []
        for node in self._nodes:
            remarks = f": {'; '.join(node.report.remarks)}" if node.report.remarks else ""
            parts.append(f"{product(node.report.server.info)}, by {node.way}{remarks}")
        said = [*self.topology.remarks, *dict.fromkeys(parts)]
        return "; ".join(said)


def product(info: dict[str, str]) -> str:
    """Return the name and version of a server.

    >>> product({"redis_version": "7.2.4", "valkey_version": "9.1.2"}), product({"redis_version": "7.0.15"}), product({})
    ('Valkey 9.1.2', 'Redis 7.0.15', 'a server that does not report its version')
    """
    for field, name in (("valkey_version", "Valkey"), ("dragonfly_version", "Dragonfly"), ("redis_version", "Redis")):
        if info.get(field):
            return f"{name} {info[field]}"
    return "a server that does not report its version"


class _KeyCounter:
    """Counts keys of all nodes, and tells the share."""

    def __init__(self, progress: Callable[[float | None], None] | None) -> None:
        self._progress = progress
        self._read = self._told = 0
        self.total = 0

    def add(self, keys: int) -> None:
        """Count keys of a slice or a batch."""
        self._read += keys
        if self._progress is not None and self._read - self._told >= self.total // STEPS:
            self._told = self._read
            self._progress(min(1.0, self._read / self.total) if self.total else None)
