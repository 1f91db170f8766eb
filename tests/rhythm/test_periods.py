"""Rhythm: which classes of visits come at a fixed interval."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from necropsy.rhythm import periods
from plain_python import module_at

DAY = 1_558_656_000  # 2019-05-24 00:00 UTC


def judged(*classes, whole=True, **options):
    """Find the rhythms of classes given as arrays of seconds since DAY."""
    times = np.concatenate(classes) + DAY
    times = np.floor(times) if whole else np.round(times, 3)
    owner = np.repeat(np.arange(len(classes)), [c.size for c in classes])
    return periods.find(owner, (times * 1e6).round().astype(np.int64), **options)


def ticker(period, phase, span=3600.0, jitter=0.0005, seed=1):
    times = np.arange(phase, span, period)
    return times + np.random.default_rng(seed).normal(0, jitter, times.size)


def people(seed, span=3600.0):
    chance = np.random.default_rng(seed)
    begins = chance.uniform(0, span, chance.integers(2, 40))
    return np.concatenate([b + np.cumsum(chance.exponential(8, chance.integers(1, 20))) for b in begins])


@pytest.mark.parametrize("period", [3, 5, 10, 15, 30, 60, 300])
def test_a_prober_is_found_with_its_period_and_phase(period) -> None:
    found = judged(ticker(period, 2.3, span=period * 200))
    assert found.period_s.tolist() == [period]
    assert found.phase_s[0] == 2.5  # a log of whole seconds says 2, which is the middle of [2, 3)
    assert found.phase_spread_s[0] == pytest.approx(1 / 12**0.5, abs=0.01)
    assert found.coverage[0] == 1.0


def test_a_clock_of_milliseconds_gives_the_phase_to_milliseconds() -> None:
    found = judged(ticker(10, 4.234), whole=False)
    assert found.period_s.tolist() == [10.0]
    assert found.phase_s[0] == pytest.approx(4.234, abs=0.001)
    assert found.phase_spread_s[0] < 0.002


@pytest.mark.parametrize("phase", [0.0, 9.9999])
def test_a_phase_at_the_turn_of_the_period_does_not_tear_the_prober_apart(phase) -> None:
    found = judged(ticker(10, phase, jitter=0.2), whole=False)
    assert found.period_s.tolist() == [10.0]
    distance = (found.phase_s[0] - phase + 5) % 10 - 5
    assert abs(distance) < 0.1


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_missing_visits_lower_the_coverage_and_nothing_else(share) -> None:
    times = ticker(10, 7.0)
    times = times[np.random.default_rng(3).random(times.size) >= share]
    found = judged(times)
    assert found.period_s.tolist() == [10.0]
    assert found.coverage[0] == pytest.approx(1 - share, abs=0.08)


def test_jitter_of_five_per_cent_widens_the_spread() -> None:
    found = judged(ticker(60, 30.0, jitter=3.0))
    assert found.period_s.tolist() == [60.0]
    assert found.phase_s[0] == pytest.approx(30.5, abs=1.5)
    assert found.phase_spread_s[0] == pytest.approx(3.0, rel=0.3)


def test_jitter_of_twenty_per_cent_is_still_a_rhythm() -> None:
    found = judged(ticker(10, 5.0, jitter=2.0))
    assert found.period_s.tolist() == [10.0]


def test_two_probers_under_one_key_have_the_period_of_one() -> None:
    found = judged(np.concatenate([ticker(10, 1.2), ticker(10, 4.6)]))
    assert found.period_s.tolist() == [10.0]
    assert found.coverage[0] == 1.0


def test_a_prober_hidden_in_as_many_people_is_found() -> None:
    noise = people(5)[:360]
    found = judged(np.concatenate([ticker(10, 6.4), noise]))
    assert found.period_s.tolist() == [10.0]
    assert found.phase_s[0] == pytest.approx(6.5, abs=0.6)


def test_a_log_with_gaps_is_still_a_rhythm() -> None:
    times = ticker(15, 3.0)
    found = judged(times[(times < 900) | ((times > 1500) & (times < 2400)) | (times > 2900)])
    assert found.period_s.tolist() == [15.0]
    assert 0.6 < found.coverage[0] < 0.8


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("period", "phases"), [(10, (2.3,)), (10, (2.3, 5.4)), (30, (1.2, 9.1, 14.3)), (60, (3, 21, 47))]
)
def test_probers_that_are_interleaved_under_one_key_are_counted(period, phases, whole) -> None:
    classes = np.sort(np.concatenate([ticker(period, phase, seed=seed) for seed, phase in enumerate(phases)]))
    found = judged(classes, whole=whole)
    assert (found.period_s.tolist(), found.probers.tolist()) == ([period], [len(phases)])


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("phases", [(1.2, 4.1, 8.3), (1.1, 4.2, 7.5), (0.5, 4.4, 7.2), (1.1, 4.5, 7.8)])
def test_three_that_take_turns_almost_evenly_are_no_quicker_one(phases, whole) -> None:
    classes = np.sort(np.concatenate([ticker(10, phase, seed=seed) for seed, phase in enumerate(phases)]))
    found = judged(classes, whole=whole)
    assert (found.period_s.tolist(), found.probers.tolist()) == ([10.0], [3])
    assert np.isfinite(found.phase_s[0])


@settings(max_examples=40)
@given(
    st.sampled_from([2.5, 3, 5, 7.5, 10, 15]),
    st.floats(0.0, 0.2),
    st.sampled_from([0.0, 0.01, 0.05, 0.2]),
    st.booleans(),
    st.integers(0, 1 << 16),
)
def test_one_that_waits_after_each_answer_does_not_become_several(period, phase, jitter, whole, seed) -> None:
    chance = np.random.default_rng(seed)
    gaps = period + np.abs(chance.normal(0, max(jitter * period, 0.003), 600))
    found = judged(phase + np.cumsum(gaps), whole=whole)
    assert np.all(found.period_s <= 1.35 * period)


def test_people_and_missing_visits_are_no_further_probers() -> None:
    chance = np.random.default_rng(5)
    noisy = np.sort(np.concatenate([ticker(10, 4.2), chance.uniform(0, 3600, 360)]))
    human = np.sort(np.concatenate([ticker(10, 4.2), people(3)]))
    half = ticker(10, 4.2)[chance.random(360) < 0.5]
    jittering = ticker(10, 4.2, jitter=2.0)
    border = ticker(10, 9.9999)
    assert judged(noisy, human, half, jittering, border).probers.tolist() == [1] * 5


def test_a_timer_that_starts_anew_after_each_answer_has_a_period_and_no_phase() -> None:
    chance = np.random.default_rng(8)
    found = judged(np.cumsum(10 + np.abs(chance.normal(0, 0.8, 2000))))
    assert found.period_s[0] == pytest.approx(10.6, abs=0.5)
    assert np.isnan(found.phase_s[0])
    assert np.isnan(found.phase_spread_s[0])


def test_a_timer_that_drifts_by_milliseconds_has_the_period_that_it_has() -> None:
    found = judged(10.0013 * np.arange(8000), whole=False)
    assert found.period_s[0] == pytest.approx(10.0013, abs=0.0005)


def test_five_exact_gaps_are_enough_where_few_are_asked_and_too_few_where_many_are() -> None:
    times = 34.0 + 10 * np.arange(6)
    assert judged(times).period_s.tolist() == [10.0]
    assert judged(times, among=1_000_000).period_s.tolist() == []


def test_people_and_crawlers_are_no_probers() -> None:
    chance = np.random.default_rng(11)
    bursts = [people(seed) for seed in range(700)]
    poisson = [np.sort(chance.uniform(0, 3600, chance.integers(5, 700))) for _ in range(700)]
    crawlers = [
        np.cumsum(chance.gamma(shape, chance.uniform(2, 30) / shape, 120)) for shape in chance.uniform(1, 4, 700)
    ]
    assert judged(*bursts, *poisson, *crawlers).class_id.size == 0


@pytest.fixture
def controls() -> ModuleType:
    """The benchmark's measure."""
    return module_at(Path(__file__).parents[2] / "bench" / "rhythm" / "controls.py", "controls")


@pytest.mark.checkout
def test_a_control_has_the_gaps_of_its_class_in_another_order(controls: ModuleType) -> None:
    classes = [np.sort(people(seed)) for seed in range(30)]
    owner = np.repeat(np.arange(30) * 7, [times.size for times in classes])
    moments = (np.concatenate(classes) * 1e6).astype(np.int64)
    mixed = np.random.default_rng(1).permutation(owner.size)
    number, moved = controls.shuffled((owner[mixed], moments[mixed]), np.random.default_rng(2))
    assert number.tolist() == owner.tolist()
    for one in range(30):
        before, after = moments[owner == one * 7], moved[owner == one * 7]
        assert (before[0], before[-1]) == (after[0], after[-1])
        assert sorted(np.diff(before)) == sorted(np.diff(after))
        assert np.diff(before).tolist() != np.diff(after).tolist()


@pytest.mark.checkout
def test_of_shuffled_controls_none_is_called_a_clock_but_what_stays_one_is(controls: ModuleType) -> None:
    classes = [people(seed) for seed in range(300)] + [ticker(10, 3.0)]
    owner = np.repeat(np.arange(301), [times.size for times in classes])
    moments = ((np.concatenate(classes) + DAY) * 1e6).astype(np.int64)
    assert controls.false_positives((owner, moments), 301, 5, 3) == (1, 1500, 0)
    # The measure is able to say otherwise: equal gaps are a clock in any order.
    assert periods.find(*controls.shuffled((owner, moments), np.random.default_rng(4))).class_id.tolist() == [300]


def test_probers_among_people_keep_their_numbers() -> None:
    classes = [people(seed) for seed in range(50)]
    classes[17] = ticker(30, 11.0)
    classes[31] = ticker(5, 2.0)
    found = judged(*classes)
    assert found.class_id.tolist() == [17, 31] or sorted(found.class_id.tolist()) == [17, 31]
    assert dict(zip(found.class_id.tolist(), found.period_s.tolist(), strict=True)) == {17: 30.0, 31: 5.0}


def test_more_visits_than_one_batch_holds_are_judged_the_same(monkeypatch) -> None:
    classes = [ticker(10, phase / 7, seed=phase) for phase in range(40)]
    whole = judged(*classes)
    monkeypatch.setattr(periods, "_BATCH", 1000)
    parts = judged(*classes)
    assert parts.class_id.tolist() == whole.class_id.tolist() == list(range(40))
    assert np.allclose(parts.phase_s, whole.phase_s, atol=1e-6)


def test_nothing_comes_of_nothing() -> None:
    empty = np.empty(0, np.int64)
    assert periods.find(empty, empty).class_id.size == 0
    assert periods.find(np.zeros(4, np.int64), np.arange(4) * 10_000_000).class_id.size == 0


@settings(max_examples=30)
@given(
    period=st.integers(3, 600),
    phase=st.floats(0.0001, 0.9999),
    visits=st.integers(100, 400),
    missing=st.floats(0, 0.25),
    seed=st.integers(0, 10_000),
)
def test_any_whole_period_is_found_whatever_its_phase(period, phase, visits, missing, seed) -> None:
    # Of thirty turns with a third missing, chance leaves out every other one now and then: that is twice the period.
    assume(round((period * phase + 0.0013) % 1, 3) % 1)
    chance = np.random.default_rng(seed)
    times = period * (np.arange(visits) + phase) + 0.0013  # whole seconds would mean their middle
    times = times[chance.random(visits) >= missing]
    found = judged(times, whole=False)
    assert found.period_s.tolist() == [period]
    distance = (found.phase_s[0] - (DAY + period * phase) + period / 2) % period - period / 2
    assert abs(distance) < 0.01


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4_000_000_000_000_000)), max_size=60),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_visits_does_not_matter_and_nothing_breaks(visits, shuffle) -> None:
    mixed = visits[:]
    shuffle.shuffle(mixed)
    a, b = (
        periods.judge(np.array([c for c, _ in v], np.int64), np.array([t for _, t in v], np.int64))
        for v in (visits, mixed)
    )
    assert a.class_id.tolist() == b.class_id.tolist()
    assert np.array_equal(a.score, b.score)
    assert np.array_equal(a.period_s, b.period_s, equal_nan=True)
    assert np.all(a.score >= 0)
    assert np.all((a.coverage >= 0) & (a.coverage <= 1) | np.isnan(a.coverage))
