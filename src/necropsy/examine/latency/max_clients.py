"""``latency/max-clients``: the server has no connection left for whoever comes next.

Sign: ``connected_clients`` at ``maxclients``, or ``rejected_connections`` above 0. Reason: a connection pool that leaks,
too many instances, or clients that all wait for a server that is busy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine.interface import Examiner
from necropsy.examine.server import StoreServer, query, servers
from necropsy.model.figures import several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_FULL: Final = 0.98
"""The connection that asks is one of them, and somebody may just have gone."""
_NEAR: Final = 0.8
_IDLE_S: Final = 600


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding or clearance per live server."""
    for server in servers(case):
        most = server.number("maxclients", "config:maxclients")
        if not server.live or not most:
            yield Unexamined("", ("connected_clients",), f"{server.name}: a dump does not contain this; needs --redis")
            continue
        connected, rejected = server.count("connected_clients"), server.count("rejected_connections")
        if connected >= _NEAR * most or rejected:
            yield _finding(server, connected, rejected, most)
        else:
            yield Cleared("", f"{server.name}: {connected:,.0f} of {most:,.0f} connections, none refused")


def _finding(server: StoreServer, connected: float, rejected: float, most: float) -> Finding:
    now = connected >= _FULL * most
    name = server.name[:1].upper() + server.name[1:]
    idle = server.count("clients:idle-most-s")
    return Finding(
        severity=Severity.CRITICAL if now else Severity.WARNING,
        confidence=Confidence.HIGH,
        title=(
            f"{name} has no connection left: {connected:,.0f} of {most:,.0f}"
            if now
            else f"{name} has refused {several(rejected, 'connection')} (maxclients {most:,.0f})"
            if rejected
            else f"{name} has {connected:,.0f} of {most:,.0f} connections in use"
        ),
        text=(
            "The next connection is refused: of an application that starts, a health check, an operator."
            + (f" The longest idle connection has been idle for {idle:,.0f} s." if idle >= _IDLE_S else "")
        ),
        primary=Exhibit(
            title=f"{server.name}: {connected:,.0f} connected, {rejected:,.0f} refused since it was started",
            query=query(server.store, "connected_clients", "maxclients", "rejected_connections", "clients:idle-most-s"),
        ),
        remedy=Remedy(
            title="Find who holds the connections: CLIENT LIST, by name and idle time",
            text=(
                "Limit the pools: instances x pool size must stay below maxclients. CONFIG SET timeout 300 closes"
                " idle connections; a higher maxclients buys time."
            ),
            undo="CONFIG SET timeout to the old value",
        ),
        store=server.store,
        share=min(1.0, connected / most),
        share_low=min(1.0, connected / most),
        share_high=min(1.0, connected / most),
        share_of="connections",
    )


EXAMINER: Final = Examiner(
    slug="latency/max-clients",
    meaning="The server has no connection left for new clients.",
    severity=Severity.CRITICAL,
    needs=("live_server",),
    examine=examine,
)
