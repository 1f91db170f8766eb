"""Look into stores while a target is probed, whether a key of a session comes with each probe.

For the time of a probe the server is asked to name the keys that are written (CLIENT TRACKING in broadcast mode, Redis 6 and
later), and how many keys there are before and after. Nothing is read of any key, and nothing written. It is done for the first
probes of a target, and again an hour later, never for longer than a second, and not while another probe of ours is on its way.

Source: "Server-assisted client side caching in Redis"; trackingBroadcastInvalidationMessages in Redis' tracking.c.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from necropsy.guard.prober.evidence import BORN, WindowCounts, sessions_of
from necropsy.model.errors import NecropsyError
from necropsy.wire.redis.address import Address
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.gate import Gate
from necropsy.wire.redis.info import databases, parse_info
from necropsy.wire.redis.replies import ConnectionLost, ServerError
from necropsy.wire.redis.topology import discover

_LONGEST_S: Final = 1.0
"""Of a window: so long a server may have to keep the names for us."""
_ANSWER_S: Final = 0.3
"""A probe waits no longer for a store."""
_MOST_SESSIONS: Final = 2_000
"""Sessions that are written in one window: with more it says nothing."""
_MOST_TARGETS: Final = 10_000
_AGAIN_S: Final = 3_600.0
_RETRY_S: Final = 60.0
"""Until a store that could not be asked is tried again."""
_PAUSE_S: Final = 0.05
_TRIES: Final = 20
"""Attempts at a window without a probe: in most, a probe of ours may be on its way."""

Key = tuple[str, str]
"""Target and module."""


@dataclass(slots=True)
class _Seen:
    """What one store showed while a window was open."""

    grew: bool
    sessions: dict[bytes, str]


class _Ear:
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
                nodes[-1].command(
                    "CLIENT", "TRACKING", "ON", "BCAST"
                )  # whether it may be is to be known before a probe
                nodes[-1].command("CLIENT", "TRACKING", "OFF")
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
        for told in self._told:
            told.clear()
        with self._broken():
            self._before = []
            for connection in self._nodes:
                answers = connection.pipeline([("CLIENT", "TRACKING", "ON", "BCAST"), ("INFO", "keyspace")])
                self._before.append(_keys(answers[1]))

    def close(self) -> _Seen | None:
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
        return _Seen(sum(after) > sum(self._before), written) if len(written) <= _MOST_SESSIONS else None

    def hang_up(self) -> None:
        for connection in self._nodes:
            connection.close()
        self._nodes = []

    @contextmanager
    def _broken(self) -> Iterator[None]:
        try:
            yield
        except (ServerError, ConnectionLost):
            self.hang_up()


def _keys(answer: Any) -> int:
    if isinstance(answer, ServerError):
        raise answer
    return sum(databases(parse_info(answer)).values())


def _names(push: Any) -> list[bytes]:
    """Return the keys of an invalidation: ``[b"invalidate", [key, ...]]``, nil where all were flushed."""
    if len(push) == 2 and push[0] == b"invalidate" and push[1]:
        return [bytes(key) for key in push[1]]
    return []


@dataclass(slots=True)
class _Target:
    """What is known of one target."""

    windows: dict[str, WindowCounts] = field(default_factory=dict)
    ids: set[bytes] = field(default_factory=set)
    began_at: float = 0.0
    verdict: tuple[str, str] = ("", "")
    """Name of the store in which its probes start sessions, and the pattern of the keys; empty: none is known."""


class ProbeWindow:
    """One open window; ``close`` it when the probe is over."""

    def __init__(self, births: ProbedBirths, key: Key) -> None:
        self._births = births
        self._key = key
        self._began = time.monotonic()
        self._begun = births.begun
        self._ending = threading.Lock()
        """Taken, and never given back, by who ends it: the probe, or the time."""
        self._timer = threading.Timer(_LONGEST_S, self._give_up)
        self._timer.daemon = True
        self._timer.start()

    def close(self, *, counts: bool) -> None:
        """End it.

        Parameters
        ----------
        counts
            Whether it is to be counted: not where the answer itself shows the session.
        """
        self._timer.cancel()
        if self._ending.acquire(blocking=False):
            took = time.monotonic() - self._began
            self._births.end(self._key, took, counts=counts and self._births.begun == self._begun)

    def _give_up(self) -> None:
        if self._ending.acquire(blocking=False):
            self._births.end(self._key, _LONGEST_S, counts=False)


class ProbedBirths:
    """Looks for the births that come with probes.

    Parameters
    ----------
    stores
        Name and address of each; none: nothing is looked for.
    warn
        Is told why a store cannot be asked.
    """

    def __init__(self, stores: Sequence[tuple[str, Address]], warn: Callable[[str], None]) -> None:
        self._ears = [_Ear(name, address, warn) for name, address in stores]
        self._targets: dict[Key, _Target] = {}
        self._lock = threading.Lock()
        """Held while a window is open."""
        self._controls: queue.Queue[tuple[Key, float] | None] = queue.Queue(64)
        self._flying = 0
        self.begun = 0
        """Probes that were begun."""
        self._counting = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Count a probe as being on its way."""
        with self._counting:
            self._flying += 1
            self.begun += 1
        try:
            yield
        finally:
            with self._counting:
                self._flying -= 1

    def verdict(self, target: str, module: str) -> tuple[str, str]:
        """Return the store in which the probes of a target start sessions, and the pattern of the keys; empty: none is known."""
        known = self._targets.get((target, module))
        return known.verdict if known is not None else ("", "")

    def windows(self, target: str, module: str) -> dict[str, WindowCounts]:
        """Return the windows of a target by store."""
        known = self._targets.get((target, module))
        return dict(known.windows) if known is not None else {}

    def open(self, target: str, module: str) -> ProbeWindow | None:
        """Begin a window for the probe that comes now; None: there is nothing to find out, or not now."""
        if not self._ears or not self._wanted((target, module)):
            return None
        self._start()
        with self._counting:
            if self._flying != 1:
                return None
        if not self._lock.acquire(blocking=False):
            return None
        if not any(ear.ready for ear in self._ears):
            self._lock.release()
            self._ask_for(((target, module), 0.0))
            return None
        for ear in self._ears:
            ear.open()
        return ProbeWindow(self, (target, module))

    def end(self, key: Key, took_s: float, *, counts: bool) -> None:
        """End the open window of a probe."""
        try:
            seen = {ear.name: ear.close() for ear in self._ears}
        finally:
            self._lock.release()
        if counts:
            self._count(key, seen, with_probe=True)
            self._ask_for((key, took_s))

    def stop(self) -> None:
        """Hang up."""
        if self._thread is not None:
            with contextlib.suppress(queue.Full):
                self._controls.put(None, timeout=5)
            self._thread.join(5)
        for ear in self._ears:
            ear.hang_up()

    def _wanted(self, key: Key) -> bool:
        with self._counting:
            known = self._targets.setdefault(key, _Target())
            if len(self._targets) > _MOST_TARGETS:  # whoever may ask could name any number of them
                del self._targets[next(iter(self._targets))]
        if time.monotonic() - known.began_at > _AGAIN_S or not known.began_at:
            known.began_at = time.monotonic()
            known.windows, known.ids = {}, set()
        if not known.windows:
            return True
        return any(windows.verdict == "" and not windows.enough for windows in known.windows.values()) and all(
            windows.verdict != BORN for windows in known.windows.values()
        )

    def _count(self, key: Key, seen: dict[str, _Seen | None], *, with_probe: bool) -> None:
        known = self._targets.setdefault(key, _Target())
        for name, what in seen.items():
            if what is None:
                continue
            windows = known.windows.setdefault(name, WindowCounts())
            new = {one: pattern for one, pattern in what.sessions.items() if one not in known.ids}
            born = what.grew and bool(new)
            known.ids.update(new)
            if with_probe:
                windows.probes += 1
                windows.births += born
                windows.patterns |= set(new.values()) if born else set()
            else:
                windows.controls += 1
                windows.by_chance += born
        if known.windows and all(windows.enough for windows in known.windows.values()):
            found = [(name, sorted(w.patterns)) for name, w in known.windows.items() if w.verdict == BORN]
            known.verdict = (found[0][0], min(found[0][1], key=len)) if found else ("", "")

    def _ask_for(self, what: tuple[Key, float]) -> None:
        with contextlib.suppress(queue.Full):
            self._controls.put_nowait(what)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="births", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        """Take windows without a probe, and connect: what no probe is to wait for."""
        while (asked := self._controls.get()) is not None:
            with self._lock:
                for ear in self._ears:
                    ear.connect()
            if asked[1]:
                self._control(*asked)

    def _control(self, key: Key, seconds: float) -> None:
        for _ in range(_TRIES):
            time.sleep(_PAUSE_S)
            with self._counting:
                busy, begun = self._flying > 0, self.begun
            if busy:
                continue
            with self._lock:
                for ear in self._ears:
                    ear.open()
                time.sleep(seconds)
                seen = {ear.name: ear.close() for ear in self._ears}
            if self.begun == begun:
                self._count(key, seen, with_probe=False)
                return
