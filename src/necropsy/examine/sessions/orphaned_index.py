"""``sessions/orphaned-index``: index entries point at sessions that no longer exist.

Sign: ids in principal indexes or expiration sets without a session in the same store. Reason: the index is cleaned by
keyspace events; an application that was down, a cluster node that nobody listened to, or a known defect (spring-session
#1987, #3477) misses them, and the sets have no TTL of their own.

Sets that expire by themselves are no sign: a minute set of Spring keeps the former id of each session that changed its id
at login, for a day, and then goes as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_LEAST_DEAD = 100
_LEAST_SHARE = 0.1

_LASTING = """
SELECT DISTINCT family FROM index_entry WHERE store = ?
INTERSECT SELECT pattern FROM key_family WHERE without_expiry > 0
"""
"""Most stores have none, and then millions of entries need not be joined to millions of sessions."""
ORPHANS = """
SELECT e.family, count(*) AS entries, count(*) FILTER (WHERE s.id_hash IS NULL) AS dead,
       count(DISTINCT e.index_hash) AS indexes
FROM index_entry e LEFT JOIN (SELECT DISTINCT store, id_hash FROM session) s
  ON s.store = e.store AND s.id_hash = e.id_hash
WHERE e.store = ? AND e.family IN (SELECT pattern FROM key_family WHERE without_expiry > 0)
GROUP BY e.family ORDER BY dead DESC, e.family
"""


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding per store and index family with many dead entries."""
    for store in case_queries.sessions_by_store(case):
        families = case.rows(ORPHANS, [store]) if case.rows(_LASTING, [store]) else []
        if families and (unread := case_queries.in_part(case, store)) is not None:
            yield unread
            continue
        guilty = [f for f in families if f["dead"] >= _LEAST_DEAD and f["dead"] >= _LEAST_SHARE * f["entries"]]
        for family in guilty:
            yield Finding(
                severity=Severity.WARNING,
                confidence=Confidence.HIGH,
                title=f"{family['dead']:,} of {family['entries']:,} entries of {family['family']} in store {store}"
                f" are dead",
                text=(
                    f"They are in {family['indexes']:,} index keys and refer to sessions that are gone. The indexes"
                    f" have no TTL, so they only grow."
                ),
                primary=Exhibit(
                    title=f"{family['family']}: {family['dead']:,} dead entries",
                    query=" ".join(ORPHANS.replace("?", literal(store)).split()),
                ),
                remedy=Remedy(
                    title="Make the application clean its indexes",
                    text=(
                        "Enable keyspace events (notify-keyspace-events Egx) and let an instance listen on every node;"
                        " upgrade spring-session (2.5.5, 2.6.2 fix #1987)."
                    ),
                    undo="restore the old notify-keyspace-events",
                ),
                store=store,
            )
        if families and not guilty:
            entries = sum(f["entries"] for f in families)
            yield Cleared("", f"store {store}: {entries:,} index entries, nearly all of them point to live sessions")


EXAMINER: Final = Examiner(
    slug="sessions/orphaned-index",
    meaning="Index entries point at sessions that no longer exist.",
    severity=Severity.WARNING,
    needs=("index_entry",),
    examine=examine,
)
