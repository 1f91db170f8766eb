"""``latency/slow-commands``: single commands keep everybody waiting.

Sign: entries of the slow log of 100 ms or more. Reason: Redis has one thread for commands; ``KEYS``, ``SMEMBERS`` of an
index of a million sessions, or a script stops every login for as long as it runs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine.interface import Examiner
from necropsy.examine.server import StoreServer, servers
from necropsy.model.figures import several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_ENTRY: Final = re.compile(r"(\S+) (\d+) us (\S+)")
_SLOW_US: Final = 100_000
_STALL_US: Final = 1_000_000
_MOST_EXHIBITS: Final = 5


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding or clearance per live server."""
    for server in servers(case):
        if not server.live or "slowlog-length" not in server.facts:
            yield Unexamined("", ("SLOWLOG",), f"{server.name}: needs --redis, and +slowlog|get +slowlog|len")
            continue
        if server.count("config:slowlog-log-slower-than") < 0:
            yield Unexamined(
                "", ("SLOWLOG",), f"{server.name}: its slow log is off; CONFIG SET slowlog-log-slower-than 10000"
            )
            continue
        slow: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for name, value in server.facts.items():
            entry = _ENTRY.fullmatch(value) if name.startswith("slowlog:") else None
            if entry and int(entry[2]) >= _SLOW_US:
                slow[entry[3]].append((int(entry[2]), entry[1]))
        if slow:
            yield _finding(server, slow)
        else:
            yield Cleared("", f"{server.name}: no command in its slow log took 100 ms")


def _finding(server: StoreServer, slow: dict[str, list[tuple[int, str]]]) -> Finding:
    worst = max(took for entries in slow.values() for took, _ in entries)
    number = sum(map(len, slow.values()))
    ordered = sorted(slow.items(), key=lambda item: (-max(item[1])[0], item[0]))
    command, (took, at) = ordered[0][0], max(ordered[0][1])
    exhibits = tuple(
        Exhibit(
            title=f"{name}: {several(len(entries), 'time')}, the longest {max(entries)[0] / 1000:,.0f} ms",
            text=f"at {max(entries)[1]}",
            query=f"SELECT name, value FROM server_fact WHERE store = {literal(server.store)} AND name LIKE '%slowlog:%'",
        )
        for name, entries in ordered[:_MOST_EXHIBITS]
    )
    return Finding(
        severity=Severity.CRITICAL if worst >= _STALL_US and number >= 3 else Severity.WARNING,
        confidence=Confidence.HIGH,
        title=f"{several(number, 'slow command')} in {server.name}: {command} blocked it for {took / 1000:,.0f} ms at"
        f" {at}",
        text="While a command runs, no other client is served: every request with a session waits.",
        primary=exhibits[0],
        supporting=exhibits[1:],
        remedy=Remedy(
            title=f"Find the client that sends {command}: SLOWLOG GET shows its address",
            text="Use SCAN instead of KEYS, read sets in parts, use UNLINK instead of DEL; forbid @dangerous by ACL.",
            undo="allow the command again",
        ),
        store=server.store,
    )


EXAMINER: Final = Examiner(
    slug="latency/slow-commands",
    meaning="Single commands block all other clients.",
    severity=Severity.CRITICAL,
    needs=("live_server",),
    examine=examine,
)
