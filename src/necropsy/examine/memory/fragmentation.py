"""``memory/fragmentation``: the server holds much more memory than its data needs.

Sign: ``mem_fragmentation_ratio`` of 1.5 or more, and at least 64 MB between resident and used. Reason: after many
sessions of different sizes have come and gone the allocator's pages are half empty; a limit does not see that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine.interface import Examiner
from necropsy.examine.server import query, servers
from necropsy.model.figures import size
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_RATIO: Final = 1.5
_LEAST: Final = 64 << 20


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding or clearance per live server."""
    for server in servers(case):
        used, resident = server.number("used_memory"), server.number("used_memory_rss")
        if not server.live or not used or not resident:
            yield Unexamined("", ("used_memory_rss",), f"{server.name}: a dump does not contain this; needs --redis")
            continue
        ratio, lost = resident / used, resident - used
        if ratio < _RATIO or lost < _LEAST:
            yield Cleared("", f"{server.name}: {size(resident)} resident for {size(used)} of data")
            continue
        fatal = bool(server.machine) and resident >= 0.9 * (server.machine or 0.0)
        yield Finding(
            severity=Severity.CRITICAL if fatal else Severity.WARNING,
            confidence=Confidence.HIGH,
            title=f"{server.name[:1].upper()}{server.name[1:]} holds {size(resident)} of memory for {size(used)} of data",
            text="The difference is not sessions: they are gone, and the pages that held them are half empty.",
            primary=Exhibit(
                title=f"{server.name}: resident {size(resident)}, used {size(used)}, ratio {ratio:.2f}",
                query=query(server.store, "used_memory", "used_memory_rss", "mem_fragmentation_ratio"),
            ),
            remedy=Remedy(
                title="Let it defragment: CONFIG SET activedefrag yes",
                text="This needs jemalloc (INFO memory: mem_allocator). Otherwise restart, or fail over to a replica.",
                undo="CONFIG SET activedefrag no",
            ),
            store=server.store,
            share=lost / resident,
            share_low=lost / resident,
            share_high=lost / resident,
            share_of="server's memory",
            bytes=round(lost),
        )


EXAMINER: Final = Examiner(
    slug="memory/fragmentation",
    meaning="The server holds much more memory than its data needs.",
    severity=Severity.CRITICAL,
    needs=("live_server",),
    examine=examine,
)
