"""The examiners that look at the machine as well: no-limit, shared-host, fragmentation, fork-headroom, eviction."""

from __future__ import annotations

import pytest

from examine.cases import cleared, scene
from necropsy.examine.interface import Examination
from necropsy.model.finding import Finding, Severity

MB = 1_000_000


def examined(**facts: object) -> Examination:
    with scene() as s:
        return s.source("redis").sessions(50).facts(**facts).examine()


def found(said: Examination, slug: str) -> Finding | None:
    return next((f for f in said.findings if f.slug == slug), None)


@pytest.mark.parametrize(
    ("resident", "severity"), [(10 * MB, Severity.INFO), (600 * MB, Severity.WARNING), (950 * MB, Severity.CRITICAL)]
)
def test_without_a_limit_the_machine_decides_how_bad_it_is(resident: int, severity: Severity) -> None:
    finding = found(examined(maxmemory=0, used_memory_rss=resident, total_system_memory=1000 * MB), "memory/no-limit")
    assert finding is not None
    assert finding.severity is severity


def test_a_limit_is_a_limit() -> None:
    assert cleared(examined(maxmemory=64 * MB))["memory/no-limit"] == "store a: maxmemory is 64 MB"


def test_a_server_that_lies_on_disk_is_told_so() -> None:
    host = {"host__memory_total": 1000 * MB, "host__memory_available": 20 * MB, "host__server_swapped": 200 * MB,
            "host__neighbours": 1, "host__neighbours_resident": 500 * MB}  # fmt: skip
    finding = found(examined(used_memory_rss=300 * MB, **host), "memory/shared-host")
    assert finding is not None
    assert finding.severity is Severity.CRITICAL
    assert finding.title == "Store a is swapped out: 200 MB of 500 MB lie on disk"


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


@pytest.mark.parametrize(("used", "resident", "ill"), [(400, 800, True), (4, 12, False), (400, 500, False)])
def test_fragmentation_counts_bytes_as_well_as_the_ratio(used: int, resident: int, ill: bool) -> None:
    said = examined(used_memory=used * MB, used_memory_rss=resident * MB)
    assert (found(said, "memory/fragmentation") is not None) is ill
    assert ("memory/fragmentation" in cleared(said)) is not ill


def test_a_save_needs_room_only_where_something_forks() -> None:
    tight = {"used_memory_rss": 700 * MB, "host__memory_available": 200 * MB}
    assert found(examined(**tight, config__save="300 10"), "memory/fork-headroom") is not None
    assert "never forks" in cleared(examined(**tight, config__save=""))["memory/fork-headroom"]
    assert (
        found(examined(**{**tight, "host__memory_available": 900 * MB}, config__save="300 10"), "memory/fork-headroom")
        is None
    )


def test_evicted_sessions_are_people_logged_out() -> None:
    finding = found(
        examined(maxmemory=64 * MB, maxmemory_policy="volatile-ttl", evicted_keys=2930, uptime_in_seconds=864_000),
        "memory/eviction-logs-users-out",
    )
    assert finding is not None
    assert finding.severity is Severity.CRITICAL
    assert finding.title == "Store a has evicted 2,930 keys in 10 days (volatile-ttl)"


def test_a_policy_that_has_evicted_nothing_yet_is_worth_knowing() -> None:
    finding = found(examined(maxmemory=64 * MB, maxmemory_policy="allkeys-lru"), "memory/eviction-logs-users-out")
    assert finding is not None
    assert finding.severity is Severity.INFO
    said = examined(maxmemory=64 * MB, maxmemory_policy="noeviction")
    assert "noeviction" in cleared(said)["memory/eviction-logs-users-out"]
