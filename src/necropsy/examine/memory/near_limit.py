"""``memory/near-limit``: the store has used up its memory, or nearly.

Sign: what counts against ``maxmemory`` is 90 % of it or more. Reason: at the limit Redis evicts what its policy allows;
where that is nothing (``noeviction``, or no key with an expiry) it refuses every write: logins, new sessions, and the
touch of a session that is only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine.interface import Examiner
from necropsy.examine.server import StoreServer, query, servers
from necropsy.model.figures import percent, several, size
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_NEAR: Final = 0.9
_FULL: Final = 0.995
"""Redis checks before a command: what one write adds may lie on either side of the limit."""


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding or clearance per server whose limit is known."""
    for server in servers(case):
        limit, counted = server.limit, server.counted
        if counted is None:
            continue
        if limit is None:
            if not server.live:
                yield Unexamined(
                    "", ("memory limit",), f"{server.name}: a dump contains no memory limit; add --memory-limit 1GB"
                )
            continue
        share = counted / limit
        if share < _NEAR:
            yield Cleared("", f"{server.name}: {size(counted)} of {size(limit)} in use ({percent(share)})")
        else:
            yield _finding(server, counted, limit)


def refuses_writes(server: StoreServer) -> bool:
    """Whether a live server was at its limit and evicted nothing, so that nobody could write to it.

    A replica takes whatever its master sends, and evicts nothing by itself: of its master's limit it says nothing.
    """
    if not server.live or server.is_replica or server.limit is None or server.counted is None:
        return False
    evicts = server.policy not in ("", "noeviction")
    return server.counted >= _FULL * server.limit and not (evicts and server.count("evicted_keys"))


def _finding(server: StoreServer, counted: float, limit: float) -> Finding:
    share, refused = counted / limit, server.count("errorstat_OOM")
    evicts = server.policy not in ("", "noeviction")
    refusing = refuses_writes(server)
    facts = ("used_memory", "used-mem", "maxmemory", "memory-limit", "maxmemory_policy", "errorstat_OOM")
    said = f"{size(counted)} of {size(limit)}"
    said += f", {server.policy}" if server.policy else ""
    if refusing:
        title = f"{_capital(server.name)} refuses every write: {said}"
        text = (
            "Nobody can log in, and no session can be renewed, until something expires or is removed. Reading still"
            " works, so a health check that only reads succeeds."
        )
        text += f" It has refused {several(refused, 'command')} since it was started." if refused else ""
    else:
        title = f"{_capital(server.name)} has used {percent(min(share, 1.0))} of its memory: {said}"
        text = "At the limit it evicts sessions" if evicts else "At the limit it refuses every write"
        text += (
            ": users are logged out, or cannot log in."
            if server.policy
            else ", or evicts sessions: its policy is unknown."
        )
    return Finding(
        severity=Severity.CRITICAL if refusing else Severity.WARNING,
        confidence=Confidence.HIGH if server.live else Confidence.MEDIUM,
        title=title,
        text=text,
        primary=Exhibit(title=f"{server.name}: {said}", query=query(server.store, *facts)),
        remedy=Remedy(
            title="Make room for tonight, then remove what fills it",
            text=(
                "If the machine has memory to spare, raise maxmemory by a quarter (CONFIG SET). That only buys time:"
                " the store goes on filling, see the other causes. Do not flush: it logs everybody out."
            ),
            undo="CONFIG SET maxmemory to the old value",
        ),
        store=server.store,
        share=min(1.0, share),
        share_low=min(1.0, share),
        share_high=min(1.0, share),
        share_of="memory limit",
        bytes=round(counted),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


EXAMINER: Final = Examiner(
    slug="memory/near-limit",
    meaning="The store has used up its memory, or nearly so.",
    severity=Severity.CRITICAL,
    needs=("server",),
    examine=examine,
)
