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


def test_a_dump_that_breaks_off_says_nothing_of_halves() -> None:
    """The marker may lie in the part that is missing: nothing was evicted."""
    with scene() as s:
        said = s.source("rdb").sessions(30).sessions(600, keys=1).facts(**{"keys-announced": "70908"}).examine()
    assert [f.slug for f in said.findings if f.slug == SLUG] == []
    (unread,) = (one for one in said.unexamined if one.slug == SLUG)
    assert "of its dump could be read; give a complete one" in unread.hint
