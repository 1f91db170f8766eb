from __future__ import annotations

from examine.cases import cleared
from examine.live_cases import MB, examined, found


def test_a_save_needs_room_only_where_something_forks() -> None:
    tight = {"used_memory_rss": 700 * MB, "host__memory_available": 200 * MB}
    assert found(examined(**tight, config__save="300 10"), "memory/fork-headroom") is not None
    assert "never forks" in cleared(examined(**tight, config__save=""))["memory/fork-headroom"]
    assert (
        found(examined(**{**tight, "host__memory_available": 900 * MB}, config__save="300 10"), "memory/fork-headroom")
        is None
    )
