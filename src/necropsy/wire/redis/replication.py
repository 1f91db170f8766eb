r"""The stream that a server sends to a new replica, as a binary stream of the dump alone.

::

    > REPLCONF capa eof            we understand a dump without length
    > REPLCONF rdb-only 1          and want nothing after it (6.2 and later)
    > REPLCONF version 9.1.0        to Valkey: else it writes a dump for Redis 7.2, and fails on what that cannot hold
    > SYNC
    < \n\n\n                          signs of life, while it forks and waits for other replicas
    < $EOF:<40 characters>\r\n       the dump follows, then those 40 characters; or:
    < $<bytes>\r\n                   the dump follows

Sources: replication.c (``syncCommand``, ``rdbPipeReadHandler``) and redis-cli.c (``getRDB``) of Redis.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.gate import Gate
from necropsy.wire.redis.replies import ConnectionLost, ServerError

if TYPE_CHECKING:
    import socket

    from necropsy.wire.redis.address import Address
    from necropsy.wire.redis.topology import RedisNode

MARK: Final = 40
"""Characters of the mark that ends a dump without length."""
HEADER_TIMEOUT_S: Final = 60.0
"""Longest silence while the server prepares; it gives a sign of life every second."""
_CHUNK: Final = 1 << 20


class StreamRefused(Exception):  # noqa: N818 -- what happened; another way in is taken then
    """The server does not send its stream: forbidden, not known, or not now."""


def open_stream(address: Address, node: RedisNode, *, valkey: str = "") -> ReplicationStream:
    """Ask a node for its dump; return when it is about to send it.

    Parameters
    ----------
    valkey
        The version of the node, if it is Valkey: it is asked for a dump as it would save it.

    Raises
    ------
    StreamRefused
        It will not; nothing was begun.
    UnreadableSource
        It cannot be reached.
    """
    connection = Connection.open(address, node.endpoint, gate=Gate(replication=True), replica=node.replica)
    try:
        greeting = [("REPLCONF", "CAPA", "eof"), ("REPLCONF", "RDB-ONLY", "1")]
        for words in greeting + ([("REPLCONF", "VERSION", valkey)] if valkey else []):
            try:
                connection.command(*words)
            except ServerError as error:
                if error.forbidden or words[1] == "CAPA":
                    raise StreamRefused(error.text) from None
                # Before 6.2 there is no rdb-only: commands would follow the dump, which is the end of it for us.
                # Before Valkey 8 there is no version.
        connection.send([("SYNC",)])
        channel = connection.raw()
        channel.settimeout(HEADER_TIMEOUT_S)
        started = time.monotonic()
        header = _header(channel.recv)
        return ReplicationStream(connection, channel, header, waited_s=time.monotonic() - started)
    except (ConnectionLost, OSError) as error:
        connection.close()
        raise StreamRefused(f"the server broke the connection: {error}") from error
    except BaseException:
        connection.close()
        raise


def _header(receive: Callable[[int], bytes]) -> bytes:
    r"""Return the line before the dump, without its end; signs of life before it are skipped.

    >>> source = io.BytesIO(b"\n\n$EOF:" + b"0" * 40 + b"\r\nREDIS0011")
    >>> _header(source.read)[:8], source.read()
    (b'$EOF:000', b'REDIS0011')
    """
    line = bytearray()
    while not line.endswith(b"\r\n"):
        piece = receive(1)
        if not piece:
            raise StreamRefused("the server closed the connection instead of sending its dump")
        if line or piece != b"\n":
            line += piece
        if len(line) > 1024:
            raise StreamRefused("the server answers SYNC with something other than a dump")
    header = bytes(line[:-2])
    if not header.startswith(b"$"):
        raise StreamRefused(ServerError(header.lstrip(b"-").decode(errors="replace")).text)
    return header


class ReplicationStream(io.RawIOBase):
    """The bytes of a dump as they arrive; it ends where the dump ends, and hangs up when closed."""

    why_not: str
    """Why the server sent less than it announced; empty while it did not."""

    def __init__(self, connection: Connection, channel: socket.socket, header: bytes, *, waited_s: float = 0.0) -> None:
        super().__init__()
        self._connection = connection
        self._channel = channel
        self.waited_s = waited_s
        """Seconds between SYNC and the first byte: the fork, and the delay for other replicas."""
        self.why_not = ""
        self._mark = b""
        self._rest: int | None = None
        if header.startswith(b"$EOF:"):
            self._mark = header[5:]
            if len(self._mark) != MARK:
                raise StreamRefused("the server announces a dump of unknown length and no end marker")
        elif header[1:].isdigit():
            self._rest = int(header[1:])
        else:
            raise StreamRefused("the server announces a dump without a length")
        self._memory = bytearray(_CHUNK + MARK)
        self._from = self._to = self._known = 0
        self._ended = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer with what comes next; 0 at the end, or when the connection broke (``why_not`` says how)."""
        view = memoryview(buffer).cast("B")
        while self._from == self._known and not self._ended:
            self._more()
        count = min(len(view), self._known - self._from)
        view[:count] = memoryview(self._memory)[self._from : self._from + count]
        self._from += count
        return count

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
        super().close()

    def _more(self) -> None:
        """Receive. Bytes up to ``_known`` are surely of the dump; behind them may be the beginning of the mark."""
        if self._rest == 0:
            self._ended = True
            return
        memory = self._memory
        left = self._to - self._from
        memory[:left] = memory[self._from : self._to]
        self._from, self._to, self._known = 0, left, 0
        room = len(memory) - left if self._rest is None else min(len(memory) - left, self._rest)
        try:
            count = self._channel.recv_into(memoryview(memory)[left : left + room])
        except OSError as error:
            self._break(f"{error.strerror or type(error).__name__}")
            return
        if not count:
            self._break("the server closed the connection")
            return
        self._to += count
        if self._rest is not None:
            self._rest -= count
            self._known = self._to
            return
        found = memory.find(self._mark, 0, self._to)
        if found >= 0:
            self._known = found
            self._ended = True
        else:
            self._known = max(0, self._to - MARK + 1)

    def _break(self, why: str) -> None:
        # What was held back as a possible mark is of the dump after all, or the mark cut short: the reader will see.
        self._known = self._to
        self._ended = True
        self.why_not = why
