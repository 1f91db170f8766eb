"""Connections to Redis of the twin, the lab's admin application in Python, with the time-out of Lettuce."""

from __future__ import annotations

import contextlib
import queue
import socket
from collections.abc import Iterator
from typing import Any

import hiredis

from necropsy.lab.spring import pack


class TimedOut(Exception):  # noqa: N818 -- a state of the store, not of this program
    """Redis did not answer in time, or cannot be reached."""


class StoreRefusal(Exception):  # noqa: N818
    """Redis answered with an error (``OOM command not allowed …`` at its limit)."""


class TwinConnection:
    """One connection; a failed one is not used again."""

    def __init__(self, address: tuple[str, int], timeout_s: float | None) -> None:
        try:
            self._socket = socket.create_connection(address, timeout=timeout_s or 5.0)
        except OSError as error:
            raise TimedOut(str(error)) from error
        self._socket.settimeout(timeout_s)
        self._reader = hiredis.Reader()

    def call(self, *pieces: bytes) -> Any:
        """Send one command and return its answer.

        Raises
        ------
        TimedOut
            No answer came within the time-out.
        StoreRefusal
            The answer is an error.
        """
        return self.pipeline([pieces])[0]

    def pipeline(self, commands: list[tuple[bytes, ...]]) -> list[Any]:
        """Send commands together and return their answers in order. Errors as ``call``, after all answers were read."""
        try:
            self._socket.sendall(b"".join(pack(*pieces) for pieces in commands))
            answers = [self.read() for _ in commands]
        except OSError as error:
            self.close()
            raise TimedOut(str(error)) from error
        for answer in answers:
            if isinstance(answer, hiredis.ReplyError):
                raise StoreRefusal(str(answer))
        return answers

    def read(self) -> Any:
        """Wait for one answer, or for one message of a subscription."""
        while (answer := self._reader.gets()) is False:
            piece = self._socket.recv(1 << 16)
            if not piece:
                raise ConnectionResetError("Redis closed the connection")
            self._reader.feed(piece)
        return answer

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._socket.close()


class Pool:
    """Idle connections, reused by later requests; as many as there were requests at the same time."""

    def __init__(self, address: tuple[str, int], timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._idle: queue.LifoQueue[TwinConnection] = queue.LifoQueue()

    @contextlib.contextmanager
    def connection(self) -> Iterator[TwinConnection]:
        """Yield a connection; afterwards it is idle again, unless it failed."""
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = TwinConnection(self._address, self._timeout_s)
        try:
            yield connection
        except StoreRefusal:
            self._idle.put(connection)
            raise
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)
