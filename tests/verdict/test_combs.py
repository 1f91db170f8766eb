from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from necropsy.verdict import parts
from necropsy.verdict.combs import all_combs, circular_distance, find_combs

from .scenes import comb, dust


def test_four_targets_at_one_interval_are_four_combs() -> None:
    phases = (1_234, 4_018, 4_900, 9_996)
    born = np.concatenate([comb(p, seed=p) for p in phases] + [dust(700)])
    found = find_combs(born, 10.0)
    assert len(found) == 4
    assert sorted(round(c.phase_s, 1) % 10 for c in found) == [0.0, 1.2, 4.0, 4.9]
    for each in found:
        assert 8_600 < each.births < 8_660
        assert each.births_low <= each.births <= each.births_high
        assert each.occupancy > 0.99


@pytest.mark.parametrize("keep", [0.5, 0.8])
def test_a_comb_with_missing_teeth_is_found_with_its_occupancy(keep: float) -> None:
    found = find_combs(np.concatenate([comb(2_500, keep=keep), dust(2_000)]), 10.0)
    assert len(found) == 1
    assert found[0].occupancy == pytest.approx(keep, abs=0.03)


def test_two_targets_on_one_phase_count_as_two() -> None:
    born = np.concatenate([comb(2_500, seed=1), comb(2_503, seed=2)])
    (found,) = find_combs(born, 10.0)
    assert found.targets == 2


def test_people_alone_are_no_comb() -> None:
    for seed in range(5):
        assert all_combs(dust(20_000, seed=seed), (10.0,)) == []


def test_without_configuration_the_period_is_found_and_not_its_half_or_double() -> None:
    found = all_combs(np.concatenate([comb(3_300, period_ms=15_000, count=5_760), dust(500)]))
    assert [c.period_s for c, _ in found] == [15.0]


def test_births_known_to_the_second_still_form_combs() -> None:
    born = np.concatenate([comb(1_200), dust(300)]) // 1000 * 1000
    found = all_combs(born, (10.0,), resolution_s=1.0)
    assert len(found) == 1
    assert found[0][0].births == pytest.approx(8_640, rel=0.02)


def test_each_birth_belongs_to_at_most_one_comb() -> None:
    born = np.concatenate(
        [comb(1_000), comb(5_000, seed=3), comb(100, period_ms=15_000, count=5_760, seed=4), dust(100)]
    )
    found = all_combs(born, (10.0, 15.0))
    assert np.sum([mask for _, mask in found], axis=0).max() == 1


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0.1, 1e3))
@settings(max_examples=200, deadline=None)
def test_circular_distance_is_symmetric_and_at_most_half_a_period(a: float, b: float, period: float) -> None:
    distance = circular_distance(a, b, period)
    assert distance == pytest.approx(circular_distance(b, a, period))
    assert 0 <= distance <= period / 2 + 1e-9


@given(st.lists(st.integers(0, 2**41), max_size=60), st.sampled_from([1.0, 10.0, 60.0]))
@settings(max_examples=100, deadline=None)
def test_no_births_whatsoever_break_the_search(born: list[int], period: float) -> None:
    for found in find_combs(np.asarray(born, dtype=np.int64), period):
        assert 0 <= found.births <= len(born)
        assert 0 < found.occupancy <= 1


@pytest.mark.parametrize("coverage", [0.5, 0.1])
@pytest.mark.parametrize("configured", [(), (10.0,)])
def test_half_of_a_dump_still_shows_whose_births_it_holds(coverage: float, configured: tuple[float, ...]) -> None:
    teeth = [comb(2_500, seed=1), comb(2_502, seed=2), comb(7_100, seed=3)]
    born = np.concatenate([*teeth, dust(300)])
    kept = np.random.default_rng(7).random(born.size) < coverage
    found = [each for each, _ in all_combs(born[kept], configured, coverage=coverage)]
    assert [(c.period_s, c.targets) for c in found] == [(10.0, 2), (10.0, 1)]
    for each in found:
        assert each.occupancy * each.per_tick == pytest.approx(each.targets, rel=0.1)
    assert sum(each.births for each in found) == pytest.approx(3 * 8_640 * coverage, rel=0.1)


def test_a_burst_is_no_rhythm() -> None:
    burst = np.full(500, 1_558_724_300_123, dtype=np.int64)
    assert all_combs(np.concatenate([burst, dust(300)])) == []


@pytest.mark.parametrize("at_once", [1_000, 1 << 22])
def test_combs_of_a_million_births_are_counted_in_all_of_them_and_one_that_ended_long_ago_is_found(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "AT_ONCE", at_once)
    rng = np.random.default_rng(3)
    ticks = np.arange(0, 10_000_000, 10) * 1000 + 1_700_000_000_000
    lasting = np.concatenate([ticks + phase + rng.integers(0, 4, ticks.size) for phase in (1_000,)])
    ended = ticks[: ticks.size // 4] + 4_000 + rng.integers(0, 4, ticks.size // 4)
    people = rng.integers(ticks[0], ticks[-1], 100_000)
    births = np.sort(np.concatenate([lasting, ended, people]))
    found = all_combs(births)
    assert len(found) == 2
    for (each, mask), expected in zip(found, (lasting, ended), strict=True):
        assert each.period_s == 10
        assert (each.first_ms, each.last_ms) == (births[mask].min(), births[mask].max())
        assert abs(each.births - expected.size) < 0.01 * expected.size
        assert abs(int(mask.sum()) - expected.size) < 0.01 * expected.size
