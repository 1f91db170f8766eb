"""Tickers as fast as the clock of the log."""

from __future__ import annotations

import numpy as np
import pytest

from necropsy.rhythm import periods


def whole_seconds(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    start = 1_707_127_200
    return np.zeros(times.size, np.int64), ((start + np.floor(times)) * 1e6).astype(np.int64)


@pytest.mark.parametrize("period", [0.5, 1.0, 1.04, 1.3, 1.5, 1.9, 2.2])
@pytest.mark.parametrize("jitter", [0.0, 0.1])
def test_a_ticker_as_fast_as_the_clock_has_its_period(period: float, jitter: float) -> None:
    noise = np.random.default_rng(5).uniform(0, jitter, 400)
    found = periods.find(*whole_seconds(0.3 + np.arange(400) * period + noise))
    assert found.period_s == pytest.approx([period], abs=0.01)
    assert found.coverage == pytest.approx([1.0], abs=0.02)
    assert found.probers.tolist() == [1]


def test_one_missing_tick_takes_no_rhythm_away() -> None:
    times = np.delete(0.3 + np.arange(300) * 1.04, 150)
    assert periods.find(*whole_seconds(times)).period_s == pytest.approx([1.04], abs=0.01)


@pytest.mark.process
@pytest.mark.parametrize("shape", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("gap", [0.3, 0.7, 1.0, 1.5, 2.4])
def test_who_comes_as_often_without_rhythm_has_none(gap: float, shape: float) -> None:
    chance = np.random.default_rng(7)
    for visits in (20, 60, 400):
        for _ in range(20):
            times = np.cumsum(chance.gamma(shape, gap / shape, visits))
            assert periods.find(*whole_seconds(times)).period_s.tolist() == []


def test_the_phase_of_a_ticker_of_two_seconds_is_still_told() -> None:
    found = periods.find(*whole_seconds(0.3 + np.arange(300) * 2.0))
    assert found.period_s.tolist() == [2.0]
    assert found.phase_s == pytest.approx([0.5])
