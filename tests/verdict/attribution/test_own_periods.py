"""Trains whose period is on no list of usual intervals: the births show it."""

from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution import attribute
from necropsy.verdict.attribution.own_periods import own_periods
from verdict.incidents import DAY_S, Incident


def births(*periods_s: float, dust: int = 2_000, jitter_s: float = 0.01) -> np.ndarray:
    random = np.random.default_rng(7)
    trains = [np.arange(3.1 + 2.3 * n, DAY_S, period) for n, period in enumerate(periods_s)]
    ticks = [train + random.uniform(0, jitter_s, train.size) for train in trains]
    return np.sort(np.concatenate([random.uniform(0, DAY_S, dust), *ticks]))


def test_a_period_is_found_in_the_births() -> None:
    assert own_periods(births(7.0), 0.001, ())[0] == 7.0
    assert {8.0, 15.0} <= set(own_periods(births(8.0, 15.0), 0.001, ()))
    assert own_periods(np.floor(births(9.0)), 1.0, ())[0] == 9.0


def test_what_is_known_and_what_comes_by_chance_is_no_period() -> None:
    assert own_periods(births(10.0), 0.001, (10.0,)) == []
    assert own_periods(births(dust=20_000), 0.001, ()) == []
    assert own_periods(np.asarray([1.0, 2.0]), 0.001, ()) == []


def test_a_multiple_of_an_interval_that_is_no_whole_number_is_no_period() -> None:
    waits = np.cumsum(np.random.default_rng(8).normal(7.18, 0.002, 4_000))
    assert [period for period in own_periods(waits, 0.001, ()) if period > 100] == []


@pytest.mark.parametrize("period_s", [7.0, 8.0, 25.0, 40.0, 75.0])
def test_a_hidden_prober_of_an_unusual_interval_is_one(period_s: float) -> None:
    scene = Incident(86)
    scene.people(400)
    scene.prober("seen", 15.0, agent="Blackbox")
    scene.prober("hidden", period_s, logged=False, jitter_s=0.01)
    known, around, share = scene.build()
    (hidden,) = [claim for claim in attribute([known], around).claims if claim.creator == "unlogged"]
    assert hidden.period_s == period_s
    assert hidden.births / known.total == pytest.approx(share["hidden"], abs=0.02)


@pytest.mark.parametrize("period_s", [7.0, 25.0])
def test_a_hidden_check_that_waits_an_unusual_time_after_each_answer_is_found(period_s: float) -> None:
    scene = Incident(87)
    scene.people(300)
    scene.prober("seen", 20.0, agent="Blackbox")
    scene.prober("hidden", period_s, logged=False, jitter_s=0.002, drift_s=0.02)
    known, around, share = scene.build()
    (hidden,) = [claim for claim in attribute([known], around).claims if claim.creator == "unlogged"]
    assert hidden.period_s == pytest.approx(period_s + 0.02, abs=0.005)
    assert hidden.births / known.total == pytest.approx(share["hidden"], abs=0.02)
