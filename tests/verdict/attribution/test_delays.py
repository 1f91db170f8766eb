"""When births follow the visits of a log."""

from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution import delays


def test_the_window_of_a_log_of_whole_seconds_is_no_narrower_than_a_second() -> None:
    random = np.random.default_rng(3)
    ticks = np.cumsum(random.normal(0.76, 0.04, 2_000))  # a client that never pauses, which the visits are not
    visits = np.floor(np.sort(random.uniform(0, ticks[-1], 600)))
    learnt = delays.learn(visits, ticks, 1.0, times_are_starts=False, birth_resolution_s=0.0)
    assert learnt.high_s - learnt.low_s >= 1.0


def test_the_window_is_where_births_exceed_chance() -> None:
    random = np.random.default_rng(4)
    visits = np.sort(random.uniform(0, 9_000, 900))
    births = np.sort(np.concatenate([visits - 0.03, random.uniform(0, 9_000, 500)]))
    learnt = delays.learn(visits, births, 0.001, times_are_starts=False, birth_resolution_s=0.0)
    assert learnt.low_s < -0.03 < learnt.high_s
    assert learnt.high_s - learnt.low_s < 0.2
    assert learnt.learnt_from == pytest.approx(900, rel=0.1)


def test_the_window_of_a_burst_is_no_wider_than_its_answers_take() -> None:
    random = np.random.default_rng(5)
    burst = np.sort(random.uniform(50_000, 50_600, 6_000))  # ten a second: every delay holds more births than chance
    people = np.sort(random.uniform(0, 100_000, 500))
    births = np.sort(np.concatenate([burst, people])) + 0.02
    visits = np.floor(np.sort(np.concatenate([burst, people])))
    learnt = delays.learn(visits, births, 1.0, times_are_starts=False, birth_resolution_s=0.0)
    assert learnt.low_s < 0.0
    assert learnt.high_s > 1.0
    assert learnt.high_s - learnt.low_s < 2.0


@pytest.mark.parametrize("seed", [0, 3, 6, 11])
def test_of_few_births_the_window_of_a_cut_time_holds_nearly_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    at = np.sort(random.uniform(0, 9_000, 120))[: 40 + seed]
    births = at + random.lognormal(-3.5, 1.0, at.size)
    visits = np.floor(at + 0.45) - 1.0  # the clock is half a second off, after a correction by whole seconds
    learnt = delays.learn(visits, births, 1.0, times_are_starts=False, birth_resolution_s=0.0)
    apart = births - visits
    assert ((apart >= learnt.low_s) & (apart <= learnt.high_s)).mean() > 0.96
    assert learnt.high_s - learnt.low_s < 2.4


@pytest.mark.parametrize("seed", range(6))
def test_the_window_is_a_whole_second_also_where_the_clock_is_seconds_off(seed: int) -> None:
    random = np.random.default_rng(seed)
    people = np.sort(random.uniform(0, 2_700, 600))
    pages = np.sort(random.uniform(0, 2_700, 2_000))  # those that start no session hide the ends of the window
    checks = np.arange(0.2, 2_700, 1.0003)
    births = np.sort(np.concatenate([people, checks]))
    visits = np.sort(np.floor(np.concatenate([people, pages]) + 3.393))
    learnt = delays.learn(visits, births, 1.0, times_are_starts=False, birth_resolution_s=0.0)
    apart = people - np.floor(people + 3.393)
    assert ((apart >= learnt.low_s) & (apart <= learnt.high_s)).mean() > 0.96
    assert learnt.high_s - learnt.low_s < 1.6
