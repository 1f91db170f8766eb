"""Nodes that hold the keys: one server, the master behind a Sentinel, the primaries of a Cluster, or their replicas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from necropsy.model.errors import UnreadableSource, UsageError
from necropsy.wire.redis.address import Address, Endpoint
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.info import parse_info
from necropsy.wire.redis.replies import ConnectionLost, ServerError, understood

SLOTS: Final = 16_384


@dataclass(frozen=True, slots=True)
class RedisNode:
    """One server to be read."""

    endpoint: Endpoint
    replica: bool = False
    """Whether it must be told READONLY."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The servers that together hold the keyspace."""

    kind: str
    """``single``, ``sentinel`` or ``cluster``."""
    nodes: tuple[RedisNode, ...]
    missing_slots: int = 0
    """Slots of a Cluster that no node serves: their keys cannot be read."""
    remarks: tuple[str, ...] = ()


def discover(address: Address) -> Topology:
    """Ask the server that was named what it is, and follow it to the keys.

    Raises
    ------
    UnreadableSource
        It cannot be reached, or knows no server that holds keys.
    UsageError
        A Sentinel watches several masters, and the address does not say which.
    """
    with understood(str(address.endpoint)):
        return _discovered(address)


def _discovered(address: Address) -> Topology:
    try:
        info = _info(address)
    except _Sentinel:
        return _behind_sentinel(address)
    mode = info.get("redis_mode") or info.get("server_mode")  # Valkey's name for it
    if mode == "sentinel":
        return _behind_sentinel(address)
    if mode == "cluster":
        return _cluster(address)
    if address.replicas and info.get("role") == "master":
        replica = _replica_of_info(info)
        if replica is None:
            return Topology(
                "single", (RedisNode(address.endpoint),), remarks=("it has no replica that could be read instead",)
            )
        return Topology("single", (RedisNode(replica),), remarks=(f"read from its replica {replica}",))
    return Topology("single", (RedisNode(address.endpoint),))


class _Sentinel(Exception):  # noqa: N818 -- what it is
    """The server does not let us in as a store would; perhaps it is a Sentinel without password."""


def _info(address: Address) -> dict[str, str]:
    try:
        with Connection.open(address) as connection:
            return parse_info(connection.command("INFO"))
    except ServerError:
        return {}  # INFO is forbidden: what is known is what was named
    except ConnectionLost as error:
        raise UnreadableSource(f"{address.endpoint} {error}", hint="Try again; is the server restarting?") from error
    except UnreadableSource as error:
        kept_out = "WRONGPASS" in error.message or "NOAUTH" in error.message
        if "without any password" in error.message or (kept_out and address.sentinel_password is not None):
            raise _Sentinel from error
        raise


def _behind_sentinel(address: Address) -> Topology:
    with Connection.open(address, sentinel=True) as sentinel:
        try:
            masters = [_pairs(row) for row in sentinel.command("SENTINEL", "MASTERS")]
            name = _chosen(address, masters)
            replicas = _replicas(sentinel, name) if address.replicas else []
        except ServerError as error:
            raise UnreadableSource(
                f"{address.endpoint} is a Sentinel, or requires no password: {error.text}",
                hint="Set its own password in NECROPSY_SENTINEL_PASSWORD; its user needs +sentinel|masters"
                " +sentinel|replicas.",
            ) from None
        except ConnectionLost as error:
            raise UnreadableSource(f"{address.endpoint} {error}", hint="Give another Sentinel.") from error
    master = next(row for row in masters if row.get("name", "") == name)
    down = "s_down" in master.get("flags", "") or "o_down" in master.get("flags", "")
    remarks = [f"master {name!r} as the Sentinel at {address.endpoint} knows it"]
    if down:
        remarks.append("the Sentinel reports it as down")
    if replicas:
        return Topology(
            "sentinel", (RedisNode(replicas[0]),), remarks=(*remarks, f"read from its replica {replicas[0]}")
        )
    return Topology("sentinel", (RedisNode(Endpoint(master["ip"], int(master["port"]))),), remarks=tuple(remarks))


def _chosen(address: Address, masters: Iterable[Mapping[str, str]]) -> str:
    names = sorted(row.get("name", "") for row in masters)
    if address.master is None and len(names) == 1:
        return names[0]
    if address.master in names:
        return str(address.master)
    if not names:
        raise UnreadableSource(
            f"{address.endpoint} is a Sentinel that monitors no master", hint="Give the address of the server itself."
        )
    which = "several masters" if address.master is None else f"no master {address.master!r}"
    raise UsageError(
        f"the Sentinel at {address.endpoint} watches {which}", hint=f"Add ?master=NAME, one of: {', '.join(names)}."
    )


def _replicas(sentinel: Connection, name: str) -> list[Endpoint]:
    try:
        rows = sentinel.command("SENTINEL", "REPLICAS", name)
    except ServerError:
        rows = sentinel.command("SENTINEL", "SLAVES", name)  # its name before Redis 5
    healthy = [
        row for row in map(_pairs, rows) if row.get("flags") == "slave" and row.get("master-link-status") == "ok"
    ]
    return [Endpoint(row["ip"], int(row["port"])) for row in healthy]


def _pairs(row: Any) -> dict[str, str]:
    texts = [value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in row]
    return dict(zip(texts[::2], texts[1::2], strict=False))


def _replica_of_info(info: Mapping[str, str]) -> Endpoint | None:
    """Return the first replica in good order: ``slave0:ip=10.0.0.2,port=6379,state=online,offset=42,lag=0``."""
    for number in range(int(info.get("connected_slaves", "0") or 0)):
        row = dict(pair.split("=", 1) for pair in info.get(f"slave{number}", "").split(",") if "=" in pair)
        if row.get("state") == "online" and row.get("ip") and row.get("port", "0") != "0":
            return Endpoint(row["ip"], int(row["port"]))
    return None


def _cluster(address: Address) -> Topology:
    """Read CLUSTER SLOTS: rows of (first slot, last slot, primary, replica …), a node being (host, port, id, …)."""
    try:
        with Connection.open(address) as connection:
            rows = connection.command("CLUSTER", "SLOTS")
    except ServerError as error:
        if not error.forbidden:
            raise UnreadableSource(f"{address.endpoint}: {error.text}", hint="Check redis-cli CLUSTER INFO.") from None
        remark = (
            "a node of a Cluster, read alone: this user may not list the others (ACL SETUSER <user> +cluster|slots)"
        )
        return Topology("single", (RedisNode(address.endpoint),), remarks=(remark,))
    except ConnectionLost as error:
        raise UnreadableSource(f"{address.endpoint} {error}", hint="Give another node.") from error
    nodes: dict[bytes, RedisNode] = {}
    served = 0
    for first, last, *members in rows:
        served += last - first + 1
        primary, *replicas = members
        chosen = replicas[0] if address.replicas and replicas else primary
        host = (chosen[0] or b"").decode()
        endpoint = Endpoint(address.endpoint.host if host in {"", "?"} else host, chosen[1])
        nodes.setdefault(chosen[2], RedisNode(endpoint, replica=chosen is not primary))
    if not nodes:
        raise UnreadableSource(
            f"{address.endpoint} is in a Cluster that serves no slots",
            hint="Check redis-cli CLUSTER INFO and CLUSTER NODES.",
        )
    kind = "replicas" if address.replicas else "primaries"
    return Topology(
        "cluster",
        tuple(sorted(nodes.values(), key=lambda node: str(node.endpoint))),
        missing_slots=SLOTS - served,
        remarks=(f"a Cluster, {len(nodes)} {kind} side by side",),
    )
