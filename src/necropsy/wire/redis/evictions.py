"""Keys that a full server evicts while it is read.

Since Redis 7.0 each command that a server is asked for the first time takes 24,688 bytes for as long as it runs: the
histogram of ``latency-tracking`` (findings/first-look-at-a-full-store-evicts-sessions.sh). A reader asks some forty, so that
a server at its limit evicts up to 1 MB of keys, once after each start.
"""

from __future__ import annotations

from collections.abc import Mapping

from necropsy.model.figures import several
from necropsy.wire.redis.info import number


def evicted(info: Mapping[str, str]) -> int | None:
    """Return how many keys a server has evicted so far; None where it has no limit at which it evicts, or INFO is forbidden.

    >>> evicted({"maxmemory": "1000000", "maxmemory_policy": "allkeys-lru", "evicted_keys": "7"})
    7
    """
    evicts = number(info, "maxmemory") and info.get("maxmemory_policy", "noeviction") != "noeviction"
    return number(info, "evicted_keys") if evicts else None


def remark(count: int) -> str:
    """Return what is said of keys that were evicted meanwhile."""
    return (
        f"the store is at its limit and evicts: {several(count, 'key')} went meanwhile, for its users or for this. Once after"
        " each start a server takes up to 1 MB for commands that are new to it: raise maxmemory by 2 MB to spare the next"
    )
