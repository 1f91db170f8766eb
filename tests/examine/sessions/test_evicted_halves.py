from __future__ import annotations

import pytest

from examine.cases import cleared, scene

SLUG = "sessions/evicted-halves"


def test_sessions_without_their_marker_are_the_trace_of_an_eviction() -> None:
    with scene() as s:
        said = s.source("rdb").sessions(3070).sessions(2930, keys=1).examine()
    (finding,) = (f for f in said.findings if f.slug == SLUG)
    assert finding.title == "2,930 of 6,000 sessions in store a have lost one of their two keys"
    assert finding.severity == "critical"


def test_a_live_server_s_policy_makes_it_certain() -> None:
    with scene() as s:
        s.source("redis").sessions(3070).sessions(2930, keys=1).facts(maxmemory_policy="volatile-ttl")
        (finding,) = (f for f in s.examine().findings if f.slug == SLUG)
    assert finding.confidence == "high"
    assert "volatile-ttl" in finding.text


@pytest.mark.parametrize(
    "columns",
    [{"layout": "spring", "keys": 1}, {"keys": 1, "state": "grace"}, {"keys": 1, "lifetime_s": -1, "expires_at": None}],
)
def test_what_has_one_key_by_design_has_lost_none(columns: dict[str, object]) -> None:
    with scene() as s:
        said = s.source("rdb").sessions(100).sessions(100, **columns).examine()
    assert SLUG in cleared(said)
