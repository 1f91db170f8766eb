"""When a store is full, and how surely that is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from necropsy.verdict.future import BirthStream, StoreForecastInput
from necropsy.verdict.what_if import Steps, outlook

AT = datetime(2026, 11, 1, tzinfo=UTC)
DAY = 86_400.0
PROBER = BirthStream("probes/creates-sessions", "a1:80", 8_640.0, regular=True)
CRAWLER = BirthStream("traffic/bot-creates-sessions", "spider", 8_640.0, deviation=0.10)
IMMORTAL = StoreForecastInput(
    name="B",
    at=AT,
    left_s=np.empty(0),
    immortal=1_000,
    purgeable=0,
    purgeable_immortal=0,
    people=0.0,
    lifetime_s=2_147_483_647.0,
    grace_s=0.0,
    streams=(PROBER,),
    bytes_per_session=1_000.0,
    other_bytes=1e6,
    memory_limit=2_000_000 + 10 * 8_640_000,
)


def days(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - AT) / timedelta(days=1)


def test_immortal_sessions_fill_the_limit_at_their_rate() -> None:
    made = outlook(IMMORTAL, Steps())

    assert days(made.full_at) == pytest.approx(10, rel=1e-3)
    assert days(made.full_from) < 10 < days(made.full_to)


def test_a_rate_that_is_known_badly_widens_the_interval() -> None:
    surely = outlook(IMMORTAL, Steps())
    guessed = outlook(replace(IMMORTAL, streams=(CRAWLER,)), Steps())

    assert days(surely.full_to) - days(surely.full_from) < 2
    assert days(guessed.full_to) - days(guessed.full_from) > 3.5


def test_at_the_lowest_rate_a_plateau_may_stay_below_the_limit() -> None:
    rising = replace(IMMORTAL, immortal=0, lifetime_s=DAY, streams=(CRAWLER,), memory_limit=1_000_000 + 8_500_000)
    made = outlook(rising, Steps())

    assert days(made.full_at) == pytest.approx(8_500 / 8_640, rel=1e-3)
    assert made.full_to is None


def test_a_plateau_far_below_the_limit_is_never_full() -> None:
    made = outlook(replace(IMMORTAL, immortal=0, lifetime_s=3_600.0), Steps())

    assert (made.full_at, made.full_from, made.full_to) == (None, None, None)


def test_what_expires_makes_room_first() -> None:
    """A store of old sessions that leave within a day fills later than its rate alone would say."""
    old = np.sort(np.random.default_rng(1).uniform(0, DAY, 5_000))
    store = replace(IMMORTAL, immortal=0, left_s=old, lifetime_s=7 * DAY, memory_limit=1_000_000 + 20_000_000)
    made = outlook(store, Steps())

    assert days(made.full_at) == pytest.approx(20_000 / 8_640, rel=1e-2)


def test_sessions_of_people_are_replaced_and_not_counted_as_leaving() -> None:
    people = np.sort(np.random.default_rng(2).uniform(0, 7 * DAY, 2_000))
    machine = np.full(3_000, 6.5 * DAY)
    both = np.sort(np.concatenate([people, machine]))
    store = replace(
        IMMORTAL, immortal=0, left_s=both, lifetime_s=7 * DAY, people=2_000.0, memory_limit=1_000_000 + 20_000_000
    )

    known = outlook(replace(store, people_left_s=people), Steps())
    assert days(known.full_at) == pytest.approx(15_000 / 8_640, rel=1e-2)


def test_people_of_an_hour_may_be_more_at_noon() -> None:
    night = replace(
        IMMORTAL,
        immortal=0,
        left_s=np.full(100, 1_800.0),
        people=100.0,
        people_left_s=np.full(100, 1_800.0),
        lifetime_s=3_600.0,
        memory_limit=1_000_000 + 600_000,
    )
    made = outlook(night, Steps())

    assert made.full_at is None
    assert made.full_from is not None
    assert made.full_to is None


def test_without_a_limit_nothing_is_full() -> None:
    assert outlook(replace(IMMORTAL, memory_limit=None), Steps()).full_from is None
