from __future__ import annotations

from examine.cases import cleared
from examine.live_cases import MB, examined, found
from necropsy.model.finding import Severity


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


def test_a_replica_that_counts_nothing_clears_nobody() -> None:
    said = examined(maxmemory=64 * MB, maxmemory_policy="allkeys-lru", role="slave", evicted_keys=0)
    assert found(said, "memory/eviction-logs-users-out") is None
    (missing,) = [one for one in said.unexamined if one.slug == "memory/eviction-logs-users-out"]
    assert "needs the master" in missing.hint
