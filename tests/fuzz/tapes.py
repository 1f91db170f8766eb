"""Tapes: what a server sent on each connection, one after the other; recorded, and played to a reader as if it were one.

The first line of a tape says how the store is to be read (``script``, ``pipeline``, ``stream``, ``auto``). The connections
follow, apart by ``BETWEEN``, and in them what was sent at a time, apart by ``PAUSE``. Nobody looks at what the reader asks:
it asks the same of the same answers.

    python tests/fuzz/tapes.py FOLDER     # record the tapes of tests/assets/replies again, from servers of this machine
"""

from __future__ import annotations

import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence.rdb.minting import EVERYTHING
from necropsy.model.errors import UnreadableSource

BETWEEN: Final = b"\n--hangs up--\n"
PAUSE: Final = b"\n--waits--\n"
FOLDER: Final = Path(__file__).parents[1] / "assets" / "replies"
_INFO: Final = re.compile(rb"\$(\d+)\r\n(?=# Server\r\n)")
_KEPT: Final = re.compile(
    rb"# |redis_version|valkey_version|server_name|redis_mode|server_mode|run_id|tcp_port|uptime_in_s|used_memory:|maxmemory|mem_allocator|"
    rb"loading:|rdb_bgsave|rdb_last|aof_enabled|role|connected_|master_|cluster_enabled|db\d|latest_fork|total_system_memory"
)


class Player:
    """The socket of a connection on which a server sends what is on the tape, then hangs up."""

    def __init__(self, tape: bytes) -> None:
        self._pieces = [piece for piece in reversed(tape.split(PAUSE)) if piece]

    def sendall(self, _data: bytes) -> None:
        """Take no notice."""

    def settimeout(self, _seconds: float) -> None:
        """Never wait."""

    def recv(self, most: int) -> bytes:
        """Give what comes next."""
        piece = self._pieces.pop() if self._pieces else b""
        if len(piece) > most:
            self._pieces.append(piece[most:])
        return piece[:most]

    def recv_into(self, room: memoryview) -> int:
        """Give it there."""
        piece = self.recv(len(room))
        room[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Hang up."""


class _Recorder:
    """A real socket whose answers are kept."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self.heard = bytearray()

    def sendall(self, data: bytes) -> None:
        if self.heard and not self.heard.endswith(PAUSE):
            self.heard += PAUSE
        self._channel.sendall(data)

    def recv(self, most: int) -> bytes:
        data = self._channel.recv(most)
        self.heard += data
        return data

    def recv_into(self, room: memoryview) -> int:
        count = self._channel.recv_into(room)
        self.heard += room[:count]
        return count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


@contextmanager
def _connecting(connect: Any) -> Iterator[None]:
    """Connect by this function, without rests and without questions whose number is up to the clock."""
    with (
        mock.patch("necropsy.wire.redis.connection._connect", connect),
        mock.patch("necropsy.evidence.redis.scan.PATIENCE_S", (0.0,)),
        mock.patch("necropsy.evidence.redis.rate_control.PATIENCE_S", 0.0),
        mock.patch("necropsy.evidence.redis.rate_control.LEAST_REST_S", 0.0),
        mock.patch("necropsy.evidence.redis.scanning._Line.ping", return_value=0.0),
        mock.patch("necropsy.evidence.redis.scanning._Line.memory", return_value={}),
        mock.patch("necropsy.evidence.redis.scanning._Line.heard", return_value=None),
    ):
        yield


def read(url: str, way: str) -> list[Any]:
    """Read a store to the end; return what would be kept of it."""
    from necropsy.evidence.rdb.reader import open_stream
    from necropsy.evidence.redis.reader import read_keys

    live = read_keys(url, EVERYTHING, store="tape", way=way, max_impact_s=1.0, open_stream=open_stream, each=False)
    try:
        rows = 0
        for batch in live:
            batch.validate(full=True)
            rows += batch.num_rows
        return [rows, live.facts, live.blemishes, live.absent, live.note, live.taken_at]
    finally:
        live.close()


def play(tape: bytes) -> list[Any]:
    """Read the server of a tape; see ``read``."""
    way, _, spoken = tape.partition(b"\n")
    parts = iter(spoken.split(BETWEEN))

    def connect(endpoint: Any, _tls: Any) -> Any:
        part = next(parts, None)
        if part is None:
            raise UnreadableSource(f"{endpoint} cannot be reached: the tape is at its end", hint="Record a longer one.")
        return Player(part)

    name = way.decode(errors="replace")
    with _connecting(connect):
        return read("redis://127.0.0.1:1", name if name in {"script", "pipeline", "stream"} else "auto")


def record(url: str, way: str) -> bytes:
    """Read a server and return its tape, INFO cut down to what is looked at."""
    from necropsy.wire.redis import connection

    original, heard = connection._connect, []

    def connect(endpoint: Any, tls: Any) -> Any:
        heard.append(_Recorder(original(endpoint, tls)))
        return heard[-1]

    with _connecting(connect):
        read(url, way)
    spoken = BETWEEN.join(_shorter(bytes(part.heard)) for part in heard)
    # Where the sockets of tests are is nobody's business.
    return way.encode() + b"\n" + spoken.replace(f"{tempfile.gettempdir()}/".encode(), b"/run/")


def _shorter(heard: bytes) -> bytes:
    """Leave out of INFO what nobody looks at."""
    parts, at = [], 0
    for found in _INFO.finditer(heard):
        stop = found.end() + int(found[1])
        lines = [line for line in heard[found.end() : stop].split(b"\r\n") if _KEPT.match(line)]
        text = b"\r\n".join([*lines, b""])
        parts.append(heard[at : found.start()] + b"$%d\r\n%b" % (len(text), text))
        at = stop
    return b"".join([*parts, heard[at:]])


def _record_all(folder: Path) -> None:
    from servers import running
    from wire.redis.nodes import ask, cluster, sentinel_of, write_to_cluster

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("redis-7.0", "valkey-9"):
        with running(name, "--repl-diskless-sync-delay", "0", tcp=True) as server:
            for number in range(6):
                ask(server, "SET", f"sess:{number}", '{"cookie":{"originalMaxAge":null}}', "EX", "1800")
                ask(server, "HSET", f"spring:session:sessions:{number}", "creationTime", "x", "lastAccessedTime", "y")
                ask(server, "SADD", f"spring:session:expirations:{number}", "a", "b", "c")
            ask(server, "ZADD", "z", "1", "member")
            ask(server, "RPUSH", "l", "1", "two")
            ask(server, "XADD", "x", "*", "f", "v")
            for way in ("script", "pipeline", "stream"):
                (folder / f"{name}-{way}.tape").write_bytes(record(server.url, way))
            with sentinel_of({"lone": server}, name) as port:
                (folder / f"{name}-sentinel.tape").write_bytes(record(f"redis://127.0.0.1:{port}", "script"))
        with cluster(name) as nodes:
            write_to_cluster(nodes, {f"sess:{number}".encode(): b"x" for number in range(9)})
            (folder / f"{name}-cluster.tape").write_bytes(record(nodes[0].url, "pipeline"))


if __name__ == "__main__":
    _record_all(Path(sys.argv[1]))
