"""Clocks of logs against the store's."""

from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution.clock import find_lag


def _bursts(seed: int, count: int = 8, each: int = 60) -> np.ndarray:
    """Visits in bursts of half a minute within a quarter of an hour."""
    random = np.random.default_rng(seed)
    return np.sort(np.concatenate([at + random.uniform(0, 30, each) for at in random.uniform(0, 900, count)]))


def test_a_log_whose_clock_is_an_hour_off_is_moved_by_an_hour() -> None:
    visits = np.sort(np.random.default_rng(1).uniform(0, 20_000, 800))
    lag = find_lag(visits + 3_600.0, visits + 0.05)
    assert lag is not None
    assert (lag.seconds, lag.is_sure) == (-3_600.0, True)


@pytest.mark.parametrize("seed", range(4))
def test_bursts_that_meet_at_some_distance_are_no_clock(seed: int) -> None:
    lag = find_lag(_bursts(seed), _bursts(seed + 100))
    assert lag is not None
    assert not lag.is_sure


def test_clocks_that_agree_are_left_alone() -> None:
    visits = _bursts(7)
    lag = find_lag(visits, visits + 0.05)
    assert lag is not None
    assert not lag.is_sure
    assert lag.agrees


@pytest.mark.parametrize("seed", [1, 2, 3, 6, 8, 9])
def test_a_few_births_that_meet_visits_by_luck_set_no_clock(seed: int) -> None:
    random = np.random.default_rng(seed)
    visits = np.sort(random.uniform(16_000, 34_000, 300))
    births = np.sort(random.uniform(0, 17_000, 60))  # most of them before the log begins
    lag = find_lag(visits, births)
    assert lag is not None
    assert not lag.is_sure


def test_forty_births_of_people_set_a_clock() -> None:
    visits = np.sort(np.random.default_rng(2).uniform(0, 9_000, 110))
    lag = find_lag(np.floor(visits + 7.45), visits[::3] + 0.02)
    assert lag is not None
    assert lag.is_sure
    assert lag.seconds in (-8.0, -7.0)
