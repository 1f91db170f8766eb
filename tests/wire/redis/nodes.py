"""Servers in company for tests: raw questions, replicas, a Sentinel, a Cluster."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import hiredis

from servers import Server, binary, free_port, running
from waiting import wait_until


def ask(server: Server, *words: str | bytes | int) -> Any:
    """Ask over a connection of its own, through no client at all."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(30)
        channel.connect(str(server.socket))
        channel.sendall(hiredis.pack_command(words))
        reader = hiredis.Reader(notEnoughData=...)
        while (answer := reader.gets()) is ...:
            reader.feed(channel.recv(1 << 16))
    return answer


def info(server: Server, section: str) -> dict[str, str]:
    """INFO of a server."""
    return dict(line.split(":", 1) for line in ask(server, "INFO", section).decode().splitlines() if ":" in line)


@contextmanager
def replica_of(server: Server, name: str, *options: str) -> Iterator[Server]:
    """Start a replica that has all that its primary has."""
    with running(name, "--replicaof", f"127.0.0.1 {server.port}", *options, tcp=True) as replica:
        wait_until(lambda: info(replica, "replication").get("master_link_status") == "up", "the replica is linked")
        yield replica


@contextmanager
def sentinel_of(servers: dict[str, Server], name: str, *lines: str) -> Iterator[int]:
    """Start a Sentinel that watches servers by name; its port."""
    _, path = binary(name)
    folder = Path(tempfile.mkdtemp(prefix="sen"))
    port = free_port()
    watched = [f"sentinel monitor {master} 127.0.0.1 {server.port} 1" for master, server in servers.items()]
    file = folder / "sentinel.conf"
    file.write_text("\n".join([f"port {port}", "bind 127.0.0.1", f"dir {folder}", *watched, *lines, ""]))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([path, str(file), "--sentinel"], stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: _listens(port), "the Sentinel listens")
        yield port
    finally:
        process.kill()
        process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as channel:
        return channel.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def cluster(name: str, *, replicas: bool = False) -> Iterator[list[Server]]:
    """Start three primaries that share the slots, and a replica of each when asked for; primaries come first."""
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(
                running(
                    name,
                    *("--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--cluster-node-timeout", "5000"),
                    *("--repl-diskless-sync-delay", "0"),
                    *("--cluster-config-file", "nodes.conf"),
                    tcp=True,
                )
            )
            for _ in range(6 if replicas else 3)
        ]
        bounds = (0, 5461, 10923, 16384)
        for node, first, end in zip(nodes, bounds, bounds[1:], strict=False):
            ask(node, "CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        for node in nodes[1:]:
            ask(node, "CLUSTER", "MEET", "127.0.0.1", nodes[0].port, _bus(nodes[0]))
        wait_until(lambda: all(_knows(node, len(nodes)) for node in nodes), "all nodes know each other")
        for primary, replica in zip(nodes[:3], nodes[3:], strict=False):
            identity = ask(primary, "CLUSTER", "MYID")
            wait_until(lambda r=replica, i=identity: ask(r, "CLUSTER", "REPLICATE", i) == b"OK", "a node is a replica")
            wait_until(lambda r=replica: info(r, "replication").get("master_link_status") == "up", "it is linked")
        wait_until(lambda: all(_state(node) == "ok" for node in nodes), "the Cluster is ready")
        if replicas:
            wait_until(
                lambda: all(len(row) > 3 for node in nodes for row in ask(node, "CLUSTER", "SLOTS")),
                "every node knows every replica",
            )
        yield nodes


def _bus(node: Server) -> int:
    line = next(line for line in ask(node, "CLUSTER", "NODES").decode().splitlines() if "myself" in line)
    return int(line.split()[1].split("@")[1].split(",")[0])


def _knows(node: Server, count: int) -> bool:
    lines = ask(node, "CLUSTER", "NODES").decode().splitlines()
    return len(lines) == count and not any("handshake" in line or "noaddr" in line for line in lines)


def _state(node: Server) -> str:
    answer = dict(line.split(":", 1) for line in ask(node, "CLUSTER", "INFO").decode().splitlines() if ":" in line)
    return answer.get("cluster_state", "")


def write_to_cluster(nodes: list[Server], keys: dict[bytes, bytes]) -> None:
    """Write strings, each where it belongs, as any client would: by following MOVED."""
    at = {node.port: node for node in nodes}
    for key, value in keys.items():
        answer = ask(nodes[0], "SET", key, value)
        if isinstance(answer, Exception):
            ask(at[int(str(answer).rpartition(":")[2])], "SET", key, value)
