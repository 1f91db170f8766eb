"""``memory/shared-host``: the store shares a machine that has no memory left for all who live there.

Sign: part of the server is swapped out; or other servers on its machine leave less than a tenth of the memory.
Reason: in the incident of 2019 one of two stores on a machine of 1 GB grew, and its neighbour died with it.
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

_FACTS: Final = (
    "host:memory-total", "host:memory-available", "host:server-swapped", "host:swap-total", "host:swap-free",
    "host:neighbours", "host:neighbours-resident", "used_memory_rss",
)  # fmt: skip
_SWAPPED_SHARE: Final = 0.05
_SWAPPED_LEAST: Final = 4 << 20
"""Bytes: the kernel swaps a little of every process out, and nobody notices."""
_TIGHT: Final = 0.1


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding or clearance per server whose machine could be seen."""
    for server in servers(case):
        if "host:memory-total" not in server.facts:
            where = (
                f"{server.name}: its machine cannot be examined from here; run necropsy there with --redis"
                f" redis://127.0.0.1"
            )
            yield Unexamined("", ("host memory",), where)
            continue
        total, left = server.count("host:memory-total"), server.count("host:memory-available")
        resident, swapped = server.count("used_memory_rss"), server.count("host:server-swapped")
        neighbours = server.count("host:neighbours")
        swaps = swapped >= max(_SWAPPED_LEAST, _SWAPPED_SHARE * (resident + swapped))
        tight = left < _TIGHT * total
        if swaps or (tight and neighbours):
            yield _finding(server, swaps)
        else:
            yield Cleared(
                "",
                f"{server.name}: {size(left)} of its machine's {size(total)} are free, and none of the store's is"
                f" swapped out",
            )


def _finding(server: StoreServer, swaps: bool) -> Finding:
    total, left = server.count("host:memory-total"), server.count("host:memory-available")
    resident, swapped = server.count("used_memory_rss"), server.count("host:server-swapped")
    neighbours, theirs = server.count("host:neighbours"), server.count("host:neighbours-resident")
    name = server.name[:1].upper() + server.name[1:]
    others = f"{several(neighbours, 'other server')} on the machine with {size(theirs)}" if neighbours else ""
    share = min(1.0, swapped / (resident + swapped)) if swaps else min(1.0, (total - left) / total)
    return Finding(
        severity=Severity.CRITICAL if swaps else Severity.WARNING,
        confidence=Confidence.HIGH,
        title=(
            f"{name} is swapped out: {size(swapped)} of {size(resident + swapped)} are on disk"
            if swaps
            else f"{name} shares a machine that is full: {size(left)} of {size(total)} are free; {others}"
        ),
        text=(
            "Each access to a page on disk blocks all clients, as commands run on one thread; a save reads all of"
            " them back." + (f" It has {others}." if others else "")
            if swaps
            else "If any process grows, all suffer: the kernel swaps, then kills the largest process."
        ),
        primary=Exhibit(
            title=f"{server.name}: {size(resident)} resident, {size(swapped)} swapped, {size(left)} of {size(total)} free",
            query=query(server.store, *_FACTS),
        ),
        remedy=Remedy(
            title="Remove what grows, then give every store a limit so that all fit into the machine",
            text="CONFIG SET maxmemory on each, together at most half of the machine's memory; or give the store its"
            " own machine.",
            undo="CONFIG SET maxmemory to the old values",
        ),
        store=server.store,
        share=share,
        share_low=share,
        share_high=share,
        share_of="server's memory" if swaps else "machine's memory",
        bytes=round(swapped or resident),
    )


EXAMINER: Final = Examiner(
    slug="memory/shared-host",
    meaning="The store shares a machine that is running out of memory.",
    severity=Severity.CRITICAL,
    needs=("live_server",),
    examine=examine,
)
