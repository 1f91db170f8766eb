"""Keys that a full store evicts while it is read or purged.

Since Redis 7.0 each command that a server is asked for the first time takes 24,688 bytes for as long as it runs: the
histogram of ``latency-tracking``. A plan and a purge ask some forty, so that a store at its limit evicts up to 1 MB once.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from necropsy.model.figures import several
from necropsy.treat.purge.stores import TreatmentError
from necropsy.wire.redis.info import number
from necropsy.wire.redis.replies import ConnectionLost, ServerError

if TYPE_CHECKING:
    from necropsy.treat.purge.stores import WritableStore


def evicted_of(store: WritableStore) -> int | None:
    """Return how many keys the servers evicted so far; None: none of them has a limit at which it evicts."""
    found = [
        number(primary.info, "evicted_keys")
        for primary in store.primaries
        if number(primary.stats(), "maxmemory") and primary.info.get("maxmemory_policy", "noeviction") != "noeviction"
    ]
    return sum(found) if found else None


def evicted_since(before: int | None, store: WritableStore) -> list[str]:
    """Return a remark where keys were evicted since; none where the server is gone by now, which is said where it matters."""
    count = 0
    if before is not None:
        with contextlib.suppress(ServerError, ConnectionLost, TreatmentError):
            count = (evicted_of(store) or 0) - before
    if count <= 0:
        return []
    remark = (
        f"the store is at its limit and evicts: {several(count, 'key')} went meanwhile, for its users or for this. Once after"
        " each start a server takes up to 1 MB for commands that are new to it: raise maxmemory by 2 MB to spare the next"
    )
    return [remark]
