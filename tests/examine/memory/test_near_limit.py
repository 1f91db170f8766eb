from __future__ import annotations

import pytest

from examine.cases import cleared, scene
from necropsy.examine.interface import Examination
from necropsy.model.finding import Severity

SLUG = "memory/near-limit"
MB = 1_000_000


def examined(**facts: object) -> Examination:
    with scene() as s:
        return s.source("redis").sessions(50).facts(**facts).examine()


def test_a_full_store_that_evicts_nothing_refuses_every_write() -> None:
    said = examined(used_memory=64 * MB, maxmemory=64 * MB, maxmemory_policy="noeviction", errorstat_OOM=12)
    (finding,) = (f for f in said.findings if f.slug == SLUG)
    assert finding.title == "Store a refuses every write: 64 MB of 64 MB, noeviction"
    assert finding.severity is Severity.CRITICAL
    assert "12 commands" in finding.text


def test_what_is_not_counted_against_the_limit_is_not() -> None:
    said = examined(used_memory=64 * MB, mem_not_counted_for_evict=30 * MB, maxmemory=64 * MB)
    assert cleared(said)[SLUG] == "store a: 34 MB of 64 MB in use (53 %)"


def test_a_full_replica_that_counts_no_evictions_refuses_nothing() -> None:
    """Its master evicts, and the replica takes what comes."""
    said = examined(used_memory=64 * MB, maxmemory=64 * MB, maxmemory_policy="allkeys-lru", role="slave")
    (finding,) = (f for f in said.findings if f.slug == SLUG)
    assert (finding.severity, "refuses" in finding.title) == (Severity.WARNING, False)


def test_a_full_store_that_evicts_does_not_refuse() -> None:
    said = examined(used_memory=64 * MB, maxmemory=64 * MB, maxmemory_policy="allkeys-lru", evicted_keys=500)
    (finding,) = (f for f in said.findings if f.slug == SLUG)
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(("limit", "found"), [("40000000", True), ("400000000", False)])
def test_of_a_dump_the_limit_that_was_named_decides(limit: str, found: bool) -> None:
    with scene() as s:
        s.source("rdb").sessions(50)
        s.rows(
            "server_fact",
            *({"store": "a", "name": n, "value": v} for n, v in (("used-mem", "38000000"), ("memory-limit", limit))),
        )
        said = s.examine()
    assert bool([f for f in said.findings if f.slug == SLUG]) is found
    assert (SLUG in cleared(said)) is not found


def test_of_a_dump_without_a_limit_nothing_is_said_to_be_fine() -> None:
    with scene() as s:
        s.source("rdb").sessions(50).rows("server_fact", {"store": "a", "name": "used-mem", "value": "38000000"})
        said = s.examine()
    assert SLUG not in cleared(said)
    assert "--memory-limit" in next(u.hint for u in said.unexamined if u.slug == SLUG)


def test_each_node_of_a_cluster_has_a_limit_of_its_own() -> None:
    node = {"redis_version": "7.2.4", "maxmemory": 64 * MB}
    facts = {f"n1/{k}": v for k, v in {**node, "used_memory": MB}.items()}
    facts |= {f"n2/{k}": v for k, v in {**node, "used_memory": 64 * MB}.items()}
    with scene() as s:
        s.source("redis").sessions(50).case.append(
            "server_fact",
            [
                {"store": "a", "name": k, "value": str(v)}
                for k, v in {**facts, "nodes": 2, "redis_version": "7.2.4"}.items()
            ],
        )
        said = s.examine()
    assert [f.title for f in said.findings if f.slug == SLUG] == [
        "Store a, node n2 refuses every write: 64 MB of 64 MB"
    ]
