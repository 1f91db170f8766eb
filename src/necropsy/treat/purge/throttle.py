"""Throttle of the purge: any one reason is enough for a rest, and the status line names it (as gh-ost does).

Asked of the server every second, and of our own PING after each call. The deletions themselves are cut so that one script
takes no more than a part of the budget: the server does nothing else meanwhile.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from necropsy.treat.purge.control import Control
from necropsy.treat.purge.stores import Primary
from necropsy.wire.redis.info import number

_EVERY_S: Final = 1.0
_PINGS: Final = 100
_LEAST_CALL, _MOST_CALL = 8, 512
_SHARE: Final = 0.5
"""Part of the budget that one script may take."""
_LAZY: Final = 100_000
"""Objects that wait to be freed beside the server's thread."""
_LAG_BYTES: Final = 32 << 20
_OUTPUT_BYTES: Final = 64 << 20
_GROWN: Final = 1.05
_LOOK_S: Final = 0.05
_PING_EVERY_S: Final = 0.01
_LEAST_REST_S, _MOST_REST_S = 0.02, 1.0
_JUDGED, _TOLERATED = 10, 2
"""Round trips by which latency is judged, and how many of them may be over the budget."""
_COSTS: Final = 40


class Throttle:
    """Decides how many sessions one script takes, and how long to rest before the next."""

    def __init__(self, control: Control, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._control = control
        self._clock = clock
        self._pings: dict[str, deque[float]] = {}
        self._resting: dict[str, deque[float]] = {}
        """Round trips while the purge rests: what latency is without it."""
        self._over: dict[str, deque[float]] = {}
        self._rest_s: dict[str, float] = {}
        self._pinged: dict[str, float] = {}
        self._costs: deque[float] = deque(maxlen=_COSTS)
        self._looked: dict[str, float] = {}
        self._memory: dict[str, int] = {}
        self._reasons: dict[str, str] = {}
        self._began = clock()
        self.call = 64
        """Sessions of one script."""

    def took(self, sessions: int, seconds: float) -> None:
        """Learn from a script that took so long, answer included: the fast ones tell what it costs the server."""
        if sessions:
            self._costs.append(seconds / sessions)
            cost = sorted(self._costs)[len(self._costs) // 10]
            fitting = int(_SHARE * self._control.knobs.max_impact_s / max(cost, 1e-7))
            self.call = max(_LEAST_CALL, min(_MOST_CALL, (3 * self.call + fitting) // 4))

    def fitting(self) -> int:
        """Return how many sessions the next script takes: a quarter of a second's, where a rate is to be kept."""
        rate = self._control.knobs.rate
        return min(self.call, max(1, int(rate / 4))) if rate else self.call

    def ping(self, primary: Primary, *, resting: bool = False) -> None:
        """Measure a round trip, unless the last one was a moment ago."""
        began = self._clock()
        if not resting and began - self._pinged.get(primary.name, 0.0) < _PING_EVERY_S:
            return
        self._pinged[primary.name] = began
        primary.connection.command("PING")
        took = self._clock() - began
        self._pings.setdefault(primary.name, deque(maxlen=_PINGS)).append(took)
        if resting:
            self._resting.setdefault(primary.name, deque(maxlen=_PINGS)).append(took)
        else:
            self._over.setdefault(primary.name, deque(maxlen=_JUDGED)).append(took)

    def latency(self, primary: Primary) -> str:
        """Rest for a while when round trips take longer than those while the purge rests, by more than the budget.

        Returns why it rested; empty: it did not. A server, or a machine, that is slow anyhow does not stop the purge.
        """
        budget, name = self._control.knobs.max_impact_s, primary.name
        taken = self._over.get(name, ())
        if len(taken) < _JUDGED:
            return ""
        resting = sorted(self._resting.get(name, ())) or [min(self._pings[name])]
        usual = resting[int(0.9 * len(resting))]
        over = sorted(took for took in taken if took - usual > budget)
        self._over[name].clear()
        rest = self._rest_s.get(name, 0.0)
        if len(over) <= _TOLERATED:
            self._rest_s[name] = rest / 2 if rest > _LEAST_REST_S else 0.0
            if not self._resting.get(name):
                self.rest(primary)  # now and then, to know what is usual
            return ""
        self._rest_s[name] = min(_MOST_REST_S, max(_LEAST_REST_S, 2 * rest))
        return f"latency {1000 * over[len(over) // 2]:.1f} ms, else {1000 * usual:.1f}"

    def breathe(self, primary: Primary) -> None:
        """Rest for as long as latency asks for."""
        until = self._clock() + self._rest_s.get(primary.name, 0.0)
        while self._clock() < until and not self._control.look().stopping:
            self.rest(primary)

    def p99_s(self, primary: Primary) -> float:
        """Return the 99th percentile of the last hundred round trips; 0 without any."""
        pings = sorted(self._pings.get(primary.name, ()))
        return pings[min(len(pings) - 1, int(0.99 * len(pings)))] if pings else 0.0

    def reason(self, primary: Primary) -> str:
        """Return why to rest now; empty: go on."""
        if self._control.look().paused:
            return "paused by you"
        now = self._clock()
        if now - self._looked.get(primary.name, 0.0) >= _EVERY_S:
            self._looked[primary.name] = now
            info = primary.stats()
            used = number(info, "used_memory")
            least = self._memory[primary.name] = min(used, self._memory.get(primary.name, used))
            self._reasons[primary.name] = reason_of(info, least, self._control.knobs.max_ops)
        return self._reasons.get(primary.name, "")

    def rest(self, primary: Primary) -> None:
        """Rest a little, and measure."""
        time.sleep(_LOOK_S)
        self.ping(primary, resting=True)

    def pace(self, done: int) -> float:
        """Return for how long to rest so that the rate is kept."""
        rate = self._control.knobs.rate
        return max(0.0, self._began + done / rate - self._clock()) if rate else 0.0


def reason_of(info: Mapping[str, str], least_memory: int, max_ops: int = 0) -> str:
    """Return why a server in this state needs a rest; empty: it needs none.

    Parameters
    ----------
    info
        What INFO says.
    least_memory
        The least that it has used since the purge began, in bytes.
    max_ops
        Commands a second, those of the purge included, above which to rest; 0: any number.

    >>> reason_of({"used_memory": "1000", "instantaneous_ops_per_sec": "20500"}, 1000, 20_000)
    'the server handles 20,500 commands a second, more than 20,000'
    """
    ops, waiting = number(info, "instantaneous_ops_per_sec"), number(info, "lazyfree_pending_objects")
    lag, output, used = replica_lag(info), number(info, "mem_clients_slaves"), number(info, "used_memory")
    saving = number(info, "rdb_bgsave_in_progress") or number(info, "aof_rewrite_in_progress")
    reasons = (
        (number(info, "loading"), "the server is loading its dump"),
        (saving, "a save is in progress: what changes meanwhile is copied"),
        (0 < max_ops < ops, f"the server handles {ops:,} commands a second, more than {max_ops:,}"),
        (waiting > _LAZY, f"{waiting:,} objects wait to be freed"),
        (lag > _LAG_BYTES, f"a replica is {lag >> 20} MB behind"),
        (output > _OUTPUT_BYTES, f"output buffers of replicas hold {output >> 20} MB"),
        (
            used > _GROWN * least_memory + (8 << 20),
            f"memory rises: {used >> 20} MB, {least_memory >> 20} MB before",
        ),
    )
    return next((reason for holds, reason in reasons if holds), "")


def replica_lag(info: Mapping[str, str]) -> int:
    """Return how many bytes the slowest replica is behind; 0 without replicas.

    >>> replica_lag({"master_repl_offset": "100", "slave0": "ip=a,port=1,state=online,offset=40,lag=0"})
    60
    """
    offset = number(info, "master_repl_offset")
    behind = [0]
    for name, value in info.items():
        if name.startswith("slave") and name[5:].isdecimal():
            row = dict(pair.split("=", 1) for pair in value.split(",") if "=" in pair)
            if row.get("state") == "online" and row.get("offset", "").isdecimal():
                behind.append(offset - int(row["offset"]))
    return max(behind)
