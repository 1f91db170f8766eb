"""Births outside the logs' time."""

from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution.outside import Outside, edges

HOUR_S = 3_600.0


def _outside(
    people: np.ndarray, machine: np.ndarray, *, is_steady: bool = False, has_begun: bool = True
) -> tuple[Outside, int]:
    """The log covers the last of four hours; creator 0 is people, creator 1 a machine. Return how many births lie outside."""
    born = np.sort(np.concatenate([people, machine]))
    start, third = 3 * HOUR_S, HOUR_S / 3
    made, early, late = (
        np.asarray([((part >= low) & (part < high)).sum() for part in (people, machine)], float)
        for low, high in ((start, 4 * HOUR_S), (start, start + third), (4 * HOUR_S - third, 4 * HOUR_S))
    )
    outside = born[born < start]
    one = Outside(
        outside, born[born >= start], np.asarray([[start, 4 * HOUR_S]]), made, early, late,
        np.asarray([True, has_begun]), np.asarray([True, True]), np.asarray([False, is_steady]),
    )  # fmt: skip
    return one, outside.size


def _people(by_hour: tuple[int, ...]) -> np.ndarray:
    random = np.random.default_rng(5)
    return np.concatenate([random.uniform(n * HOUR_S, (n + 1) * HOUR_S, count) for n, count in enumerate(by_hour)])


def test_what_comes_at_an_interval_makes_as_many_births_by_night_as_by_day() -> None:
    machine = np.arange(0, 4 * HOUR_S, 10.0)
    outside, size = _outside(_people((20, 20, 20, 700)), machine, is_steady=True)
    assert size == 1_140
    assert outside.weights(1).sum() == pytest.approx(1_080, rel=0.03)
    low, high = outside.bounds(1)
    assert low < 1_080 < high


def test_others_have_the_proportions_of_the_log_and_an_interval_that_holds_day_and_night() -> None:
    machine = np.random.default_rng(6).uniform(0, 4 * HOUR_S, 1_600)
    outside, size = _outside(_people((100, 100, 100, 400)), machine)
    truth = int((machine < 3 * HOUR_S).sum())
    low, high = outside.bounds(1)
    assert outside.weights(1).sum() == pytest.approx(size / 2, rel=0.1)
    assert low < outside.weights(1).sum() < truth < high


def test_a_burst_that_began_within_the_log_has_no_births_before_it() -> None:
    burst = np.random.default_rng(7).uniform(3.4 * HOUR_S, 3.6 * HOUR_S, 500)
    outside, size = _outside(_people((200, 200, 200, 200)), burst, has_begun=False)
    assert outside.weights(1).sum() == 0.0
    assert outside.weights(0).sum() == pytest.approx(size, rel=0.1)


def test_somebody_without_a_pause_had_begun_after_the_log_and_is_over() -> None:
    burst = np.linspace(400, 500, 200)
    assert edges(burst, 0.0, 1_000.0) == (False, False)
    assert edges(np.linspace(0, 500, 200), 0.0, 1_000.0) == (True, False)
    assert edges(np.concatenate([burst, burst + 300]), 0.0, 1_000.0) == (True, True)
    assert edges(burst[:5], 0.0, 1_000.0) == (True, True)


def test_few_births_within_the_log_tell_nothing() -> None:
    outside, _ = _outside(_people((50, 50, 50, 5)), np.arange(3 * HOUR_S, 3.1 * HOUR_S, 60.0))
    assert not outside.tells
    assert outside.weights(0).sum() == 0.0
    assert outside.bounds(0) == (0.0, 0.0)
