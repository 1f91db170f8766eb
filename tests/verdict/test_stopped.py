"""Who has stopped: an end, a pause, or a client that has another address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from necropsy.model.verdict import Actor, sessions_of_stopped
from necropsy.verdict.stopped import paused_hours, what_stopped

START = datetime(2026, 11, 28, 9, tzinfo=UTC)
LEFT = "the remaining sessions go as they expire"


def actor(
    sessions: int,
    per_hour: float,
    hours: float,
    *,
    over: bool = True,
    period_s: float | None = None,
    address: str = "10.0.0.9",
) -> Actor:
    """A creator that began at START."""
    return Actor(
        user_agent="check/1",
        prober=None,
        url="/login",
        period_s=period_s,
        phase_s=None,
        in_access_log=True,
        creation_probability=1.0,
        sessions=sessions,
        births_per_hour=per_hour,
        evidence="comb",
        address=address,
        first_at=START,
        last_at=START + timedelta(hours=hours),
        over=over,
    )


def test_a_check_that_comes_at_night_only_is_not_over() -> None:
    nightly = actor(4_320, 180.0, 56, period_s=20.0)
    assert paused_hours(nightly) == 32.0
    assert what_stopped([nightly], LEFT, one_program=False) == (
        "It stopped on 2026-11-30 at 17:00 UTC, and may come again: its births fill 24 of the 56 hours since"
        " 2026-11-28 at 09:00 UTC."
    )


def test_a_check_that_came_all_the_time_is_over() -> None:
    ended = actor(10_000, 180.0, 56, period_s=20.0)
    assert paused_hours(ended) == 0.0
    assert what_stopped([ended], LEFT, one_program=False).startswith("It is over: it began on")


def test_a_burst_that_made_most_sessions_is_told_of_those_that_go_on() -> None:
    burst, crawler = actor(5_960, 36_000.0, 0.2), actor(60, 2.5, 30, over=False)
    assert what_stopped([burst, crawler], LEFT, one_program=False) == (
        "1 of 2 stopped, the last on 2026-11-28 at 09:12 UTC: it made 99.0 % of these sessions; 1 goes on."
    )
    assert sessions_of_stopped([burst, crawler]) == 5_960
    assert sessions_of_stopped([actor(50, 2.5, 3), actor(60, 2.5, 30, over=False)]) == 0


def test_a_telephone_that_has_another_address_has_not_stopped() -> None:
    before, now = actor(40, 4.0, 10), actor(60, 4.0, 24, over=False, address="10.0.0.10")
    assert what_stopped([before, now], LEFT, one_program=True) == ""
    assert what_stopped([before, now], LEFT, one_program=False).startswith("1 of 2 stopped")
