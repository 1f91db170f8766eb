"""One node of a live store: what it is, what it permits, and which way its keys are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from necropsy.evidence.redis.cost_sampling import CostSampling
from necropsy.evidence.redis.host import host_facts
from necropsy.evidence.redis.page import Names
from necropsy.evidence.redis.permissions import try_out
from necropsy.evidence.redis.pipeline import PipelineWay
from necropsy.evidence.redis.read_methods import AUTO, UNSAFE, Choice, OpenStream, Way, choose
from necropsy.evidence.redis.scan import Tally
from necropsy.evidence.redis.scanning import scan_keys
from necropsy.evidence.redis.script import ScriptWay
from necropsy.evidence.redis.server import ask_server
from necropsy.evidence.redis.streaming import stream_keys
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent, Blemish
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.gate import Gate
from necropsy.wire.redis.info import databases, number
from necropsy.wire.redis.replication import ReplicationStream, StreamRefused, open_stream
from necropsy.wire.redis.replies import ConnectionLost, understood

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.sessions.keyspace import Projection
    from necropsy.wire.redis.address import Address
    from necropsy.wire.redis.topology import Node

BATCH_ROWS: Final = 65_536


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a store is to be read: the same for all of its nodes."""

    address: Address
    projection: Projection
    way: str
    max_impact_s: float
    open_dump: OpenStream | None
    seen: Callable[[int], None]
    """Told how many keys were read, batch by batch."""
    batch_rows: int = BATCH_ROWS
    each: bool = True
    """Ask each key for everything, and not only some of those that are alike."""


class NodeReading:
    """Reads one node. Making it asks what the node is and permits; iterating reads its keys, once.

    Raises
    ------
    UnreadableSource
        It cannot be reached, or the way that was asked for is closed or unsafe.
    """

    def __init__(self, wanted: Wanted, node: Node) -> None:
        self.wanted = wanted
        self.node = node
        self.name = str(node.endpoint)
        self.blemishes: list[Blemish] = []
        self.tally = Tally()
        self.names = Names()
        self.gate = Gate()
        self.way = ""
        self.remarks: list[str] = []
        """Why this way, and what else is to be said."""
        self.stream: ReplicationStream | None = None
        self.scanning: Way | None = None
        self.cost_sampling = None if wanted.each else CostSampling()
        self.connection = self.connect()
        try:
            with understood(self.name):
                self.server = ask_server(self.connection, wanted.address.masked)
                self.server.facts |= host_facts(self.server.info, local=node.endpoint.local)
                self.taken_at: datetime | None = self.server.moment
                self._refuse_if_loading()
                self.permissions = try_out(self.connection.pipeline)
                self.totals = self._totals()
                self._choose(wanted.way)
        except ConnectionLost as error:
            self.close()
            raise UnreadableSource(f"{self.name} {error}", hint="Try again; is the server restarting?") from error
        except BaseException:
            self.close()
            raise

    def connect(self) -> Connection:
        """Open a connection to this node."""
        return Connection.open(self.wanted.address, self.node.endpoint, gate=self.gate, replica=self.node.replica)

    @property
    def lfu(self) -> bool:
        """Whether it counts uses rather than idle times."""
        return "lfu" in self.server.policy

    @property
    def keys_expected(self) -> int:
        """Keys that the server counts, expired ones that are still there included."""
        return sum(self.totals.values())

    @property
    def absent(self) -> list[Absent]:
        """What could not be had."""
        locator = self.wanted.address.masked
        missing = list(self.server.absent)
        if self.way != "stream":
            missing += self.permissions.absences(locator)
        if self.tally.denied:
            reason = f"{self.name}: {self.tally.denied:,} keys are not permitted to this user"
            missing.append(Absent("redis", locator, reason, "ACL SETUSER <user> ~*, or %R~* since Redis 7"))
        return missing

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from stream_keys(self, self.stream) if self.stream is not None else scan_keys(self)
        finally:
            self.close()

    def close(self) -> None:
        """Hang up."""
        if self.stream is not None:
            self.stream.close()
        self.connection.close()

    def blemish(self, place: int, why: str, count: int = 1) -> None:
        """Write down what is wrong with the figures from the key of this number on."""
        self.blemishes.append(Blemish(self.wanted.address.masked, "key", place, f"{self.name}: {why}", count=count))

    def cut_short(self, why: str) -> None:
        """Write down that the reading ended early, and which share was seen."""
        total, read = self.keys_expected, self.tally.keys
        share = f" of about {total:,} ({min(100, 100 * read // total)} %)" if total else ""
        self.blemish(read, f"{why}: the figures cover the {read:,} keys{share} that were read before")

    def _refuse_if_loading(self) -> None:
        if number(self.server.info, "loading"):
            seconds = self.server.info.get("loading_eta_seconds", "")
            raise UnreadableSource(
                f"{self.name} is loading its dump into memory" + (f", for about {seconds} s more" if seconds else ""),
                hint="Wait until INFO persistence says loading:0, or read that dump itself (--rdb).",
            )

    def _totals(self) -> dict[int, int]:
        """Return the databases to be read, and how many keys they have."""
        db = self.wanted.address.db
        counted = databases(self.server.info)
        if not self.server.info:  # INFO is forbidden: then one database can be asked, the one that one is in
            answer = self.connection.pipeline([("SELECT", db or 0), ("DBSIZE",)])[1]
            counted = {db or 0: answer if isinstance(answer, int) else 0}
        return counted if db is None else {db: counted.get(db, 0)}

    def _choose(self, way: str) -> None:
        choice = Choice(way)
        if way in {AUTO, "stream"}:
            choice = choose(
                self.server,
                self.keys_expected,
                self.wanted.max_impact_s,
                can_stream=self.wanted.open_dump is not None,
                keeps_idle_times=self.connection.keeps_idle_times,
            )
            if way == "stream" and choice.way != "stream" and choice.unsafe:
                raise UnreadableSource(
                    f"{self.name}: {choice.why}", hint="Let it be scanned instead: way auto or script."
                )
        if way == "stream" or choice.way == "stream":
            refused = self._open_stream()
            if not refused:
                self.way = "stream"
                self.remarks += [choice.why] if way == AUTO else []
                return
            if way == "stream":
                raise UnreadableSource(
                    f"{self.name} does not send its replication stream: {refused}",
                    hint="ACL SETUSER <user> +sync +replconf; where a service forbids it, let it be scanned: way auto.",
                )
            choice = Choice("script", f"{UNSAFE}{refused}")
        self.remarks += [choice.why] if choice.why else []
        self.scanning = self._scan_way(choice.way)
        self.way = self.scanning.name

    def _open_stream(self) -> str:
        """Ask for the stream; return why there is none, or nothing."""
        try:
            valkey = self.server.info.get("valkey_version", "")
            self.stream = open_stream(self.wanted.address, self.node, valkey=valkey)
        except StreamRefused as refused:
            return str(refused)
        return ""

    def _scan_way(self, way: str) -> Way:
        if "scan" not in self.permissions or "type" not in self.permissions:
            raise UnreadableSource(
                f"{self.name}: SCAN and TYPE cannot be used: its keys cannot be read",
                hint="ACL SETUSER <user> +@read +info ~*, or read a dump instead (--rdb).",
            )
        projection = self.wanted.projection
        if way == "script":
            try:
                return ScriptWay(
                    self.connection,
                    self.gate,
                    self.permissions,
                    projection,
                    self.names,
                    lfu=self.lfu,
                    cost_sampling=self.cost_sampling,
                )
            except UnreadableSource as error:
                if self.wanted.way == "script":
                    raise UnreadableSource(f"{self.name}: {error.message}", hint=error.hint) from error
                self.remarks.append(error.message)
        return PipelineWay(self.connection, self.permissions, projection, self.names, lfu=self.lfu)
