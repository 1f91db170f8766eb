"""Reading live servers in tests: every way, and rows that can be compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evidence.rdb.populate import hash_field_expiries, populate
from necropsy.evidence.rdb.reader import open_stream
from necropsy.evidence.redis.reader import LiveKeyspace, read_keys
from necropsy.sessions.keyspace import Projection, key_schema
from servers import Server
from waiting import wait_until
from wire.redis.nodes import ask, info

WANTED = Projection(
    string_bytes=50,
    hash_fields=((b"creationTime", 1 << 20), (b"f1", 5), (b"attribute:2", 100), (b"3", 0), (b"x", 10)),
    members_of=(b"",),
    empty_fields_beside=(b"creationTime", b"f1"),
)
"""Members of every set, so that small and large ones of every encoding are read."""
SMALL_DATABASES = (0, 3)
FIELD_EXPIRY = ("redis-8.2", "valkey-9")


def fill(server: Server, *, keys: int = 400, seed: int = 7) -> None:
    """Keys of every kind and encoding in two databases, as they are when a server has loaded them from its dump."""
    for number, db in enumerate(SMALL_DATABASES):
        populate(server.client(db), keys=keys, seed=seed + number)
    if server.build.name in FIELD_EXPIRY:
        hash_field_expiries(server.client(0), keys=20, seed=seed)
    ask(server, "HSET", "long-fields", "creationTime", b"c" * 3_000_000, "f1", b"f" * 40_000, "3", b"", "x", b"x")
    ask(server, "HSET", "sparse", "other", b"o" * 100_000)
    ask(server, "HSET", "removed", "creationTime", "1", "f1", "", "own", "", "kept", "v", "another", "")
    ask(server, "HSET", "removed:large", "creationTime", b"c" * 20_000, "own", "", "3", "")
    ask(server, "DEBUG", "RELOAD")


def options(name: str) -> tuple[str, ...]:
    """Options of a server that may be told to reload, and that streams at once."""
    debug = () if name == "redis-6.2" else ("--enable-debug-command", "local")
    return ("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", *debug)


def idle(server: Server) -> None:
    """Wait until the child that sent the last stream is gone."""
    wait_until(lambda: info(server, "persistence")["rdb_bgsave_in_progress"] == "0", "no child is saving")


def read(url: str, way: str, wanted: Projection = WANTED, **more: Any) -> LiveKeyspace:
    """Open a store; stream mode parses with the reader of dumps."""
    return read_keys(url, wanted, store="live", way=way, open_stream=open_stream, **more)


def rows(
    live: LiveKeyspace, wanted: Projection = WANTED, after: Callable[[int], None] = lambda _: None
) -> list[dict[str, Any]]:
    """Read to the end; rows by database and key. ``after`` is told how many batches there were, after each."""
    found: list[dict[str, Any]] = []
    for number, batch in enumerate(live, 1):
        assert batch.schema == key_schema(wanted)
        batch.validate(full=True)
        found += batch.to_pylist()
        after(number)
    for row in found:
        if row["members"] is not None:
            row["members"].sort()
    return sorted(found, key=lambda row: (row["db"], row["key"]))


def without(rows: list[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in columns} for row in rows]
