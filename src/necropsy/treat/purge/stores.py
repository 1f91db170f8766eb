"""Connections that can write: to the one server, to the master behind a Sentinel, to every primary of a Cluster.

A replica is refused as a target. After a failover the same address is asked again who the master is; it is the same store
if its process is, or if its replication id is, or was before (``master_replid2``), the one that the plan is for.
"""

from __future__ import annotations

import binascii
import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from necropsy.model.errors import NecropsyError, UnreadableSource
from necropsy.wire.redis.address import Address, Endpoint
from necropsy.wire.redis.connection import Connection, PackedCommand
from necropsy.wire.redis.gate import Word
from necropsy.wire.redis.info import number, parse_info
from necropsy.wire.redis.replies import ConnectionLost, ServerError
from necropsy.wire.redis.topology import SLOTS, RedisNode, Topology, discover
from necropsy.wire.redis.writing_gate import WritingGate

_PATIENCE_S: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Rests before the attempts to reach a store again: a failover takes some seconds."""


_NO_IDENTITY: Final = (
    "Is it another server, or was it restarted? A server keeps its replication id over a restart only in a dump that it wrote"
    " while it had replicas, never in an AOF; without it nothing tells it from a copy."
)
NEW_PLAN: Final = (
    "Make a new plan, with a new --journal: what an earlier one deleted comes back with --undo DIR --other-store."
)
_IN_JOURNAL: Final = "Whatever was done is in the journal."
_REFUSALS: Final = {
    "OOM": f"The store is full: purge first, or raise maxmemory for a while. {_IN_JOURNAL}",
    "NOREPLICAS": f"It lacks replicas (min-replicas-to-write): connect them, then repeat the command. {_IN_JOURNAL}",
    "MISCONF": f"Its last save failed, so it takes no writes: mend its disk, then repeat the command. {_IN_JOURNAL}",
    "BUSY ": f"A script runs there and takes long: wait for its end, or SCRIPT KILL. {_IN_JOURNAL}",
    "READONLY": f"It has become a replica: give its master, or a Sentinel. {_IN_JOURNAL}",
    "MOVED": f"Slots are moving: give the same command again, once that is done. {_IN_JOURNAL}",
    "ASK ": f"Slots are moving: give the same command again, once that is done. {_IN_JOURNAL}",
    "unknown command": "Its configuration renames or disables that command (rename-command): enable it for the treatment.",
    "NOPERM": f"The plan prints the ACL SETUSER line of a user with the commands needed. {_IN_JOURNAL}",
}
"""Next steps, by what a server says when it refuses: in a script's error the kind stands in the middle."""


class TreatmentError(NecropsyError):
    """A store cannot be treated, or not on."""


class Demoted(TreatmentError):  # noqa: N818 -- what the server is
    """A server has become a replica: behind a Sentinel or in a Cluster another took its place."""


class Primary:
    """One server that takes writes."""

    def __init__(self, address: Address, node: RedisNode, scripts: Iterable[str] = ()) -> None:
        self.endpoint = node.endpoint
        self.name = str(node.endpoint)
        """Host and port."""
        self.gate = WritingGate(scripts)
        self.connection = Connection.open(address, node.endpoint, gate=self.gate)
        try:
            self.info = parse_info(self.connection.command("INFO"))
        except ServerError as error:
            self.connection.close()
            raise TreatmentError(
                f"{node.endpoint}: INFO is not permitted: {error.text}", hint="ACL SETUSER <user> +info"
            ) from None
        except ConnectionLost as error:
            self.connection.close()
            raise UnreadableSource(f"{node.endpoint} {error}", hint="Try again; is the server restarting?") from error
        if self.info.get("role") != "master":
            self.connection.close()
            of = self.info.get("master_host", "")
            where = f" of {of}:{self.info.get('master_port', '')}" if of else ""
            raise TreatmentError(
                f"{node.endpoint} is a replica{where}: sessions deleted there come back",
                hint="Give its master, or a Sentinel that monitors it.",
            )
        if number(self.info, "loading"):
            self.connection.close()
            raise TreatmentError(f"{node.endpoint} is loading its dump", hint="Wait until INFO shows loading:0.")
        self.is_cached = number(self.info, "tracking_clients") > 0
        """Whether clients keep what they read there (client-side caching): reading it again, they do not ask the server.

        Whoever asks for CLIENT TRACKING for another purpose is taken for one of them.
        """
        self._digests: dict[str, bytes] = {}
        self._db = 0

    @property
    def product(self) -> str:
        """Name and version: ``Redis 7.0.15``."""
        for field, product in (("valkey_version", "Valkey"), ("redis_version", "Redis")):
            if self.info.get(field):
                return f"{product} {self.info[field]}"
        return "unknown"

    @property
    def since_7(self) -> bool:
        """Whether it knows PEXPIRETIME (Redis 7.0, every Valkey)."""
        return int(self.info.get("redis_version", "0").partition(".")[0] or 0) >= 7

    @property
    def identities(self) -> tuple[str, ...]:
        """Its identity: its process and its replication id.

        Without replicas the replication id changes with the first SYNC, and an hour after the last one; the process does
        not.
        """
        return self._said("run_id", "master_replid")

    @property
    def succeeds(self) -> tuple[str, ...]:
        """Its identities, and the replication id that the store had before a failover (``master_replid2``).

        Started from another's dump it names that one, so what is made for a copy is not for what it was copied from.
        """
        return self._said("run_id", "master_replid", "master_replid2")

    def _said(self, *names: str) -> tuple[str, ...]:
        ids = (self.info.get(name, "") for name in names)
        return tuple(one for one in ids if one.strip("0"))

    @property
    def was_configured(self) -> bool:
        """Whether CONFIG SET may have been called since it started: once its counters were reset, nobody can tell."""
        return self._may_have_called("config|set", "config|resetstat", "config")

    @property
    def was_replica(self) -> bool:
        """Whether it may have been a replica since it started; it has heard of no use that only read then.

        ``master_replid2`` says so until the backlog is freed, an hour after the last replica has gone. What came in by
        replication is counted until somebody resets the counters.
        """
        if self.info.get("master_replid2", "").strip("0") or self.info.get("total_net_repl_input_bytes") != "0":
            return True
        return self._may_have_called("config|resetstat", "config")

    def _may_have_called(self, *commands: str) -> bool:
        """Whether one of these was called since the start, or nobody can tell."""
        try:
            counted = parse_info(self.connection.command("INFO", "commandstats"))
        except ServerError:
            return True
        return any(f"cmdstat_{command}" in counted for command in commands)

    def select(self, db: int) -> None:
        """Work in this database from now on."""
        if db != self._db:
            self.connection.command("SELECT", db)
            self._db = db

    def now_ms(self) -> int:
        """Return the server's clock, milliseconds since 1970."""
        seconds, micros = self.connection.command("TIME")
        return int(seconds) * 1000 + int(micros) // 1000

    def run(self, script: str, arguments: PackedCommand) -> Any:
        """Run a script; its arguments were packed before.

        Raises
        ------
        ServerError, ConnectionLost
        """
        digest = self._digests.get(script) or self._digests.setdefault(script, self.gate.admit(script))
        self.connection.send_with([b"EVALSHA", digest, 0], arguments)
        answer = self.connection.receive(1)[0]
        if isinstance(answer, ServerError) and answer.kind == "NOSCRIPT":
            self.connection.send_with([b"EVAL", script, 0], arguments)
            answer = self.connection.receive(1)[0]
        if isinstance(answer, ServerError):
            raise answer
        return answer

    def pipeline(self, commands: Sequence[Sequence[Word]]) -> list[Any]:
        """Ask many things; errors are values."""
        return self.connection.pipeline(commands) if commands else []

    def stats(self) -> dict[str, str]:
        """Return INFO anew, and check that it still takes writes.

        Raises
        ------
        Demoted
        """
        self.info = parse_info(self.connection.command("INFO"))
        if self.info.get("role") != "master":
            raise Demoted(
                f"{self.name} has become a replica meanwhile: stopped before the next batch",
                hint="Give the new master, or a Sentinel, and run the same command again: it continues.",
            )
        return self.info

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


class WritableStore:
    """All servers of a store that take writes.

    Parameters
    ----------
    address
        As a person named it.
    """

    def __init__(self, address: Address, scripts: Iterable[str] = ()) -> None:
        self.address = address
        self._scripts = tuple(scripts)
        self.primaries: list[Primary] = []
        self.kind = ""
        self._owners: list[int] = []
        self.reconnected = 0
        self._connect()

    def _connect(self) -> None:
        topology = self._discovered()
        if topology.missing_slots:
            raise TreatmentError(
                f"{topology.missing_slots:,} of {SLOTS:,} slots are served by no node",
                hint="Repair the Cluster first: redis-cli --cluster check HOST:PORT.",
            )
        opened: list[Primary] = []
        try:
            for node in topology.nodes:
                opened.append(Primary(self.address, node, self._scripts))  # noqa: PERF401 -- those opened must be closed
            self.kind = topology.kind
            self._owners = _owners(opened) if topology.kind == "cluster" else []
        except BaseException:
            for primary in opened:
                primary.close()
            raise
        self.primaries = opened

    def _discovered(self) -> Topology:
        """Ask the server that was named; of a Cluster any other that is known, if that one is gone."""
        named = replace(self.address, replicas=False)
        try:
            return discover(named)
        except UnreadableSource:
            for primary in self.primaries if self.kind == "cluster" else ():
                with contextlib.suppress(UnreadableSource):
                    return discover(replace(named, endpoint=primary.endpoint))
            raise

    def owner(self, key: bytes) -> Primary:
        """Return the server that holds a key."""
        return self.primaries[self._owners[slot_of(key)]] if self._owners else self.primaries[0]

    def now_ms(self) -> int:
        """Return the earliest of the servers' clocks: by it nobody looks unused for longer than by the clock of his own server.

        Raises
        ------
        ServerError, ConnectionLost
        """
        return min(primary.now_ms() for primary in self.primaries)

    @property
    def identities(self) -> set[str]:
        """Processes and replication ids of all servers."""
        return {one for primary in self.primaries for one in primary.identities}

    @property
    def is_cached(self) -> bool:
        """Whether clients of some server keep what they read there."""
        return any(primary.is_cached for primary in self.primaries)

    @property
    def processes(self) -> set[str]:
        """Processes of all servers (``run_id``): others after a failover."""
        return {primary.info.get("run_id", "") for primary in self.primaries}

    def require_same(self, identities: Iterable[str], hint: str = NEW_PLAN) -> None:
        """Refuse a store that is another than the one with these replication ids.

        Parameters
        ----------
        hint
            What to do then.

        Raises
        ------
        TreatmentError
        """
        known = set(identities)
        strangers = [p.name for p in self.primaries if not known & set(p.succeeds)]
        if self.kind == "cluster" and len(strangers) < len(self.primaries):
            return  # a Cluster is one store: whoever joined it since serves what the others handed over
        if strangers:
            raise TreatmentError(
                f"{', '.join(strangers)}: not the store that this was made for (another process, another replication id)",
                hint=f"{_NO_IDENTITY} {hint}",
            )

    def reconnect(self) -> None:
        """Find the servers again after a broken connection, a failover or a moved slot.

        Raises
        ------
        TreatmentError
            They do not come back, or are others.
        """
        identities = self.identities
        self.close()
        why: NecropsyError | None = None
        for rest in _PATIENCE_S:
            time.sleep(rest)
            try:
                self._connect()
            except (UnreadableSource, TreatmentError) as error:
                why = error
                continue
            self.require_same(identities)
            self.reconnected += 1
            return
        if isinstance(why, TreatmentError):  # it is there, and takes no writes
            raise TreatmentError(
                f"stopped: {why.message}",
                hint=f"{why.hint} Everything that was deleted is in the journal; the same command goes on there.",
            )
        raise TreatmentError(
            f"{self.address.masked} does not come back: {why.message if why else 'no answer'}",
            hint="Everything that was deleted is in the journal. Give the same command again once it is back: it goes on, or"
            " says why that needs a new plan.",
        )

    def close(self) -> None:
        """Hang up."""
        for primary in self.primaries:
            with contextlib.suppress(OSError):
                primary.close()


@contextlib.contextmanager
def opened(address: Address) -> Iterator[WritableStore]:
    """Connect to a store for the time of a block; what it refuses outside of a batch ends in an error with the next step.

    Raises
    ------
    TreatmentError, UnreadableSource
    """
    store = WritableStore(address)
    try:
        yield store
    except ServerError as error:
        raise refusal(address, error) from None
    except ConnectionLost as error:
        raise UnreadableSource(f"{address.masked} {error}", hint="Give the same command again: it goes on.") from error
    finally:
        store.close()


def refusal(address: Address, error: ServerError) -> TreatmentError:
    """Return an error of a server with the next step."""
    return TreatmentError(f"{address.masked}: refused: {error.text}", hint=next_step(error))


def next_step(error: ServerError) -> str:
    """Return what to do about an error of a server.

    >>> next_step(ServerError("NOREPLICAS Not enough good replicas to write."))[:35]
    'It lacks replicas (min-replicas-to-'
    """
    said = next((hint for words, hint in _REFUSALS.items() if words in error.text), "")
    return said or "All deleted sessions are in the journal. The plan prints the permissions that the user needs."


def slot_of(key: bytes) -> int:
    """Return the slot of a key in a Cluster: CRC-16 of what its first braces hold, if anything, else of all of it.

    >>> slot_of(b"123456789"), slot_of(b"{user1000}.following") == slot_of(b"user1000")
    (12739, True)
    """
    start = key.find(b"{")
    if start >= 0:
        end = key.find(b"}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return binascii.crc_hqx(key, 0) % SLOTS


def _owners(primaries: Sequence[Primary]) -> list[int]:
    places = {(p.endpoint.host, p.endpoint.port): number for number, p in enumerate(primaries)}
    owners = [0] * SLOTS
    for first, last, master, *_ in primaries[0].connection.command("CLUSTER", "SLOTS"):
        host = (master[0] or b"").decode()
        endpoint = Endpoint(primaries[0].endpoint.host if host in {"", "?"} else host, master[1])
        number = places.get((endpoint.host, endpoint.port))
        if number is not None:
            owners[first : last + 1] = [number] * (last - first + 1)
    return owners
