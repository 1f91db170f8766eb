"""One node of a live store: what it is, what it permits, and which way its keys are read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from necropsy.evidence.redis.cost_sampling import CostSampling
from necropsy.evidence.redis.host import host_facts
from necropsy.evidence.redis.node_report import NodeReport, ReadParameters
from necropsy.evidence.redis.page import KeyWords
from necropsy.evidence.redis.permissions import try_out
from necropsy.evidence.redis.pipeline import PipelineWay
from necropsy.evidence.redis.read_methods import AUTO, UNSAFE, ChosenMethod, SliceMethod, choose, evicts_by_idle_time
from necropsy.evidence.redis.scanning import ScanSetup, scan_keys
from necropsy.evidence.redis.script import ScriptWay
from necropsy.evidence.redis.server import ServerFacts, ask_server
from necropsy.evidence.redis.streaming import stream_keys
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent
from necropsy.model.figures import several
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.evictions import evicted, remark
from necropsy.wire.redis.gate import Gate
from necropsy.wire.redis.info import databases, number, parse_info
from necropsy.wire.redis.replication import ReplicationStream, StreamRefused, open_stream
from necropsy.wire.redis.replies import ConnectionLost, ServerError, understood

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.wire.redis.topology import RedisNode


class NodeReading:
    """Reads one node. Making it asks what the node is and permits; iterating reads its keys, once.

    Raises
    ------
    UnreadableSource
        It cannot be reached, or the way that was asked for is closed or unsafe.
    """

    def __init__(self, wanted: ReadParameters, node: RedisNode) -> None:
        self.wanted = wanted
        self.node = node
        self.name = str(node.endpoint)
        self.names = KeyWords()
        self.gate = Gate()
        self.way = ""
        self.stream: ReplicationStream | None = None
        self.method: SliceMethod | None = None
        self.cost_sampling = None if wanted.each else CostSampling()
        self.connection = self.connect()
        try:
            with understood(self.name):
                server = ask_server(self.connection, wanted.address.masked)
                server.facts |= host_facts(server.info, local=node.endpoint.local)
                self._refuse_if_loading(server)
                self.permissions = try_out(self.connection.pipeline)
                self.report = NodeReport(wanted, self.name, server, self._totals(server), server.moment)
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
        return "lfu" in self.report.server.policy

    @property
    def absent(self) -> list[Absent]:
        """Evidence that the server refused or does not have."""
        locator = self.wanted.address.masked
        missing = list(self.report.server.absent)
        if self.way != "stream":
            missing += self.permissions.absences(locator)
        if self.report.tally.denied:
            reason = f"{self.name}: {several(self.report.tally.denied, 'key')} may not be read by this user"
            missing.append(Absent("redis", locator, reason, "ACL SETUSER <user> ~*, or %R~* since Redis 7"))
        return missing

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            if self.stream is not None:
                yield from stream_keys(self.report, self.stream)
            elif self.method is not None:
                yield from scan_keys(self.report, self._scan_setup(self.method))
            self._tell_evictions()
        finally:
            self.close()

    def close(self) -> None:
        """Hang up."""
        if self.stream is not None:
            self.stream.close()
        self.connection.close()

    def _tell_evictions(self) -> None:
        """Say how many keys the server evicted meanwhile; nothing where it is gone by now, which is said elsewhere."""
        before = evicted(self.report.server.info)
        if before is None or self.node.replica:  # a replica leaves it to its master
            return
        with (
            contextlib.suppress(ServerError, ConnectionLost, UnreadableSource),
            contextlib.closing(self.connect()) as anew,
        ):
            count = (evicted(parse_info(anew.command("INFO"))) or 0) - before
            self.report.remarks += [remark(count)] if count > 0 else []

    def _refuse_if_loading(self, server: ServerFacts) -> None:
        if number(server.info, "loading"):
            seconds = server.info.get("loading_eta_seconds", "")
            raise UnreadableSource(
                f"{self.name} is loading its dump into memory" + (f", for about {seconds} s more" if seconds else ""),
                hint="Wait until INFO persistence shows loading:0, or read that dump itself (--rdb).",
            )

    def _totals(self, server: ServerFacts) -> dict[int, int]:
        """Return the databases to be read, and how many keys they have."""
        db = self.wanted.address.db
        counted = databases(server.info)
        if not server.info:  # INFO is forbidden: then one database can be asked, the one that one is in
            answer = self.connection.pipeline([("SELECT", db or 0), ("DBSIZE",)])[1]
            counted = {db or 0: answer if isinstance(answer, int) else 0}
        return counted if db is None else {db: counted.get(db, 0)}

    def _choose(self, way: str) -> None:
        choice = ChosenMethod(way)
        if way in {AUTO, "stream"}:
            choice = choose(
                self.report.server,
                self.report.keys_expected,
                self.wanted.max_impact_s,
                can_stream=self.wanted.open_dump is not None,
                keeps_idle_times=self.connection.keeps_idle_times,
                patient=self.wanted.patient,
            )
            if way == "stream" and choice.way != "stream" and choice.unsafe:
                raise UnreadableSource(
                    f"{self.name}: {choice.why}", hint="Scan it instead: --read-method auto or script."
                )
        if way == "stream" or choice.way == "stream":
            refused = self._open_stream()
            if not refused:
                self.way = "stream"
                self.report.remarks += [choice.why] if way == AUTO else []
                return
            if way == "stream":
                raise UnreadableSource(
                    f"{self.name} does not send its replication stream: {refused}",
                    hint="ACL SETUSER <user> +sync +replconf; if the service forbids it, scan instead: --read-method"
                    " auto.",
                )
            choice = ChosenMethod("script", f"{UNSAFE}{refused}")
        self._refuse_if_blinding(way, choice)
        self.report.remarks += [choice.why] if choice.why else []
        self.method = self._scan_way(choice.way)
        self.way = self.method.name

    def _refuse_if_blinding(self, way: str, choice: ChosenMethod) -> None:
        """Refuse to scan again and again what is evicted by idle times, where a scan sets them all to zero."""
        server = self.report.server
        if (
            not (way == AUTO and self.wanted.patient and evicts_by_idle_time(server))
            or self.connection.keeps_idle_times
        ):
            return
        raise UnreadableSource(
            f"{self.name}: a scan would make every key look recently used to {server.policy}, again and again; {choice.why}",
            hint="CONFIG SET repl-diskless-sync yes, or read a replica (?from=replicas), or a Redis of 7.2 or later.",
        )

    def _open_stream(self) -> str:
        """Ask for the stream; return why there is none, or nothing."""
        try:
            valkey = self.report.server.info.get("valkey_version", "")
            self.stream = open_stream(self.wanted.address, self.node, valkey=valkey)
        except StreamRefused as refused:
            return str(refused)
        return ""

    def _scan_way(self, way: str) -> SliceMethod:
        if "scan" not in self.permissions or "type" not in self.permissions:
            raise UnreadableSource(
                f"{self.name}: SCAN and TYPE are not permitted: its keys cannot be read",
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
                self.report.remarks.append(error.message)
        return PipelineWay(self.connection, self.permissions, projection, self.names, lfu=self.lfu)

    def _scan_setup(self, method: SliceMethod) -> ScanSetup:
        return ScanSetup(
            self.connect, self.connection, method, self.names, self.permissions, self.lfu, self.cost_sampling
        )
