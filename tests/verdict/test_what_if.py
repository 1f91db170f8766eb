"""What a store would become: checked against a store that is simulated session by session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.verdict.future import BirthStream, StoreForecastInput
from necropsy.verdict.what_if import Steps, outlook, outlooks

AT = datetime(2019, 5, 24, 19, tzinfo=UTC)
DAY = 86_400.0
PROBES = BirthStream("probes/creates-sessions", "a1:80", 8_640.0)
CRAWLER = BirthStream("traffic/bot-creates-sessions", "spider", 2_400.0)


def store(**more: Any) -> StoreForecastInput:
    per_day = PROBES.per_day + CRAWLER.per_day
    left = np.sort(np.arange(0.0, DAY, DAY / per_day))
    settings: dict[str, Any] = {
        "name": "A", "at": AT, "left_s": left, "immortal": 0, "purgeable": 10_000, "purgeable_immortal": 0, "people": 0.0,
        "lifetime_s": DAY, "grace_s": 0.0, "streams": (PROBES, CRAWLER), "bytes_per_session": 700.0, "other_bytes": 2e6,
        "memory_limit": 64_000_000,
    }  # fmt: skip
    return StoreForecastInput(**(settings | more))


def test_a_steady_store_stays_as_it_is_when_nothing_is_done() -> None:
    made = outlook(store(), Steps())
    assert made.sessions_now == pytest.approx(11_040, abs=1)
    assert [value for _, value in made.curve] == pytest.approx([11_040.0] * len(made.curve), abs=2)
    assert made.full_at is None


def test_a_fix_lets_the_sessions_of_its_creators_expire_and_no_others() -> None:
    made = outlook(store(), Steps(fixes=("probes/creates-sessions",)))
    assert made.births_per_day == 2_400
    assert made.sessions_steady == pytest.approx(2_400, abs=1)
    assert made.steady_after_s == pytest.approx(DAY, rel=0.001)
    values = [value for _, value in made.curve]
    assert values == sorted(values, reverse=True)


def test_fixing_all_leaves_people() -> None:
    made = outlook(store(people=40.0), Steps(fixes=("all",)))
    assert made.sessions_steady == pytest.approx(40)


def test_a_purge_alone_comes_back() -> None:
    made = outlook(store(), Steps(purge=True))
    assert made.sessions_now == pytest.approx(1_040, abs=1)
    assert made.sessions_steady == pytest.approx(11_040, abs=2)


def test_a_shorter_lifetime_lowers_the_plateau_after_the_old_sessions_are_gone() -> None:
    made = outlook(store(), Steps(ttl_s=3_600.0))
    assert made.sessions_steady == pytest.approx(11_040 / 24, abs=2)
    assert made.steady_after_s == pytest.approx(DAY, rel=0.001)


def test_spring_keeps_hashes_for_five_minutes_and_short_lifetimes_feel_it() -> None:
    short = outlook(store(left_s=np.empty(0), lifetime_s=120.0, grace_s=300.0), Steps())
    assert short.sessions_steady == pytest.approx(11_040 / DAY * 420, rel=0.01)


def test_immortal_sessions_never_become_steady_and_the_day_of_the_full_store_is_told() -> None:
    endless = store(left_s=np.empty(0), immortal=50_000, purgeable_immortal=10_000, lifetime_s=2_147_483_647.0)
    made = outlook(endless, Steps())
    assert made.sessions_steady is None
    days = (64e6 - 2e6 - 50_000 * 700) / 700 / 11_040
    assert made.full_at is not None
    assert (made.full_at - AT) / timedelta(days=1) == pytest.approx(days, rel=0.02)
    fixed = outlook(endless, Steps(fixes=("all",)))
    assert fixed.sessions_steady == 50_000
    assert fixed.full_at is None
    assert outlook(endless, Steps(fixes=("all",), purge=True)).sessions_steady == 40_000


def test_each_step_is_shown_alone_beside_all_of_them_and_enough_memory_is_a_round_figure() -> None:
    made = outlooks(store(), Steps(fixes=("probes/creates-sessions",), purge=True))
    assert [one.steps for one in made.alone] == [("fix probes/creates-sessions",), ("purge of anonymous sessions",)]
    assert made.enough_bytes == 16_000_000
    assert outlooks(store(memory_limit=None), Steps()).today.full_at is None
    assert outlooks(store(), Steps(), memory_limit=3_000_000).today.full_at == AT


def test_a_fix_of_what_creates_nothing_here_is_said() -> None:
    made = outlooks(store(), Steps(fixes=("traffic/login-loop",)))
    assert any("traffic/login-loop creates nothing in this store" in note for note in made.notes)
    assert made.together.births_per_day == 11_040


@given(st.floats(10, 20_000), st.floats(600, 3 * DAY), st.floats(0, 600), st.integers(0, 2_000), st.floats(0.0, 1.5))
def test_the_closed_form_is_what_a_simulation_of_every_session_counts(
    per_day: float, lifetime: float, grace: float, there: int, part: float
) -> None:
    left = np.sort(np.random.default_rng(1).uniform(0, lifetime + grace, there))
    stream = BirthStream("probes/creates-sessions", "x", per_day)
    made = outlook(store(left_s=left, lifetime_s=lifetime, grace_s=grace, streams=(stream,), purgeable=0), Steps())
    for moment, value in made.curve[:: max(1, round(len(made.curve) * part) or 1)]:
        births = np.arange(0.0, moment, DAY / per_day) + DAY / per_day / 2
        alive = np.count_nonzero((births <= moment) & (births + lifetime + grace > moment))
        assert value == pytest.approx(alive + np.count_nonzero(left > moment), abs=1.5)


def test_nothing_is_divided_by_nothing() -> None:
    made = outlook(store(left_s=np.empty(0), streams=(), bytes_per_session=0.0, lifetime_s=None), Steps(purge=True))
    assert made.sessions_steady == 0
    assert made.full_at is None
