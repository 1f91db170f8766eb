"""``memory/eviction-logs-users-out``: the store throws sessions away to stay within its limit.

Sign: ``evicted_keys`` of a store that holds sessions, under a policy that may take them: any of ``allkeys-*``, and of
``volatile-*`` because sessions have an expiry. Reason: to Redis a session is a key like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine.case_queries import sessions_by_store
from necropsy.examine.interface import Examiner
from necropsy.examine.server import StoreServer, query, servers
from necropsy.model.figures import percent, several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_MANY: Final = 0.01
"""Evicted keys as a share of the keys of all sessions that are left."""
_FEWEST: Final = 10


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding or clearance per live server of a store with sessions."""
    sessions = sessions_by_store(case)
    keys = {r["store"]: r["n"] for r in case.rows("SELECT store, sum(keys)::BIGINT AS n FROM session GROUP BY store")}
    for server in servers(case):
        if not sessions.get(server.store):
            continue
        if not server.live or not server.policy:
            yield Unexamined("", ("evicted_keys",), f"{server.name}: a dump does not show evictions; needs --redis")
        elif server.policy == "noeviction":
            yield Cleared("", f"{server.name}: its policy is noeviction, it evicts nothing")
        elif server.is_replica and not server.count("evicted_keys"):
            yield Unexamined(
                "",
                ("evicted_keys",),
                f"{server.name}: a replica does not count what its master evicts; needs the master",
            )
        elif server.count("evicted_keys") or server.limit is not None:
            yield _finding(server, sessions[server.store], keys.get(server.store) or 0)


def _finding(server: StoreServer, sessions: int, keys: int) -> Finding:
    evicted = server.count("evicted_keys")
    share = evicted / (evicted + keys) if evicted else 0.0
    days = server.days
    since = (
        f" in {days:.0f} days"
        if days and days >= 2
        else f" in {24 * days:.0f} hours"
        if days and days >= 1 / 12
        else ""
    )
    if evicted:
        title = (
            f"{server.name[:1].upper()}{server.name[1:]} has evicted {several(evicted, 'key')}{since} ({server.policy})"
        )
        text = (
            f"It holds {several(sessions, 'session')}. To Redis a session is a key like any other: a user who loses"
            f" it is logged out in the middle of something, and no log says why."
        )
    else:
        title = f"When {server.name} is full, {server.policy} will evict sessions"
        text = "Nothing has been evicted since it was started. The policy suits a cache, not a session store."
    severity = Severity.INFO
    if evicted:
        severity = Severity.CRITICAL if evicted >= _FEWEST and share >= _MANY else Severity.WARNING
    return Finding(
        severity=severity,
        confidence=Confidence.HIGH,
        title=title,
        text=text,
        primary=Exhibit(
            title=f"{server.name}: evicted_keys {evicted:,.0f}" + (f", {percent(share)} of all keys" if share else ""),
            query=query(server.store, "evicted_keys", "maxmemory_policy", "maxmemory", "used_memory"),
        ),
        remedy=Remedy(
            title="Keep sessions in a store of their own, with noeviction and room to spare",
            text=(
                "First remove what fills it (see the other causes), then CONFIG SET maxmemory-policy"
                " noeviction. A full store then refuses logins with an error, instead of logging people out."
            ),
            undo=f"CONFIG SET maxmemory-policy {server.policy}",
        ),
        store=server.store,
        share=share,
        share_low=share,
        share_high=share,
        share_of="keys",
    )


EXAMINER: Final = Examiner(
    slug="memory/eviction-logs-users-out",
    meaning="The store evicts sessions to stay within its memory limit.",
    severity=Severity.CRITICAL,
    needs=("live_server", "session"),
    examine=examine,
)
