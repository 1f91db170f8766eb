"""``memory/no-limit``: nothing bounds the store but the machine.

Sign: ``maxmemory`` is 0. Reason: a leak then ends in swapping, or in the kernel killing the largest process, which is
the store, with every session in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine.interface import Examiner
from necropsy.examine.server import StoreServer, query, servers
from necropsy.model.figures import percent, size
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_DEADLY: Final = 0.9
_SERIOUS: Final = 0.5


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding or clearance per live server."""
    for server in servers(case):
        if not server.live:
            yield Unexamined("", ("maxmemory",), f"{server.name}: a dump does not contain maxmemory; needs --redis")
        elif server.number("maxmemory") is None:
            yield Unexamined("", ("maxmemory",), f"{server.name}: INFO is refused; allow +info to the user")
        elif server.count("maxmemory"):
            yield Cleared("", f"{server.name}: maxmemory is {size(server.count('maxmemory'))}")
        else:
            yield _finding(server)


def _finding(server: StoreServer) -> Finding:
    resident, machine = server.number("used_memory_rss", "used_memory"), server.machine
    share = resident / machine if resident and machine else None
    severity = Severity.INFO
    if share is not None and share >= _SERIOUS:
        severity = Severity.CRITICAL if share >= _DEADLY else Severity.WARNING
    where = f": it has {size(resident or 0)} of the machine's {size(machine)}" if machine and resident else ""
    return Finding(
        severity=severity,
        confidence=Confidence.HIGH if share is not None else Confidence.MEDIUM,
        title=f"Nothing limits the memory of {server.name} (maxmemory 0){where}",
        text=(
            "A session leak then ends in swapping, or the kernel kills the largest process: the store, with every"
            " session in it. With a limit the store refuses writes or evicts keys, and counts both."
        ),
        primary=Exhibit(
            title=f"{server.name}: maxmemory 0" + (f", {percent(share)} of the machine in use" if share else ""),
            query=query(server.store, "maxmemory", "used_memory_rss", "total_system_memory", "host:memory-total"),
        ),
        remedy=Remedy(
            title="Set a limit: about twice what the store needs on its busiest day, at most half of the machine's"
            " memory",
            text="CONFIG SET maxmemory 256mb; CONFIG REWRITE. Keep noeviction for sessions: refused logins are better"
            " than silent logouts.",
            undo="CONFIG SET maxmemory 0",
        ),
        store=server.store,
        share=min(1.0, share) if share is not None else None,
        share_low=min(1.0, share) if share is not None else None,
        share_high=min(1.0, share) if share is not None else None,
        share_of="machine's memory",
        bytes=round(resident or 0),
    )


EXAMINER: Final = Examiner(
    slug="memory/no-limit",
    meaning="Nothing limits the store's memory but the machine.",
    severity=Severity.CRITICAL,
    needs=("live_server",),
    examine=examine,
)
