from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from necropsy.rhythm.endings import has_ended

NOW = datetime(2019, 5, 24, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "period_s", "rate", "ended"),
    [
        (timedelta(minutes=4), 10.0, 360.0, False),
        (timedelta(minutes=6), 10.0, 360.0, True),
        (timedelta(minutes=40), 600.0, 6.0, False),
        (timedelta(minutes=50), None, 600.0, False),
        (timedelta(hours=2), None, 600.0, True),
        (timedelta(hours=2), None, 2.0, False),
    ],
)
def test_what_was_silent_for_long_by_its_own_measure_has_ended(
    quiet: timedelta, period_s: float | None, rate: float, ended: bool
) -> None:
    assert has_ended(NOW - quiet, NOW, period_s, 1.0, rate) is ended


def test_an_unknown_last_birth_has_not_ended() -> None:
    assert not has_ended(None, NOW, 10.0, 1.0, 360.0)
