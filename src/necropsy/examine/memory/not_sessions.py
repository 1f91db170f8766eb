"""``memory/not-sessions``: most of the memory is not sessions.

Sign: key families that no session layout recognises hold more than half of the bytes. Reason: the store is shared with a
cache, a queue or another application; fixing sessions will not help.

Keys of a store in which no session was recognised, and that all have an expiry, may be sessions of a layout that is not
known here: that is not judged, and said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.figures import percent, several, size
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

FAMILIES: Final = """
SELECT store, sum(bytes)::BIGINT AS bytes, sum(bytes) FILTER (WHERE role = 'other')::BIGINT AS other,
  sum(bytes) FILTER (WHERE role = 'other' AND coalesce(without_expiry, 0) > 0.05 * keys)::BIGINT AS lasting,
  coalesce(sum(keys) FILTER (WHERE role = 'session'), 0)::BIGINT AS sessions,
  coalesce(sum(keys) FILTER (WHERE role = 'other'), 0)::BIGINT AS others
FROM key_family GROUP BY store ORDER BY store
"""
_LARGEST: Final = """
SELECT pattern, type, keys, bytes, without_expiry FROM key_family
WHERE store = ? AND role = 'other' ORDER BY bytes DESC, pattern LIMIT 5
"""
_MOST: Final = 0.5
_HEAVY: Final = 1_000_000
"""Bytes below which it kills no store."""


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding, clearance or refusal to judge per store."""
    for row in case.rows(FAMILIES):
        store: str = row["store"]
        total, other, lasting = (row[name] or 0 for name in ("bytes", "other", "lasting"))
        if not total:
            continue
        share = other / total
        if share < _MOST:
            yield Cleared("", f"store {store}: {percent(1 - share)} of the memory is sessions")
        elif not row["sessions"] and lasting < _MOST * other:
            yield Unexamined("", ("session",), case_queries.unknown_layout(case, store, row["others"]))
        else:
            yield _finding(case, row, share)


def _finding(case: Case, row: dict[str, Any], share: float) -> Finding:
    store, other, lasting = row["store"], row["other"], row["lasting"] or 0
    exhibits = tuple(
        Exhibit(
            title=f"{family['pattern']} ({family['type']}): {several(family['keys'], 'key')}, {size(family['bytes'])}",
            text=_expiry(family),
            query=f"SELECT * FROM key_family WHERE store = {literal(store)} AND role = 'other' ORDER BY bytes DESC",
        )
        for family in case.rows(_LARGEST, [store])
    )
    immortal = lasting >= _MOST * other
    return Finding(
        severity=Severity.WARNING if other >= _HEAVY else Severity.INFO,
        confidence=Confidence.HIGH if immortal and row["sessions"] else Confidence.MEDIUM,
        title=f"{percent(share)} of the memory of store {store} is not sessions",
        text=f"{size(other)} of {size(row['bytes'])} belong to keys that are not sessions of a known layout.",
        primary=exhibits[0],
        supporting=exhibits[1:],
        remedy=Remedy(
            title="Look at the largest key patterns first",
            text="Give these keys an expiry, or a store of their own."
            if immortal
            else "These keys have an expiry: give them a shorter one, or a store of their own.",
            undo="PERSIST the keys, or point the application back",
        ),
        store=store,
        share=share,
        share_low=share,
        share_high=share,
        share_of="bytes",
        bytes=other,
    )


def _expiry(family: dict[str, Any]) -> str:
    lasting = family["without_expiry"] or 0
    return f"{lasting:,} of them never expire" if lasting else "all of them have an expiry"


EXAMINER: Final = Examiner(
    slug="memory/not-sessions",
    meaning="Most of the memory is not sessions.",
    severity=Severity.WARNING,
    needs=("key_family",),
    examine=examine,
)
