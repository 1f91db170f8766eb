from __future__ import annotations

from examine.cases import cleared
from examine.live_cases import MB, examined, found
from necropsy.model.finding import Severity


def test_a_server_that_lies_on_disk_is_told_so() -> None:
    host = {"host__memory_total": 1000 * MB, "host__memory_available": 20 * MB, "host__server_swapped": 200 * MB,
            "host__neighbours": 1, "host__neighbours_resident": 500 * MB}  # fmt: skip
    finding = found(examined(used_memory_rss=300 * MB, **host), "memory/shared-host")
    assert finding is not None
    assert finding.severity is Severity.CRITICAL
    assert finding.title == "Store a is swapped out: 200 MB of 500 MB are on disk"


def test_a_full_machine_is_a_warning_where_somebody_else_lives_there() -> None:
    host = {"host__memory_total": 1000 * MB, "host__memory_available": 20 * MB, "host__neighbours": 1,
            "host__neighbours_resident": 500 * MB}  # fmt: skip
    finding = found(examined(used_memory_rss=300 * MB, **host), "memory/shared-host")
    assert finding is not None
    assert finding.severity is Severity.WARNING
    alone = found(examined(used_memory_rss=300 * MB, **{**host, "host__neighbours": 0}), "memory/shared-host")
    assert alone is None


def test_a_machine_that_cannot_be_seen_is_not_said_to_be_fine() -> None:
    said = examined(used_memory_rss=300 * MB)
    assert "memory/shared-host" not in cleared(said)
    assert any(u.slug == "memory/shared-host" for u in said.unexamined)
