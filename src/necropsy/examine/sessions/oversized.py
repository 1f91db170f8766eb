"""``sessions/oversized``: the sessions are so large that they, and not their number, fill the memory.

Sign: sessions of 32 kB or more hold at least half of the bytes of all sessions. Reason: something is kept in the session
that belongs elsewhere: a search result, an uploaded file, a whole user with all that hangs on it, a cart that only grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.figures import percent, several, size
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

LARGE: Final = 32_768
"""Bytes. An anonymous session has 0.2 to 4 kB, a user's 1 to 10: a saved request, a token, a basket."""
_MOST: Final = 0.5
_HEAVY: Final = 1_000_000
_DEADLY: Final = 10_000_000
_SIZES: Final = f"""
SELECT count(*) AS n, count(*) FILTER (WHERE bytes >= {LARGE}) AS large, coalesce(sum(bytes), 0)::BIGINT AS bytes,
  coalesce(sum(bytes) FILTER (WHERE bytes >= {LARGE}), 0)::BIGINT AS heavy, coalesce(median(bytes), 0)::BIGINT AS median,
  coalesce(max(bytes), 0)::BIGINT AS most
FROM session WHERE store = ?
"""


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding or clearance per store with sessions."""
    for store, total in case_queries.sessions_by_store(case).items():
        if not total:
            continue
        row = case.rows(_SIZES, [store])[0]
        share = row["heavy"] / row["bytes"] if row["bytes"] else 0.0
        if share < _MOST or row["heavy"] < _HEAVY:
            yield Cleared(
                "",
                f"store {store}: half of the sessions are {size(row['median'])} or less, the largest is"
                f" {size(row['most'])}",
            )
        else:
            yield _finding(store, row, share)


def _finding(store: str, row: dict[str, Any], share: float) -> Finding:
    name = literal(store)
    return Finding(
        severity=Severity.CRITICAL if row["heavy"] >= _DEADLY else Severity.WARNING,
        confidence=Confidence.HIGH,
        title=(
            f"{several(row['large'], 'session')} of 32 kB and more hold {percent(share)} of the memory of all sessions in"
            f" store {store}"
        ),
        text=(
            f"{size(row['heavy'])} of {size(row['bytes'])}; the largest has {size(row['most'])}. Each request reads"
            f" its whole session and usually writes it back, so size costs network and time as well as memory."
        ),
        primary=Exhibit(
            title=f"{several(row['large'], 'session')} of {several(row['n'], 'session')}, {size(row['heavy'])}",
            query=(
                "SELECT authentication, attributes, count(*) AS sessions, sum(bytes) AS bytes, max(bytes) AS largest FROM"
                f" session WHERE store = {name} AND bytes >= {LARGE} GROUP BY ALL ORDER BY bytes DESC LIMIT 20"
            ),
        ),
        remedy=Remedy(
            title="Keep ids in the session, and the data elsewhere",
            text=(
                "Find the large attribute in the application's code; `necropsy keys` shows the fields of hashes. Put"
                " it into a cache with its own expiry, or into the database."
            ),
            undo="put it back into the session",
        ),
        store=store,
        share=share,
        share_low=share,
        share_high=share,
        share_of="bytes of sessions",
        sessions=row["large"],
        bytes=row["heavy"],
    )


EXAMINER: Final = Examiner(
    slug="sessions/oversized",
    meaning="The size of the sessions, not their number, fills the memory.",
    severity=Severity.CRITICAL,
    needs=("session",),
    examine=examine,
)
