"""``memory/not-sessions``: most of the memory is not sessions.

Sign: key families that no session layout recognises hold more than half of the bytes. Reason: the store is shared with a
cache, a queue or another application; fixing sessions will not help.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from necropsy.examine import evidence
from necropsy.model.figures import percent, several, size
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

FAMILIES = """
SELECT store, sum(bytes)::BIGINT AS bytes, sum(bytes) FILTER (WHERE role = 'other')::BIGINT AS other
FROM key_family GROUP BY store ORDER BY store
"""
_LARGEST = """
SELECT pattern, type, keys, bytes, without_expiry FROM key_family
WHERE store = ? AND role = 'other' ORDER BY bytes DESC, pattern LIMIT 5
"""


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding or clearance per store."""
    for row in case.rows(FAMILIES):
        store, total, other = row["store"], row["bytes"] or 0, row["other"] or 0
        if not total:
            continue
        share = other / total
        if share < 0.5:
            yield Cleared("", f"store {store}: {percent(1 - share)} of the memory is sessions")
            continue
        largest = case.rows(_LARGEST, [store])
        exhibits = tuple(
            Exhibit(
                title=f"{family['pattern']} ({family['type']}): {several(family['keys'], 'key')}, {size(family['bytes'])}",
                text=f"{family['without_expiry']:,} of them never expire",
                query=(
                    f"SELECT * FROM key_family WHERE store = {evidence.quoted(store)} AND role = 'other' ORDER BY bytes DESC"
                ),
            )
            for family in largest
        )
        yield Finding(
            severity=Severity.WARNING,
            confidence=Confidence.HIGH,
            title=f"{percent(share)} of the memory of store {store} is not sessions",
            text=f"{size(other)} of {size(total)} belong to keys that are no sessions of a known layout.",
            primary=exhibits[0],
            supporting=exhibits[1:],
            remedy=Remedy(
                title="Look at the largest families first",
                text="Give them a TTL, or a store of their own.",
                undo="PERSIST the keys, or point the application back",
            ),
            store=store,
        )
