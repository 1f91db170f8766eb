"""ProbedBirths beside a probe: blamed on it when chance is out of the question, and else not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.guard.prober.evidence import BORN, NONE, UNKNOWN, WindowCounts, chance, sessions_of


@pytest.mark.parametrize(
    ("windows", "verdict"),
    [
        (WindowCounts(6, 6, 6, 0), BORN),
        (WindowCounts(5, 5, 5, 0), UNKNOWN),
        (WindowCounts(6, 0, 6, 0), NONE),
        (WindowCounts(6, 0, 3, 0), UNKNOWN),
        (WindowCounts(40, 40, 40, 40), UNKNOWN),  # a store in which somebody is born all the time
        (WindowCounts(40, 20, 40, 0), UNKNOWN),  # not each time: somebody else's
        (WindowCounts(40, 40, 40, 20), BORN),
    ],
)
def test_a_verdict_needs_windows_of_both_kinds_and_no_chance(windows: WindowCounts, verdict: str) -> None:
    assert windows.verdict == verdict


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_chance_is_a_probability(probes: int, controls: int, data: st.DataObject) -> None:
    births, by_chance = data.draw(st.integers(0, probes)), data.draw(st.integers(0, controls))
    assert 0 < chance(WindowCounts(probes, births, controls, by_chance)) <= 1


def test_keys_that_are_no_sessions_are_none() -> None:
    assert sessions_of([b"sess:1732968000000000", b"cache:0f8b1c1e-77aa-4b0e-9d7a", b"session:index", b""]) == {}


@given(st.lists(st.binary(max_size=60)))
def test_any_key_is_read(keys: list[bytes]) -> None:
    for pattern in sessions_of(keys).values():
        assert len(pattern) <= 80
