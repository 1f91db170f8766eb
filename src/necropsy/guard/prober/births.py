"""Look into stores while a target is probed, whether a key of a session comes with each probe.

For the time of a probe the server is asked to name the keys that are written (CLIENT TRACKING in broadcast mode, Redis 6 and
later), and how many keys there are before and after. Nothing is read of any key, and nothing written. It is done for the first
probes of a target, and again an hour later, never for longer than a second, and not while another probe of ours is on its way.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from necropsy.guard.prober.evidence import BORN, WindowCounts
from necropsy.guard.prober.listener import Seen, StoreListener
from necropsy.wire.redis.address import Address

_LONGEST_S: Final = 1.0
"""Of a window: so long a server may have to keep the names for us."""
_MOST_TARGETS: Final = 10_000
_AGAIN_S: Final = 3_600.0
_PAUSE_S: Final = 0.05
_TRIES: Final = 20
"""Attempts at a window without a probe of a target: in some, one may be on its way."""

Key = tuple[str, str]
"""Target and module."""


@dataclass(slots=True)
class _Target:
    """Knowledge about one target."""

    windows: dict[str, WindowCounts] = field(default_factory=dict)
    ids: set[bytes] = field(default_factory=set)
    began_at: float = 0.0
    flying: int = 0
    """Probes of it that are on their way."""
    begun: int = 0
    """Probes of it that were begun."""
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
        self._listeners = [StoreListener(name, address, warn) for name, address in stores]
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
    def probing(self, target: str, module: str) -> Iterator[None]:
        """Count a probe of a target as being on its way."""
        with self._counting:
            known = self._targets.setdefault((target, module), _Target())
            if len(self._targets) > _MOST_TARGETS:  # whoever may ask could name any number of them
                del self._targets[next(iter(self._targets))]
            self._flying, self.begun = self._flying + 1, self.begun + 1
            known.flying, known.begun = known.flying + 1, known.begun + 1
        try:
            yield
        finally:
            with self._counting:
                self._flying -= 1
                known.flying -= 1

    def verdict(self, target: str, module: str) -> tuple[str, str]:
        """Return the store in which the probes of a target start sessions, and the pattern of the keys; empty: none is known."""
        known = self._targets.get((target, module))
        return known.verdict if known is not None else ("", "")

    @property
    def idle(self) -> bool:
        """Whether no window without a probe is still to be taken."""
        return self._controls.unfinished_tasks == 0

    def windows(self, target: str, module: str) -> dict[str, WindowCounts]:
        """Return the windows of a target by store."""
        known = self._targets.get((target, module))
        return dict(known.windows) if known is not None else {}

    def open(self, target: str, module: str) -> ProbeWindow | None:
        """Begin a window for the probe that comes now; None: there is nothing to find out, or not now."""
        if not self._listeners or not self._wanted((target, module)):
            return None
        self._start()
        with self._counting:
            if self._flying != 1:
                return None
        if not self._lock.acquire(blocking=False):
            return None
        if not any(listener.ready for listener in self._listeners):
            self._lock.release()
            self._ask_for(((target, module), 0.0))
            return None
        for listener in self._listeners:
            listener.open()
        return ProbeWindow(self, (target, module))

    def end(self, key: Key, took_s: float, *, counts: bool) -> None:
        """End the open window of a probe."""
        try:
            seen = {listener.name: listener.close() for listener in self._listeners}
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
        for listener in self._listeners:
            listener.hang_up()

    def _wanted(self, key: Key) -> bool:
        known = self._targets.get(key)
        if known is None:
            return False
        if time.monotonic() - known.began_at > _AGAIN_S or not known.began_at:
            known.began_at = time.monotonic()
            known.windows, known.ids = {}, set()
        if not known.windows:
            return True
        return any(windows.verdict == "" and not windows.enough for windows in known.windows.values()) and all(
            windows.verdict != BORN for windows in known.windows.values()
        )

    def _count(self, key: Key, seen: dict[str, Seen | None], *, with_probe: bool) -> None:
        known = self._targets.get(key, _Target())
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
        found = [(name, min(w.patterns, key=len)) for name, w in known.windows.items() if w.verdict == BORN]
        if found or (known.windows and all(windows.enough for windows in known.windows.values())):
            known.verdict = found[0] if found else ("", "")
            known.ids = set()  # of a busy store these are many, and no window follows

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
                for listener in self._listeners:
                    listener.connect()
            if asked[1]:
                self._control(*asked)
            self._controls.task_done()

    def _control(self, key: Key, seconds: float) -> None:
        """Take a window without a probe of this target; those of others make chance larger than it is, which harms nobody."""
        known = self._targets.get(key, _Target())
        for _ in range(_TRIES):
            time.sleep(_PAUSE_S)
            with self._counting:
                begun = known.begun
                if known.flying:
                    continue
            with self._lock:
                for listener in self._listeners:
                    listener.open()
                time.sleep(seconds)
                seen = {listener.name: listener.close() for listener in self._listeners}
            if known.begun == begun:
                self._count(key, seen, with_probe=False)
                return
