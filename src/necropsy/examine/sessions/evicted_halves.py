"""``sessions/evicted-halves``: Redis evicted one of the two keys of a session and left the other.

Sign: sessions of Spring's indexed layout, not expired, that lack the key ``…:sessions:expires:<id>``. Reason: eviction
takes keys and not sessions; ``volatile-ttl`` takes the key that expires first, and the marker expires five minutes
before the hash. The session goes on until the hash expires or is evicted too, but the event of its end never comes: what
listens for it (the index of principals, sockets, counters of users) is not cleaned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.figures import percent, several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_PAIRED: Final = "layout IN ('spring-indexed', 'spring-reactive-indexed') AND coalesce(lifetime_s, 1) > 0"
_WHOLE: Final = f"{_PAIRED} AND state = 'live' AND expires_at IS NOT NULL"
_COUNT: Final = f"""
SELECT count(*) AS n, count(*) FILTER (WHERE keys < 2) AS halves, coalesce(sum(bytes) FILTER (WHERE keys < 2), 0)::BIGINT
  AS bytes FROM session WHERE store = ? AND {_WHOLE}
"""
_FEWEST: Final = 20
_LEAST: Final = 0.01
_MANY: Final = 0.1


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding or clearance per store with sessions of two keys."""
    policies = {
        row["store"]: row["value"]
        for row in case.rows("SELECT store, value FROM server_fact WHERE name = 'maxmemory_policy'")
    }
    for store in case_queries.sessions_by_store(case):
        row = case.rows(_COUNT, [store])[0]
        if not row["n"]:
            continue
        if (unread := case_queries.in_part(case, store)) is not None:
            yield unread
            continue
        share = row["halves"] / row["n"]
        if row["halves"] < _FEWEST or share < _LEAST:
            yield Cleared(
                "",
                f"store {store}: {several(row['n'], 'session')} of two keys, {row['halves'] or 'none'} without its second key",
            )
            continue
        policy = policies.get(store, "")
        if policy == "noeviction":
            yield _without_eviction(store, row["halves"], row["n"])
            continue
        yield Finding(
            severity=Severity.CRITICAL if share >= _MANY else Severity.WARNING,
            confidence=Confidence.HIGH if policy and policy != "noeviction" else Confidence.MEDIUM,
            title=f"{row['halves']:,} of {several(row['n'], 'session')} in store {store} have lost one of their two"
            f" keys",
            text=(
                "Their marker (…:sessions:expires:<id>) is gone and the hash is there, long before they expire. Redis"
                " was full and evicted keys"
                + (f" ({policy})" if policy else "")
                + "; whole sessions are gone as well, and their users were logged out."
            ),
            primary=Exhibit(
                title=f"{row['halves']:,} without their marker ({percent(share)})",
                query=(
                    f"SELECT keys, count(*) AS sessions, sum(bytes) AS bytes FROM session"
                    f" WHERE store = {literal(store)} AND {_WHOLE} GROUP BY keys ORDER BY keys"
                ),
            ),
            remedy=Remedy(
                title="Stop the eviction: remove what fills the store, then set maxmemory-policy noeviction",
                text=(
                    "No eviction policy keeps two keys together. A session without its marker ends when its hash"
                    " expires; entries in the principal index stay (sessions/orphaned-index)."
                ),
                undo="CONFIG SET maxmemory-policy to the old value",
            ),
            store=store,
            share=share,
            share_low=share,
            share_high=share,
            share_of="sessions",
            sessions=row["halves"],
            bytes=row["bytes"],
        )


def counted(case: Case, store: str) -> tuple[int, int] | None:
    """Count the sessions of two keys in a store, and those that lack one; None: there are none, or not all keys were read."""
    row = case.rows(_COUNT, [store])[0]
    if not row["n"] or case_queries.in_part(case, store) is not None:
        return None
    return row["n"], row["halves"]


def _without_eviction(store: str, halves: int, sessions: int) -> Finding:
    """A server that evicts nothing today: who took the markers is not known."""
    return Finding(
        severity=Severity.WARNING,
        confidence=Confidence.LOW,
        title=f"{halves:,} of {several(sessions, 'session')} in store {store} lack one of their two keys",
        text=(
            "Their marker (…:sessions:expires:<id>) is gone and the hash is there. The server evicts nothing"
            " (noeviction), so what removed the markers is unknown: a clean-up by pattern, an eviction under an"
            " earlier policy, or a restore."
        ),
        primary=Exhibit(
            title=f"{halves:,} without their marker",
            query=(
                f"SELECT keys, count(*) AS sessions FROM session WHERE store = {literal(store)} AND {_WHOLE}"
                " GROUP BY keys ORDER BY keys"
            ),
        ),
        store=store,
    )


EXAMINER: Final = Examiner(
    slug="sessions/evicted-halves",
    meaning="Redis evicted one of the two keys of a session and left the other.",
    severity=Severity.CRITICAL,
    needs=("session",),
    helped_by=("server",),
    examine=examine,
)
