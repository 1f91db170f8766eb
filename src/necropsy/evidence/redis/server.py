"""Asks a server about itself: what it answers becomes facts, what it refuses becomes an absence with the rule to add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from necropsy.evidence.redis.parse import (
    client_facts,
    info_facts,
    latency_facts,
    pairs_facts,
    server_moment,
    slowlog_facts,
)
from necropsy.evidence.redis.permissions import hint, outcome_of
from necropsy.model.evidence import Absent
from necropsy.wire.redis.connection import NAME
from necropsy.wire.redis.info import parse_info
from necropsy.wire.redis.replies import ServerError

if TYPE_CHECKING:
    from necropsy.wire.redis.connection import Connection

SETTINGS: Final = (
    "maxmemory", "maxmemory-policy", "maxmemory-samples", "maxmemory-clients", "maxclients", "timeout", "tcp-keepalive",
    "databases", "hz", "save", "appendonly", "appendfsync", "no-appendfsync-on-rewrite", "auto-aof-rewrite-percentage",
    "activedefrag", "lazyfree-lazy-expire", "lazyfree-lazy-eviction", "active-expire-effort", "notify-keyspace-events",
    "client-output-buffer-limit", "repl-diskless-sync", "repl-diskless-sync-delay", "repl-backlog-size",
    "slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold", "hash-max-listpack-entries",
    "hash-max-listpack-value", "hash-max-ziplist-entries", "hash-max-ziplist-value", "io-threads",
    "stop-writes-on-bgsave-error",
)  # fmt: skip
"""Settings that are asked for, by name: ``CONFIG GET *`` would answer with passwords too."""
SLOW: Final = 128
"""Entries of the slow log that are asked for."""
DISKLESS_DELAY_S: Final = 5.0
"""Seconds that a server waits for more replicas before it forks, by default."""


@dataclass(slots=True)
class ServerFacts:
    """Facts of one server."""

    info: dict[str, str] = field(default_factory=dict)
    """INFO, all of it; empty when it is forbidden."""
    facts: dict[str, str] = field(default_factory=dict)
    """The text that may be kept."""
    absent: list[Absent] = field(default_factory=list)
    moment: datetime | None = None
    """The server's own time when it was asked, UTC."""

    @property
    def policy(self) -> str:
        """Its eviction policy."""
        return self.info.get("maxmemory_policy", "noeviction")

    @property
    def allocator(self) -> str:
        """Its allocator, as the reader of dumps names them: ``jemalloc`` or ``libc``."""
        return "jemalloc" if self.info.get("mem_allocator", "jemalloc").startswith("jemalloc") else "libc"

    @property
    def diskless(self) -> bool:
        """Whether it sends its dump to a replica without writing a file; the default since Redis 7."""
        configured = self.facts.get("config:repl-diskless-sync")
        if configured is not None:
            return configured == "yes"
        return self.info.get("redis_version", "0").partition(".")[0] not in {"0", "2", "3", "4", "5", "6"}

    @property
    def saves(self) -> bool:
        """Whether it writes its dump file by itself, every so often."""
        return bool(self.facts.get("config:save", "").strip())

    @property
    def diskless_delay_s(self) -> float:
        """Seconds between a request for its stream and the fork."""
        text = self.facts.get("config:repl-diskless-sync-delay", "")
        return float(text) if text.isdecimal() else DISKLESS_DELAY_S


def ask_server(connection: Connection, locator: str) -> ServerFacts:
    """Ask everything in one go; nothing that is refused ends it.

    Raises
    ------
    ConnectionLost
        The server is gone.
    """
    answers = connection.pipeline(
        [
            ("TIME",),
            ("INFO", "ALL"),
            ("MEMORY", "STATS"),
            ("LATENCY", "LATEST"),
            ("SLOWLOG", "GET", SLOW),
            ("SLOWLOG", "LEN"),
            ("CLIENT", "LIST"),
            *(("CONFIG", "GET", name) for name in SETTINGS),
        ]
    )
    time, info, memory, latest, slow, slow_length, clients, *settings = answers
    found = ServerFacts()
    found.moment = None if isinstance(time, ServerError) else server_moment(time)
    if not isinstance(info, ServerError):
        found.info = parse_info(info)
    found.facts = info_facts(found.info)
    if found.moment is not None:
        found.facts["ctime"] = str(int(found.moment.timestamp()))
        found.facts["server-time"] = found.moment.isoformat()
    refused = _Refusals(locator)
    refused.look(info, "INFO", "+info", "memory, persistence, replication, eviction: all counters of the server")
    if refused.fine(memory, "MEMORY STATS", "+memory|stats", "memory that is not used by keys"):
        found.facts |= pairs_facts("memory", memory)
    if refused.fine(latest, "LATENCY LATEST", "+latency|latest +latency|history", "what made the server slow"):
        events = [row[0] for row in latest]
        histories = dict(
            zip(
                [event.decode(errors="replace") for event in events],
                connection.pipeline([("LATENCY", "HISTORY", event) for event in events]) if events else [],
                strict=True,
            )
        )
        found.facts |= latency_facts(latest, {name: rows for name, rows in histories.items() if isinstance(rows, list)})
    if refused.fine(slow, "SLOWLOG GET", "+slowlog|get +slowlog|len", "which commands are slow"):
        found.facts |= slowlog_facts(slow)
        if not isinstance(slow_length, ServerError):
            found.facts["slowlog-length"] = str(slow_length)
    if refused.fine(clients, "CLIENT LIST", "+client|list", "the connected clients"):
        found.facts |= client_facts(clients.decode(errors="replace"), NAME)
    found.facts |= _settings(settings, refused)
    found.absent = refused.absent
    return found


def _settings(answers: Sequence[Any], refused: _Refusals) -> dict[str, str]:
    facts: dict[str, str] = {}
    if refused.fine(answers[0], "CONFIG GET", "+config|get", "limits and eviction as configured"):
        for answer in answers:
            if isinstance(answer, list):
                facts |= pairs_facts("config", answer)
    return facts


class _Refusals:
    """Writes down what a server refuses."""

    def __init__(self, locator: str) -> None:
        self._locator = locator
        self.absent: list[Absent] = []

    def fine(self, answer: Any, command: str, rule: str, loses: str) -> bool:
        """Tell whether there is an answer."""
        self.look(answer, command, rule, loses)
        return not isinstance(answer, ServerError)

    def look(self, answer: Any, command: str, rule: str, loses: str) -> None:
        """Write down a refusal."""
        if isinstance(answer, ServerError):
            outcome = outcome_of(answer)
            self.absent.append(
                Absent("server_fact", self._locator, f"{command} is {outcome}: {loses}", hint(rule, outcome))
            )


def merged(by_node: Mapping[str, ServerFacts]) -> dict[str, str]:
    """Return the facts of all nodes under one name each: those of a single node as they are.

    Of several nodes, what can be summed is summed, and each fact is there a second time, behind the name of its node.

    >>> nodes = {"a:1": ServerFacts(facts={"used-mem": "10", "redis-ver": "8.2"}), "b:1": ServerFacts(facts={"used-mem": "5"})}
    >>> merged(nodes)["used-mem"], merged(nodes)["redis-ver"], merged(nodes)["b:1/used-mem"], merged(nodes)["nodes"]
    ('15', '8.2', '5', '2')
    """
    if len(by_node) == 1:
        return dict(next(iter(by_node.values())).facts)
    facts: dict[str, str] = {}
    for node in by_node.values():
        facts = node.facts | facts
    for name in _SUMMED:
        values = [node.facts[name] for node in by_node.values() if node.facts.get(name, "").isdecimal()]
        if values:
            facts[name] = str(sum(map(int, values)))
    for label, node in by_node.items():
        facts |= {f"{label}/{name}": value for name, value in node.facts.items()}
    facts["nodes"] = str(len(by_node))
    return facts


_SUMMED: Final = (
    "used-mem", "used_memory", "used_memory_rss", "used_memory_dataset", "used_memory_peak", "maxmemory",
    "connected_clients", "blocked_clients", "evicted_keys", "expired_keys", "total_commands_processed",
    "keyspace_hits", "keyspace_misses", "rejected_connections", "clients",
)  # fmt: skip


def now() -> datetime:
    """Return this machine's time, for a server that does not tell its own."""
    return datetime.now(UTC)
