"""``memory/fork-headroom``: a save may need more memory than the machine has left.

Sign: saving is configured, and less memory is free than the store uses. Reason: ``BGSAVE``, ``BGREWRITEAOF`` and a new
replica fork the server; while the child writes, every page that is changed is there twice. With a leak of sessions pages
change all the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine.interface import Examiner
from necropsy.examine.server import StoreServer, query, servers
from necropsy.model.figures import size
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding or clearance per live server whose machine's memory is known."""
    for server in servers(case):
        used, left = server.number("used_memory_rss", "used_memory"), _left(server)
        if not server.live or used is None or left is None:
            yield Unexamined(
                "", ("host memory",), f"{server.name}: the free memory of its machine is unknown; needs --redis"
            )
        elif not _forks(server):
            yield Cleared("", f"{server.name}: it neither saves nor has replicas, so it never forks")
        elif left >= used:
            yield Cleared("", f"{server.name}: {size(left)} are free for a fork of {size(used)}")
        else:
            yield Finding(
                severity=Severity.WARNING,
                confidence=Confidence.MEDIUM,
                title=f"A save of {server.name} may need {size(used)}, and {size(left)} are free",
                text=(
                    "A save needs memory for every page that changes while it runs, in the worst case for all. If"
                    " that is missing, the fork fails and Redis may refuse writes (MISCONF), or the kernel kills the"
                    " server."
                ),
                primary=Exhibit(
                    title=f"{server.name}: {size(used)} in use, {size(left)} free",
                    query=query(
                        server.store, "used_memory", "used_memory_rss", "total_system_memory", "host:memory-available"
                    ),
                ),
                remedy=Remedy(
                    title="Make the store smaller, or save elsewhere",
                    text="First remove what fills it. If sessions need not survive a restart, switch saving off:"
                    " CONFIG SET save ''.",
                    undo="CONFIG SET save to the old value",
                ),
                store=server.store,
            )


def _left(server: StoreServer) -> float | None:
    """Memory that is free on the machine; where the machine cannot be seen, what it has beside this server at best."""
    left = server.number("host:memory-available")
    if left is not None:
        return left
    total, resident = server.number("total_system_memory"), server.number("used_memory_rss")
    return total - resident if total is not None and resident is not None else None


def _forks(server: StoreServer) -> bool:
    return (
        bool(server.facts.get("config:save"))
        or server.text("aof_enabled") == "1"
        or server.count("connected_slaves") > 0
    )


EXAMINER: Final = Examiner(
    slug="memory/fork-headroom",
    meaning="A save may need more memory than the machine has left.",
    severity=Severity.WARNING,
    needs=("live_server",),
    examine=examine,
)
