from dataclasses import replace

import numpy as np
import pytest

from necropsy.history.births import EMPTIED, RESTART, StoreSeries, binned, derive


def series(keys, expired=None, evicted=None, uptime=None, step=60.0):
    def values(given):
        return np.full(len(keys), np.nan) if given is None else np.array(given, np.float64)

    return StoreSeries(
        step * np.arange(len(keys)), np.array(keys, np.float64), values(expired), values(evicted), values(uptime)
    )


def test_what_came_is_what_stays_and_what_left() -> None:
    found = derive(series([10, 14, 14, 12], expired=[0, 0, 4, 6], evicted=[0, 2, 2, 2]), keys_per_session=2.0)

    assert found.births.tolist() == [3.0, 2.0, 0.0]
    assert found.seconds.tolist() == [60.0, 60.0, 60.0]
    assert found.lacks == ()


def test_a_plateau_has_births_only_if_expiry_is_counted() -> None:
    steady = derive(series([100, 100, 100]), 1.0)

    assert steady.births.tolist() == [0.0, 0.0]
    assert steady.lacks == ("expired", "evicted")


def test_no_births_are_derived_across_a_restart() -> None:
    found = derive(series([50, 60, 0, 5], expired=[100, 100, 0, 0], uptime=[900, 960, 20, 80]), 1.0)

    assert np.isnan(found.births).tolist() == [False, True, False]
    assert [(one.kind, one.at_s) for one in found.interruptions] == [(RESTART, 120.0)]


def test_a_restart_between_samples_shows_in_the_uptime_alone() -> None:
    found = derive(series([50, 60, 61], expired=[0, 0, 0], uptime=[900, 20, 80]), 1.0)

    assert [one.kind for one in found.interruptions] == [RESTART]


def test_keys_that_nothing_counts_were_deleted_at_once() -> None:
    found = derive(series([5_000, 5_010, 12, 20], expired=[0, 0, 0, 0]), 1.0)

    assert [(one.kind, one.keys) for one in found.interruptions] == [(EMPTIED, 4_998.0)]
    assert np.isnan(found.births).tolist() == [False, True, False]


def test_a_replica_counts_nothing_so_its_births_are_unknown() -> None:
    """Its keys go as its master says: 5,000 at once are no FLUSHALL, and a plateau is no store at rest."""
    measured = series([5_000, 5_000, 12, 20, 30], expired=[0, 0, 0, 0, 0])
    nan = np.nan
    found = derive(replace(measured, replica=np.array([1.0, 0.0, 1.0, nan, nan])), 1.0)

    assert np.isnan(found.births).tolist() == [True, True, True, False]
    assert (found.interruptions, found.on_replica_s) == ([], 180.0)


def test_a_few_deleted_keys_are_no_interruption() -> None:
    assert derive(series([5_000, 4_990, 5_000], expired=[0, 0, 0]), 1.0).interruptions == []


def test_a_hole_in_the_series_is_one_long_span() -> None:
    nan = np.nan
    found = derive(series([10, nan, nan, 40], expired=[0, nan, nan, 0]), 1.0)

    assert (found.at_s.tolist(), found.seconds.tolist(), found.births.tolist()) == ([0.0], [180.0], [30.0])


def test_the_same_scrape_seen_twice_is_one_sample() -> None:
    found = derive(series([10, 10, 20, 20], expired=[0] * 4, uptime=[100, 100, 220, 220]), 1.0)

    assert found.births.tolist() == [10.0]
    assert found.seconds.tolist() == [120.0]


def test_births_of_sessions_are_counted_on_a_grid() -> None:
    found = binned(np.array([0.5, 1.5, 1.6, 3.9]), 0.0, 4.0, 1.0)

    assert found.births.tolist() == [1.0, 2.0, 0.0, 1.0]


@pytest.mark.parametrize(("start", "end"), [(5.0, 5.0), (6.0, 5.0)])
def test_no_time_has_no_births(start: float, end: float) -> None:
    assert binned(np.array([5.0]), start, end, 1.0).births.size == 0
