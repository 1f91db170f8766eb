from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution.trains import find_trains


def _ticks(period_s: float, phase_s: float, count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.arange(count) * period_s + phase_s + random.lognormal(1.2, 0.5, count) / 1000


def _dust(count: int, span_s: float = 86_400.0, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, span_s, count)


def _born(*parts: np.ndarray) -> np.ndarray:
    return np.sort(np.round(np.concatenate(parts), 3))


@pytest.mark.parametrize("period_s", [5.0, 10.0, 15.0, 30.0, 60.0])
def test_probers_of_one_period_are_told_apart_by_phase(period_s: float) -> None:
    count = int(86_400 / period_s)
    phases = [0.13, 0.31, 0.62, 0.94]
    born = _born(*[_ticks(period_s, period_s * phase, count, n) for n, phase in enumerate(phases)], _dust(800))
    found = find_trains(born, ())
    assert [train.period_s for train in found] == [period_s] * 4
    assert [train.births.size for train in found] == pytest.approx([count] * 4, rel=0.02)


def test_no_birth_is_in_two_trains() -> None:
    born = _born(*[_ticks(10, phase, 8_640, seed) for seed, phase in enumerate((1.0, 1.004, 6.0, 8.5))], _dust(2_000))
    taken = np.concatenate([train.births for train in find_trains(born, ())])
    assert np.unique(taken).size == taken.size


def test_people_are_no_train() -> None:
    assert find_trains(_born(_dust(25_000)), ()) == []


def test_probers_that_share_a_phase_are_counted() -> None:
    born = _born(*[_ticks(10, phase, 4_000, seed) for seed, phase in enumerate((4.2, 4.21, 4.212))], _dust(800))
    assert [train.members for train in find_trains(born, ())] == [3]


def test_half_of_the_births_are_enough_when_chance_took_the_rest() -> None:
    random = np.random.default_rng(3)
    trains = [_ticks(10, phase, 8_640, seed) for seed, phase in enumerate((4.2, 7.1))]
    born = _born(*[train[random.random(train.size) < 0.4] for train in trains], _dust(300))
    found = find_trains(born, ())
    assert [train.period_s for train in found] == [10.0, 10.0]
    assert [train.ticks.fullness for train in found] == pytest.approx([0.4, 0.4], abs=0.03)


def test_two_probers_half_a_period_apart_are_not_one_of_half_the_period() -> None:
    born = _born(_ticks(10, 2.0, 8_640, 1), _ticks(10, 7.006, 8_640, 2), _dust(300))
    assert [train.period_s for train in find_trains(born, ())] == [10.0, 10.0]


def test_a_check_with_jitter_of_seconds_is_one_train() -> None:
    random = np.random.default_rng(8)
    born = _born(60 * np.arange(1_440) + 13 + random.uniform(-1.5, 1.5, 1_440), _dust(2_000))
    (train,) = find_trains(born, ())
    assert train.period_s == 60.0
    assert train.births.size * train.purity == pytest.approx(1_440, rel=0.05)


def test_machines_that_start_by_the_clock_are_a_crowd() -> None:
    random = np.random.default_rng(8)
    born = _born(*[300 * np.arange(288) + 2 + random.uniform(0, 3, 288) for _ in range(20)], _dust(2_000))
    (train,) = find_trains(born, ())
    assert (train.period_s, train.members) == (300.0, 20)


def test_a_tick_with_two_births_has_one_of_the_prober() -> None:
    ticks = np.arange(0, 3_000, 10.0) + 2.0
    beside = ticks[::50] + 0.002
    (train,) = find_trains(np.sort(np.concatenate([ticks, beside])), ())
    at = np.sort(np.concatenate([ticks, beside]))[train.births]
    likely = train.likely(at)
    assert likely.size == train.births.size
    assert likely.sum() == pytest.approx(300, abs=1)
    assert np.unique(likely.round(3)).tolist() == [0.5, 1.0]


@pytest.mark.parametrize("beside", [True, False])
def test_two_halves_beside_a_whole_train_are_one_prober_as_well(beside: bool) -> None:
    # Thirty ticks each: too few to tell ten seconds from twice twenty, but for the neighbours.
    late = _ticks(10, 4.2, 60, 3)
    late[1::2] += 0.006
    born = _born(late, *([_ticks(10, 7.1, 360, 4)] if beside else []), _dust(40, 3_600.0))
    periods = sorted(train.period_s for train in find_trains(born, ()))
    assert periods == ([10.0, 10.0] if beside else [20.0, 20.0])


def test_two_pods_half_a_period_apart_are_two_whatever_was_there_before_them() -> None:
    before = _ticks(5, 3.6, 60, 3)
    pods = [_ticks(10, phase, 216, seed) + 1_200.0 for seed, phase in enumerate((3.646, 8.650))]
    periods = sorted(train.period_s for train in find_trains(_born(before, *pods, _dust(100, 3_400.0)), ()))
    assert periods == [5.0, 10.0, 10.0]


@pytest.mark.parametrize("seed", [4, 8, 10])
def test_births_of_dust_do_not_lengthen_a_pods_time(seed: int) -> None:
    pods = [_ticks(10, 1.878, 102, 3) + 4_600, _ticks(10, 3.58, 102, 4) + 4_600, _ticks(10, 7.2, 273, 6) + 5_630]
    found = find_trains(_born(*pods, _dust(6_000, span_s=8_400.0, seed=seed)), (20.0, 30.0))
    assert [train.period_s for train in found] == [10.0] * 3
    assert [train.births.size for train in found] == pytest.approx([273, 102, 102], abs=5)
    assert all(train.ticks.fullness > 0.95 for train in found)
