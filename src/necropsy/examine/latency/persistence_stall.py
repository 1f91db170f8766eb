"""``latency/persistence-stall``: saving stops the server, or has failed and forbids writing.

Sign: the last save failed while ``stop-writes-on-bgsave-error`` holds (every write is answered with MISCONF); the last
write of the AOF failed; a fork took 200 ms or more; or ``aof_delayed_fsync`` counts. Reason: a fork copies the page table
of the whole store while nobody is served, and an AOF waits for its disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine.interface import Examiner
from necropsy.examine.server import StoreServer, query, servers
from necropsy.model.figures import several, size
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_SLOW_US: Final = 200_000
_FACTS: Final = (
    "rdb_last_bgsave_status", "aof_enabled", "aof_last_write_status", "aof_last_bgrewrite_status", "latest_fork_usec",
    "aof_delayed_fsync", "config:stop-writes-on-bgsave-error", "config:save", "errorstat_MISCONF",
)  # fmt: skip


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding or clearance per live server."""
    for server in servers(case):
        if not server.live or "rdb_last_bgsave_status" not in server.facts:
            yield Unexamined("", ("INFO persistence",), f"{server.name}: a dump does not contain this; needs --redis")
            continue
        signs = list(_signs(server))
        if signs:
            yield _finding(server, signs)
        else:
            yield Cleared("", f"{server.name}: its last save succeeded, its last fork took {_fork_ms(server):,.0f} ms")


def _fork_ms(server: StoreServer) -> float:
    return server.count("latest_fork_usec") / 1000


def _signs(server: StoreServer) -> Iterator[tuple[bool, str]]:
    """Whether it forbids writing, and what is wrong."""
    stops = server.facts.get("config:stop-writes-on-bgsave-error", "yes") != "no"
    saves = server.facts.get("config:save", "?") != ""
    if server.text("rdb_last_bgsave_status") == "err" and saves:
        yield stops, "its last save failed" + (": it answers every write with MISCONF" if stops else "")
    if server.text("aof_enabled") == "1" and server.text("aof_last_write_status") == "err":
        yield True, "its append-only file cannot be written: it answers every write with MISCONF"
    if server.count("latest_fork_usec") >= _SLOW_US:
        yield False, f"its last fork took {_fork_ms(server):,.0f} ms, during which no command was served"
    if server.count("aof_delayed_fsync"):
        delayed = several(server.count("aof_delayed_fsync"), "time")
        yield False, f"its append-only file had to wait for the disk {delayed}"


def _finding(server: StoreServer, signs: list[tuple[bool, str]]) -> Finding:
    refuses = any(stops for stops, _ in signs)
    used = size(server.used or 0)
    return Finding(
        severity=Severity.CRITICAL if refuses else Severity.WARNING,
        confidence=Confidence.HIGH,
        title=f"{server.name[:1].upper()}{server.name[1:]}: {signs[0][1]}",
        text="; ".join(text for _, text in signs[1:])
        or f"It holds {used}. The larger the store, the longer each fork takes.",
        primary=Exhibit(title=f"{server.name}: {signs[0][1]}", query=query(server.store, *_FACTS)),
        remedy=Remedy(
            title="Make room on its disk, then run BGSAVE" if refuses else "Make the store smaller, or save less often",
            text=(
                "The server's own log says why the save failed: disk full, folder not writable, no memory for the"
                " fork. For tonight, CONFIG SET stop-writes-on-bgsave-error no allows logins again, without saving."
                if refuses
                else "Remove what fills it (see the other causes): the time of a fork grows with the size of the store."
            ),
            undo="CONFIG SET stop-writes-on-bgsave-error yes" if refuses else "restore the old save points",
        ),
        store=server.store,
    )


EXAMINER: Final = Examiner(
    slug="latency/persistence-stall",
    meaning="Saving blocks the server, or a failed save makes it refuse writes.",
    severity=Severity.CRITICAL,
    needs=("live_server",),
    examine=examine,
)
