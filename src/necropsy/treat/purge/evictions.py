"""Keys that a full store evicts while it is planned or purged."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from necropsy.treat.purge.stores import TreatmentError
from necropsy.wire.redis.evictions import evicted, remark
from necropsy.wire.redis.replies import ConnectionLost, ServerError

if TYPE_CHECKING:
    from necropsy.treat.purge.stores import WritableStore


def evicted_of(store: WritableStore) -> int | None:
    """Return how many keys the servers evicted so far; None: none of them has a limit at which it evicts."""
    found = [count for primary in store.primaries if (count := evicted(primary.stats())) is not None]
    return sum(found) if found else None


def evicted_since(before: int | None, store: WritableStore) -> list[str]:
    """Return a remark where keys were evicted since; none where the server is gone by now, which is said where it matters."""
    count = 0
    if before is not None:
        with contextlib.suppress(ServerError, ConnectionLost, TreatmentError):
            count = (evicted_of(store) or 0) - before
    return [remark(count)] if count > 0 else []
