"""Facts of the servers of a case: rows of ``server_fact`` as numbers, one value a server.

A dump tells little (``used-mem``, ``ctime``), a live server most of INFO, CONFIG, SLOWLOG and LATENCY. Of a cluster every
node is a server of its own: its facts stand behind its address, ``10.0.0.1:7000/used_memory``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from necropsy._internal.sql_quoting import literal

if TYPE_CHECKING:
    from necropsy.case.store import Case


@dataclass(frozen=True, slots=True)
class StoreServer:
    """One server of one store."""

    store: str
    name: str
    """``store a``, or ``store a, node 10.0.0.1:7000``: how a finding calls it."""
    live: bool
    """Whether it was asked, and not only its dump read."""
    facts: Mapping[str, str]

    def number(self, *names: str) -> float | None:
        """Return the first of these facts that is a number; None when none is."""
        for name in names:
            try:
                return float(self.facts[name])
            except (KeyError, ValueError):
                continue
        return None

    def count(self, name: str) -> float:
        """Return a fact that counts something: 0 when the server does not tell."""
        return self.number(name) or 0.0

    def text(self, *names: str) -> str:
        """Return the first of these facts that is there, else the empty text."""
        return next((self.facts[name] for name in names if self.facts.get(name)), "")

    @property
    def used(self) -> float | None:
        """Bytes in use."""
        return self.number("used_memory", "used-mem")

    @property
    def limit(self) -> float | None:
        """Bytes that it may use: the user's word, else ``maxmemory``; None when there is no limit, or none is known."""
        return self.number("memory-limit") or self.number("maxmemory") or None

    @property
    def counted(self) -> float | None:
        """Bytes that count against the limit: replicas' and AOF's buffers do not (``mem_not_counted_for_evict``)."""
        used = self.used
        return None if used is None else max(0.0, used - self.count("mem_not_counted_for_evict"))

    @property
    def machine(self) -> float | None:
        """Bytes of memory that its machine, or its container's host, has."""
        return self.number("host:memory-total", "total_system_memory")

    @property
    def policy(self) -> str:
        """Its eviction policy; empty when unknown."""
        return self.text("maxmemory_policy", "config:maxmemory-policy")

    @property
    def is_replica(self) -> bool:
        """Whether it follows a master: then its master evicts and expires, and it counts neither."""
        return self.text("role") == "slave"

    @property
    def days(self) -> float | None:
        """For how many days its counters have counted."""
        uptime = self.number("uptime_in_seconds")
        return uptime / 86_400 if uptime else None


def servers(case: Case) -> list[StoreServer]:
    """Return the servers of all stores, in order of name."""
    stores: dict[str, dict[str, str]] = {}
    for row in case.rows("SELECT store, name, value FROM server_fact ORDER BY store, name"):
        stores.setdefault(row["store"], {})[row["name"]] = row["value"]
    found = []
    for store, facts in stores.items():
        live = "redis_version" in facts or "valkey_version" in facts or "server-time" in facts
        limit = {"memory-limit": facts["memory-limit"]} if "memory-limit" in facts else {}
        nodes: dict[str, dict[str, str]] = {}
        if "nodes" in facts:
            for name, value in facts.items():
                node, slash, fact = name.rpartition("/")
                if slash and node:
                    nodes.setdefault(node, dict(limit))[fact] = value
        found += [StoreServer(store, f"store {store}, node {node}", live, own) for node, own in nodes.items()]
        if not nodes:
            found.append(StoreServer(store, f"store {store}", live, facts))
    return found


def query(store: str, *names: str) -> str:
    """Return the query that shows these facts of a store, of its nodes too."""
    listed = ", ".join(literal(name) for name in names)
    return (
        f"SELECT name, value FROM server_fact WHERE store = {literal(store)}"
        f" AND regexp_replace(name, '^.*/', '') IN ({listed}) ORDER BY name"
    )
