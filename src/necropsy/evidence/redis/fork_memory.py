"""Decide whether a server can bear to fork: the replication stream makes it fork, and a fork may double its memory.

The child that writes the dump shares its memory with the server until the server writes to a page: then there are two
of it. At worst, all of the memory is needed twice. And while it forks the server answers nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from necropsy.wire.redis.info import number

PAUSE_BUDGETS: Final = 50
"""The pause of a fork happens once, that of a slice all the time: once, so many budgets are borne (1 ms: 50 ms)."""
FORK_SECONDS_PER_BYTE: Final = 15e-3 / (1 << 30)
"""A page table of one GiB takes 10 to 20 ms to copy; used until the server has measured its own fork."""
SWAPPED_BELOW: Final = 0.9
"""Resident memory below this share of what is used: the rest is swapped out, and the child would drag it in."""
_BUSY: Final = {
    "loading": "it is loading its dump",
    "async_loading": "it is loading the dump of its primary",
    "rdb_bgsave_in_progress": "it is saving, with a child of its own",
    "aof_rewrite_in_progress": "it is rewriting its append-only file, with a child of its own",
}
_LARGE: Final = 64 << 20
"""Below this the ratio of resident to used memory says nothing."""


def why_not_fork(info: Mapping[str, str], max_impact_s: float) -> str:
    """Return why this server should not be made to fork; empty when it may be.

    Parameters
    ----------
    info
        Its INFO, sections server, memory, persistence and stats; and what ``host`` sees of its machine, if anything.
    max_impact_s
        The latency that others may suffer, in seconds.

    >>> why_not_fork({"used_memory": "100", "used_memory_rss": "120", "total_system_memory": "1000"}, 0.001)
    ''
    >>> why_not_fork({"used_memory": "700", "used_memory_rss": "800", "total_system_memory": "1000"}, 0.001)
    'a fork may need up to 700 bytes more, and 200 of the 1,000 bytes of the machine are left'
    """
    used = number(info, "used_memory")
    resident = max(number(info, "used_memory_rss"), used)
    if not used:
        return "it does not report how much memory it uses"
    return _busy(info) or _swapped(info, used) or _crowded(info, used, resident) or _slow(info, resident, max_impact_s)


def _busy(info: Mapping[str, str]) -> str:
    for name, reason in _BUSY.items():
        if number(info, name):
            return reason
    return ""


def _swapped(info: Mapping[str, str], used: int) -> str:
    resident = number(info, "used_memory_rss")
    swapped = number(info, "host:server-swapped")
    if used > _LARGE and swapped > (1 - SWAPPED_BELOW) * used:
        return f"part of its memory is swapped out ({swapped:,} of {used:,} bytes)"
    if used > _LARGE and resident < SWAPPED_BELOW * used:
        return f"part of its memory is swapped out ({resident:,} of {used:,} bytes are resident)"
    return ""


def _slow(info: Mapping[str, str], resident: int, max_impact_s: float) -> str:
    pause = max(number(info, "latest_fork_usec") / 1e6, resident * FORK_SECONDS_PER_BYTE)
    if pause > PAUSE_BUDGETS * max_impact_s:
        return f"it would answer no client for about {1000 * pause:.0f} ms while it forks ({resident:,} bytes)"
    return ""


def _crowded(info: Mapping[str, str], used: int, resident: int) -> str:
    machine = number(info, "total_system_memory")
    if not machine:
        return "it does not report how much memory its machine has"
    available = number(info, "host:memory-available")
    if available and used > available:
        return f"a fork may need up to {used:,} bytes more, and {available:,} are available on its machine"
    left = machine - resident
    if used > left:
        return f"a fork may need up to {used:,} bytes more, and {max(left, 0):,} of the {machine:,} bytes of the machine are left"
    limit = number(info, "maxmemory")
    # A limit is often that of a container with little to spare: the machine behind it is not ours to count on.
    if limit and used > max(limit - used, 0):
        return f"a fork may need up to {used:,} bytes more, and maxmemory is {limit:,}"
    return ""
