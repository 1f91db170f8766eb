"""When the purge rests: any one reason is enough, and the status line names it (as gh-ost does).

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
_FALLEN: Final = 0.5
_REST_S: Final = 0.05


class Throttle:
    """Decides how many sessions one script takes, and how long to rest before the next."""

    def __init__(self, control: Control, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._control = control
        self._clock = clock
        self._pings: dict[str, deque[float]] = {}
        self._baseline: dict[str, float] = {}
        self._looked: dict[str, float] = {}
        self._memory: dict[str, int] = {}
        self._others: dict[str, tuple[float, float]] = {}
        self._reasons: dict[str, str] = {}
        self._began = clock()
        self.call = 64
        """Sessions of one script."""
        self.commands = 0
        """Commands that we sent, so that they are not taken for others' work."""

    def took(self, sessions: int, seconds: float) -> None:
        """Learn from a script that took so long, answer included."""
        if sessions:
            goal = _SHARE * self._control.knobs.max_impact_s
            fitting = int(sessions * goal / max(seconds, 1e-6))
            self.call = max(_LEAST_CALL, min(_MOST_CALL, (3 * self.call + fitting) // 4))

    def ping(self, primary: Primary) -> None:
        """Measure a round trip."""
        began = self._clock()
        primary.connection.command("PING")
        took = self._clock() - began
        pings = self._pings.setdefault(primary.name, deque(maxlen=_PINGS))
        pings.append(took)
        self._baseline[primary.name] = min(self._baseline.get(primary.name, took), took)

    def p99_s(self, primary: Primary) -> float:
        """Return the 99th percentile of the last hundred round trips; 0 without any."""
        pings = sorted(self._pings.get(primary.name, ()))
        return pings[min(len(pings) - 1, int(0.99 * len(pings)))] if pings else 0.0

    def reason(self, primary: Primary) -> str:
        """Return why to rest now; empty: go on."""
        if self._control.look().paused:
            return "paused by you"
        budget = self._control.knobs.max_impact_s
        recent = list(self._pings.get(primary.name, ()))[-10:]
        over = [took for took in recent if took - self._baseline[primary.name] > budget]
        if len(over) > 2:
            return f"latency {1000 * max(over):.1f} ms > {1000 * budget:g} ms"
        now = self._clock()
        if now - self._looked.get(primary.name, 0.0) >= _EVERY_S:
            self._looked[primary.name] = now
            self._reasons[primary.name] = self._of_server(primary, primary.stats(), now)
        return self._reasons.get(primary.name, "")

    def rest(self, primary: Primary) -> None:
        """Rest a little, and measure."""
        time.sleep(_REST_S)
        self.ping(primary)

    def pace(self, done: int) -> float:
        """Return for how long to rest so that the rate is kept."""
        rate = self._control.knobs.rate
        return max(0.0, self._began + done / rate - self._clock()) if rate else 0.0

    def _of_server(self, primary: Primary, info: Mapping[str, str], now: float) -> str:
        if number(info, "loading"):
            return "the server is loading its dump"
        if number(info, "rdb_bgsave_in_progress") or number(info, "aof_rewrite_in_progress"):
            return "a save is in progress: what changes meanwhile is copied"
        waiting = number(info, "lazyfree_pending_objects")
        if waiting > _LAZY:
            return f"{waiting:,} objects wait to be freed"
        lag = replica_lag(info)
        if lag > _LAG_BYTES:
            return f"a replica is {lag >> 20} MB behind"
        output = number(info, "mem_clients_slaves")
        if output > _OUTPUT_BYTES:
            return f"output buffers of replicas hold {output >> 20} MB"
        return self._memory_of(primary.name, number(info, "used_memory")) or self._load_of(primary.name, info, now)

    def _memory_of(self, name: str, used: int) -> str:
        least = self._memory[name] = min(used, self._memory.get(name, used))
        return f"memory rises: {used >> 20} MB, {least >> 20} MB before" if used > _GROWN * least + (8 << 20) else ""

    def _load_of(self, name: str, info: Mapping[str, str], now: float) -> str:
        """Rest when the others' commands fall to half of what they were when the purge began."""
        others = float(number(info, "total_commands_processed") - self.commands)
        before = self._others.get(name)
        self._others[name] = (now, others)
        if before is None or now <= before[0]:
            return ""
        rate = (others - before[1]) / (now - before[0])
        usual = self._baseline.setdefault(f"{name} ops", rate)
        return f"others' commands fell to {rate:,.0f}/s from {usual:,.0f}/s" if rate < _FALLEN * usual - 50 else ""


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
