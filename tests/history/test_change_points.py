import numpy as np
import pytest

from necropsy.history.births import DerivedBirths
from necropsy.history.change_points import DAY_S, change_points, dispersion

START = 1_700_000_000.0 // DAY_S * DAY_S


def counted(rate_per_s, days, step, seed):
    at = START + np.arange(0, days * DAY_S, step)
    counts = np.random.default_rng(seed).poisson(np.broadcast_to(rate_per_s(at), at.shape) * step)
    return DerivedBirths(at, np.full(at.size, step), counts.astype(np.float64))


def office_hours(at):
    """Births a second of people: a smooth day with its peak at noon, by day a hundred an hour, at night few."""
    hour = (at % DAY_S) / 3_600
    return 100 / 3_600 * np.maximum(0.02, 1 - ((hour - 12) / 7) ** 2)


@pytest.mark.parametrize("seed", range(8))
def test_a_prober_that_is_switched_on_is_dated(seed: int) -> None:
    on = START + 2.3 * DAY_S + 77 * seed
    found = change_points(counted(lambda at: 5 / 3_600 + (at >= on) * 0.4, 5, 240.0, seed))

    assert len(found) == 1
    assert found[0].earliest_s <= on <= found[0].latest_s
    assert found[0].latest_s - found[0].earliest_s <= 3 * 240
    assert found[0].before_per_hour == pytest.approx(5, rel=0.5)
    assert found[0].after_per_hour == pytest.approx(1_445, rel=0.05)


@pytest.mark.parametrize("seed", range(8))
def test_what_comes_every_morning_is_no_change(seed: int) -> None:
    assert change_points(counted(office_hours, 9, 240.0, seed)) == []


def test_a_prober_among_people_is_found_at_every_hour_of_the_day() -> None:
    for hour in range(0, 24, 4):
        on = START + 5 * DAY_S + hour * 3_600
        found = change_points(counted(lambda at, on=on: office_hours(at) + (at >= on) * 0.1, 9, 240.0, hour))

        assert [abs(change.at_s - on) <= 600 for change in found] == [True], hour


def test_a_burst_has_a_start_and_an_end() -> None:
    on, off = START + 1.5 * DAY_S, START + 1.5 * DAY_S + 7_200
    found = change_points(counted(lambda at: 0.01 + ((at >= on) & (at < off)) * 0.5, 3, 120.0, 1))

    assert [round((change.at_s - START) / 600) for change in found] == [
        round((on - START) / 600),
        round((off - START) / 600),
    ]


def test_a_constant_rate_has_no_change() -> None:
    assert [change_points(counted(lambda at: 0.05, 4, 120.0, seed)) for seed in range(12)] == [[]] * 12


def test_slow_growth_has_no_change() -> None:
    assert change_points(counted(lambda at: 0.05 * (1 + (at - START) / (10 * DAY_S)), 10, 240.0, 3)) == []


def test_holes_and_interruptions_are_no_changes() -> None:
    births = counted(lambda at: 0.1, 3, 120.0, 5)
    births.births[500:620] = np.nan
    births.births[1_200] = np.nan

    assert change_points(births) == []


@pytest.mark.parametrize("hours", [1, 2, 4, 8])
@pytest.mark.parametrize("when", [0.1, 0.5, 0.9])
def test_a_change_that_nobody_measured_is_dated_no_closer_than_its_hole(hours: int, when: float) -> None:
    hole = START + 2 * DAY_S
    on = hole + when * hours * 3_600
    whole = counted(lambda at: 13 / 3_600 + (at >= on) * 0.8, 5, 60.0, hours)
    kept = (whole.at_s < hole) | (whole.at_s >= hole + hours * 3_600)
    (change,) = change_points(DerivedBirths(whole.at_s[kept], whole.seconds[kept], whole.births[kept]))

    assert change.earliest_s == pytest.approx(hole, abs=180)
    assert change.latest_s == pytest.approx(hole + hours * 3_600, abs=180)
    assert change.before_per_hour == pytest.approx(13, rel=0.3)


def test_too_little_has_no_change() -> None:
    assert change_points(DerivedBirths(np.empty(0), np.empty(0), np.empty(0))) == []
    assert change_points(DerivedBirths(np.arange(4) * 60.0, np.full(4, 60.0), np.array([0.0, 0, 9, 9]))) == []


def test_the_scatter_of_poisson_is_one_and_of_clusters_more() -> None:
    generator = np.random.default_rng(7)
    seconds = np.full(4_000, 60.0)

    assert dispersion(generator.poisson(20, 4_000).astype(float), seconds) == pytest.approx(1.0, abs=0.1)
    assert dispersion(generator.poisson(5, 4_000) * 4.0, seconds) == pytest.approx(3.4, abs=0.6)


@pytest.mark.process
@pytest.mark.parametrize("seed", range(5))
def test_the_peer_dates_the_same_changes(seed: int) -> None:
    """ruptures, told how many changes there are, puts them where we put them without being told."""
    import ruptures  # it loads all of SciPy: two seconds, for this test alone

    generator = np.random.default_rng(seed)
    borders = np.sort(generator.choice(np.arange(1, 9), 2, replace=False)) * 36
    births = counted(
        lambda at: 0.05 * 4.0 ** np.searchsorted(borders, np.round((at - START) / 240), side="right"), 1, 240.0, seed
    )
    theirs = ruptures.Dynp(model="l2", min_size=4, jump=1).fit(np.sqrt(births.births)).predict(n_bkps=2)[:-1]
    ours = [round((change.at_s - START) / 240) for change in change_points(births)]

    assert len(ours) == 2
    assert np.abs(np.array(ours) - np.array(theirs)).max() <= 2
