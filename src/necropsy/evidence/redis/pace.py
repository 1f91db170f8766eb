"""How fast to read: short slices, a look at the server's own latency between them, and rests when others suffer.

A server does one thing at a time. While it works on a slice of ours, everybody else waits: the length of a slice is what
we add to their latency, and some meet more than one. So a slice is kept to a fifth of the budget, and never above five
milliseconds; and when the server's own answers to PING become slow, whoever causes it, we give way.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from statistics import median
from typing import Final

from necropsy.wire.redis.info import number

LONGEST_SLICE_S: Final = 0.005
SLICE_SHARE: Final = 0.2
"""Of the budget. The 99th percentile of others rises by two to four slices (bench/keyspace_live.py), not by one."""
CHECK_EVERY_S: Final = 0.005
"""Between two looks at the latency."""
JUDGED: Final = 20
"""Looks on which it is decided how long to rest."""
TOLERATED: Final = 1
"""Of these, so many may be over the budget: any process is taken off its processor now and then."""
MEMORY_EVERY_S: Final = 1.0
"""Between two looks at the memory."""
FEWEST, MOST = 5, 4_000
"""Keys of a slice."""
FIRST: Final = 32
LONGEST_REST_S: Final = 0.1
"""Between two slices: a server that is always busy is read slowly, but it is read."""
LEAST_REST_S: Final = 0.0005
NEAR: Final = 0.95
"""Of maxmemory: from here on slices are small, as answers waiting to be sent count as memory too."""
FULL: Final = 0.99
"""From here on we pause …"""
PATIENCE_S: Final = 10.0
"""… for so long in all: a store that evicts is always full."""


class Pace:
    """Decides how many keys the next slice has, and how long to rest before it.

    Parameters
    ----------
    ping
        Measures one round trip, in seconds.
    memory
        Asks for INFO memory; an empty answer when it is forbidden.
    max_impact_s
        What others may suffer, in seconds.
    """

    def __init__(
        self,
        ping: Callable[[], float],
        memory: Callable[[], Mapping[str, str]],
        max_impact_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ping = ping
        self._memory = memory
        self._budget_s = max_impact_s
        self._clock = clock
        self._sleep = sleep
        self.slice_s = min(LONGEST_SLICE_S, max_impact_s * SLICE_SHARE)
        """What the server may spend on one slice."""
        self.keys = FIRST
        """Keys of the next slice."""
        self.rested_s = 0.0
        self.waited_for_memory_s = 0.0
        self.baseline_s = min(ping() for _ in range(15))
        """The shortest round trip that was seen: that of a server with nothing else to do."""
        self._over: list[bool] = []
        self._costs: deque[float] = deque(maxlen=9)
        self._rest_s = 0.0
        self._near = False
        self._checked_at = self._looked_at = clock()

    def took(self, keys: int, seconds: float, rounds: int = 0) -> None:
        """Learn from a slice: how many keys it had, and how long the server worked on it.

        Parameters
        ----------
        seconds
            The server's own measure; or ours, with so many round trips in it.
        """
        if not keys:
            return
        # A busy machine takes a process off its processor for milliseconds now and then: the median does not mind.
        self._costs.append(max(seconds - rounds * self.baseline_s, 0.1 * seconds) / keys)
        most = FIRST if self._near else MOST
        self.keys = max(FEWEST, min(most, 2 * self.keys, int(self.slice_s / max(median(self._costs), 1e-9))))

    def rest(self) -> None:
        """Rest, if others need it."""
        now = self._clock()
        if now - self._checked_at >= CHECK_EVERY_S:
            self._check()
            self._checked_at = self._clock()
        if now - self._looked_at >= MEMORY_EVERY_S:
            self._look()
            self._looked_at = self._clock()
        if self._rest_s:
            self._pause(self._rest_s)

    def _check(self) -> None:
        latency = self._ping()
        self.baseline_s = min(self.baseline_s, latency)
        self._over.append(latency - self.baseline_s > self._budget_s)
        if len(self._over) < JUDGED:
            return
        if sum(self._over) > TOLERATED:
            self._rest_s = min(LONGEST_REST_S, max(LEAST_REST_S, 2 * self._rest_s))
        else:
            self._rest_s = 0.7 * self._rest_s if self._rest_s > LEAST_REST_S else 0.0
        self._over.clear()

    def _look(self) -> None:
        share = self._share()
        while share > FULL and self.waited_for_memory_s < PATIENCE_S:
            self._pause(0.25)
            self.waited_for_memory_s += 0.25
            share = self._share()
        self._near = share > NEAR
        if self._near:
            self.keys = min(self.keys, FIRST)

    def _share(self) -> float:
        info = self._memory()
        limit = number(info, "maxmemory")
        return number(info, "used_memory") / limit if limit else 0.0

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds)
        self.rested_s += seconds
