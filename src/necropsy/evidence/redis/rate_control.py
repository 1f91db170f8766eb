"""Rate control of a scan: short slices, the server's own latency measured between them, and rests when others suffer.

A server does one thing at a time. While it works on a slice of ours, everybody else waits: the length of a slice is what
we add to their latency. Where many ask, some meet more than one, and a slice is kept to a fifth of the budget; where hardly
anybody does, it may take most of the budget, and never more than five milliseconds. Whether others ask is told by what the
server has read beside what we sent.

When its answers to PING become slow, the scan pauses and asks again: if they are as slow without it, the machine or others
are what is slow, and to stand back would help nobody. Then it goes on, with rests that leave the server idle most of the time, so
that the machine's scheduler does not take it for a process that wants all of a processor. If they are slower with the scan than
without, it stands back.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from statistics import median
from typing import Final

from necropsy.wire.redis.info import number

LONGEST_SLICE_S: Final = 0.004
"""The longest slice that is aimed at; one may take a quarter more now and then."""
SLICE_SHARE: Final = 0.2
"""Of the budget, among others. Their 99th percentile rises by two to four slices (bench/keyspace_live.py), not by one."""
ALONE_SHARE: Final = 0.8
"""Of the budget, where hardly anybody else asks: who does meets one slice."""
ALONE_BYTES_S: Final = 50_000
"""Bytes a second that others send, up to which that is so: about a thousand questions."""
HEARD_EVERY_S: Final = 0.01
"""Between two looks at what others send."""
CHECK_EVERY_S: Final = 0.005
"""Between two looks at the latency."""
JUDGED: Final = 20
"""Looks on which it is decided how long to rest."""
TOLERATED: Final = 1
"""Of these, so many may be over the budget: any process is taken off its processor now and then."""
CONTROLLED_FOR_S: Final = 5.0
"""Seconds for which a latency measured without the scan holds: the machine's load changes."""
WORKING: Final = 0.3
"""Of the time that a server may work for the scan where processors are scarce."""
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


class RateControl:
    """Decides how many keys the next slice has, and how long to rest before it.

    Parameters
    ----------
    ping
        Measures one round trip, in seconds, without what this process waited for a processor.
    memory
        Asks for INFO memory; an empty answer when it is forbidden.
    heard
        Returns how many bytes others have sent to the server so far; None when it does not say.
    max_impact_s
        What others may suffer, in seconds.
    """

    def __init__(
        self,
        ping: Callable[[], float],
        memory: Callable[[], Mapping[str, str]],
        heard: Callable[[], int | None],
        max_impact_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ping = ping
        self._memory = memory
        self._heard = heard
        self._budget_s = max_impact_s
        self._clock = clock
        self._sleep = sleep
        self.slice_s = min(LONGEST_SLICE_S, max_impact_s * SLICE_SHARE)
        """Time that the server may spend on one slice, in seconds."""
        self.keys = FIRST
        """Keys of the next slice."""
        self.rested_s = 0.0
        self.waited_for_memory_s = 0.0
        self.baseline_s = min(ping() for _ in range(15))
        """The shortest round trip that was seen: that of a server with nothing else to do."""
        self._over: list[bool] = []
        self._control: int | None = None
        """Of ``JUDGED`` looks without the scan, how many were over the budget; None: nobody looked lately."""
        self._controlled_at = 0.0
        self._slice_took_s = 0.0
        self._costs: deque[float] = deque(maxlen=9)
        self._rest_s = 0.0
        self._near = False
        self._heard_bytes = heard()
        self._checked_at = self._looked_at = self._heard_at = clock()

    @property
    def longest_s(self) -> float:
        """Upper limit of a slice, in seconds, whatever its keys turn out to cost."""
        return min(2 * self.slice_s, self._budget_s)

    def took(self, keys: int, seconds: float, rounds: int = 0) -> None:
        """Learn from a slice: how many keys it had, and how long the server worked on it.

        Parameters
        ----------
        seconds
            The server's own measure; or ours, with so many round trips in it.
        """
        if not keys:
            return
        self._slice_took_s = min(seconds, self.longest_s)
        # A busy machine takes a process off its processor for milliseconds now and then: the median does not mind.
        self._costs.append(max(seconds - rounds * self.baseline_s, 0.1 * seconds) / keys)
        most = FIRST if self._near else MOST
        self.keys = max(FEWEST, min(most, 2 * self.keys, int(self.slice_s / max(median(self._costs), 1e-9))))

    def is_due(self) -> bool:
        """Whether there is something to look at, or to rest for, before the next slice."""
        return bool(self._rest_s or self._crowded or self._due())

    def rest(self) -> None:
        """Rest, if others need it."""
        for look in self._due():
            look()
        rest_s = self._rest_s
        if self._crowded:
            rest_s = max(rest_s, self._slice_took_s * (1 / WORKING - 1))
        if rest_s:
            self._pause(rest_s)

    @property
    def _crowded(self) -> bool:
        """Whether the server is slow without the scan, too."""
        return (self._control or 0) > TOLERATED

    def _due(self) -> list[Callable[[], None]]:
        """Return the looks whose time has come, in their order."""
        now = self._clock()
        looks = (
            (self._check, self._checked_at, CHECK_EVERY_S),
            (self._listen, self._heard_at, HEARD_EVERY_S),
            (self._look, self._looked_at, MEMORY_EVERY_S),
        )
        return [look for look, at, every_s in looks if now - at >= every_s]

    def _check(self) -> None:
        self._over.append(self._is_slow())
        if len(self._over) < JUDGED:
            return
        slow = sum(self._over)
        self._over.clear()
        if self._control is not None and self._clock() - self._controlled_at > CONTROLLED_FOR_S:
            self._control = None
        if slow > TOLERATED and self._control is None:
            self._control = self._look_without()
        if slow > _as_many_by_chance(self._control or 0):
            self._rest_s = min(LONGEST_REST_S, max(LEAST_REST_S, 2 * self._rest_s))
        else:
            self._rest_s = 0.7 * self._rest_s if self._rest_s > LEAST_REST_S else 0.0

    def _is_slow(self) -> bool:
        latency = self._ping()
        self._checked_at = self._clock()
        self.baseline_s = min(self.baseline_s, latency)
        return latency - self.baseline_s > self._budget_s

    def _look_without(self) -> int:
        """Pause, and look as often as before: return how many looks are slow though nothing is asked of the server."""
        slow = 0
        for _ in range(JUDGED):
            self._pause(CHECK_EVERY_S)
            slow += self._is_slow()
        self._controlled_at = self._clock()
        return slow

    def _listen(self) -> None:
        """Take longer slices while hardly anybody else asks, and short ones at once when somebody does."""
        before, then = self._heard_bytes, self._heard_at
        now, self._heard_at = self._heard(), self._clock()
        self._heard_bytes = now
        some = ALONE_BYTES_S * (self._heard_at - then)
        alone = now is not None and before is not None and 0 <= now - before <= some
        share = ALONE_SHARE if alone else SLICE_SHARE
        slice_s = min(LONGEST_SLICE_S, share * self._budget_s)
        self.keys = max(FEWEST, int(self.keys * min(1.0, slice_s / self.slice_s)))
        self.slice_s = slice_s

    def _look(self) -> None:
        share = self._share()
        while share > FULL and self.waited_for_memory_s < PATIENCE_S:
            self._pause(0.25)
            self.waited_for_memory_s += 0.25
            share = self._share()
        self._near = share > NEAR
        if self._near:
            self.keys = min(self.keys, FIRST)
        self._looked_at = self._clock()

    def _share(self) -> float:
        info = self._memory()
        limit = number(info, "maxmemory")
        return number(info, "used_memory") / limit if limit else 0.0

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds)
        self.rested_s += seconds


def _as_many_by_chance(control: int) -> int:
    """Return how many looks of ``JUDGED`` may be slow where so many are slow without the scan.

    Counts that differ by chance differ by less than twice the root of their sum, 19 times of 20.

    >>> [_as_many_by_chance(control) for control in (0, 1, 4, 10)]
    [1, 4, 9, 17]
    """
    return TOLERATED + control + int(2 * math.sqrt(control))
