"""Listens to one store for a moment: which keys are written (CLIENT TRACKING in broadcast mode), and how many more there are.

Source: "Server-assisted client side caching in Redis"; trackingBroadcastInvalidationMessages in Redis' tracking.c.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from necropsy.guard.prober.evidence import sessions_of
from necropsy.model.errors import NecropsyError
from necropsy.wire.redis.address import Address
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.gate import Gate
from necropsy.wire.redis.info import databases, parse_info
from necropsy.wire.redis.replies import ODD, ConnectionLost, ServerError
from necropsy.wire.redis.topology import discover

_ANSWER_S: Final = 0.3
"""A probe waits no longer for a store."""
_MOST_SESSIONS: Final = 2_000
"""Sessions that are written in one window: with more it says nothing."""
_RETRY_S: Final = 60.0
"""Until a store that could not be asked is tried again."""


@dataclass(slots=True)
class Seen:
    """Observations of one store while a window was open."""

    grew: bool
    """Whether it had more keys at the end than at the beginning."""
    sessions: dict[bytes, str]
    """Id of each session whose key was written, and the pattern of the key."""


class StoreListener:
    """Connections to the nodes of one store; used by one thread at a time."""

    def __init__(self, name: str, address: Address, warn: Callable[[str], None]) -> None:
        self.name = name
        self._address = address
        self._warn = warn
        self._said = ""
        self._nodes: list[Connection] = []
        self._told: list[list[Any]] = []
        self._before: list[int] = []
        self._next_at = 0.0

    @property
    def ready(self) -> bool:
        """Whether it is connected."""
        return bool(self._nodes)

    def connect(self) -> None:
        """Connect, unless that failed a moment ago; why it cannot be is said once."""
        if self._nodes or time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + _RETRY_S
        nodes: list[Connection] = []
        try:
            for node in discover(self._address).nodes:
                nodes.append(Connection.open(self._address, node.endpoint, gate=Gate(notices=True)))
                nodes[-1].command("HELLO", 3)
                for switch in (("ON", "BCAST"), ("OFF",)):  # whether it may be is to be known before a probe
                    nodes[-1].command("CLIENT", "TRACKING", *switch)
                nodes[-1].raw().settimeout(_ANSWER_S)
        except (NecropsyError, ServerError, ConnectionLost) as error:
            for node_open in nodes:
                node_open.close()
            said = str(error)
            if said != self._said:
                self._warn(f"store {self.name} does not tell whether probes start sessions in it: {said}")
            self._said = said
            return
        self._said = ""
        self._told = [[] for _ in nodes]
        for connection, told in zip(nodes, self._told, strict=True):
            connection.pushes = told
        self._nodes = nodes

    def open(self) -> None:
        """Begin to listen."""
        for told in self._told:
            told.clear()
        with self._broken():
            self._before = []
            for connection in self._nodes:
                answers = connection.pipeline([("CLIENT", "TRACKING", "ON", "BCAST"), ("INFO", "keyspace")])
                self._before.append(_keys(answers[1]))

    def close(self) -> Seen | None:
        """Return what was written since ``open``; None: that is not known."""
        after: list[int] = []
        with self._broken():
            for connection in self._nodes:
                # What was written before PING is answered is announced no later than with this answer.
                after.append(_keys(connection.pipeline([("INFO", "keyspace"), ("PING",)])[0]))
                connection.command("CLIENT", "TRACKING", "OFF")
        if not after or len(after) != len(self._before):
            return None
        written = sessions_of(key for told in self._told for push in told for key in _names(push))
        return Seen(sum(after) > sum(self._before), written) if len(written) <= _MOST_SESSIONS else None

    def hang_up(self) -> None:
        """Close the connections; ``connect`` makes new ones."""
        for connection in self._nodes:
            connection.close()
        self._nodes = []

    @contextmanager
    def _broken(self) -> Iterator[None]:
        try:
            yield
        except (ServerError, ConnectionLost, *ODD):  # odd: a reply of a shape that no Redis gives, through a proxy, say
            self.hang_up()


def _keys(answer: Any) -> int:
    if isinstance(answer, ServerError):
        raise ServerError(answer.text)  # not itself: its traceback would hold this frame, which holds it
    return sum(databases(parse_info(answer)).values())


def _names(push: Any) -> list[bytes]:
    """Return the keys of an invalidation: ``[b"invalidate", [key, ...]]``, nil where all were flushed."""
    if len(push) == 2 and push[0] == b"invalidate" and push[1]:
        return [bytes(key) for key in push[1]]
    return []
