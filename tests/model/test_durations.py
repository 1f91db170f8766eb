from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.cli.durations import seconds
from necropsy.model.durations import seconds_of
from necropsy.model.errors import UsageError
from necropsy.probes.prometheus.duration import format_duration


def test_fractions_and_several_units_are_read() -> None:
    texts = ("90s", "1.5h", "2w", "1h30m", "500ms", " 7D ", "0")
    assert [seconds_of(text) for text in texts] == [90, 5400, 1_209_600, 5400, 0.5, 604_800, 0]


@given(st.integers(0, 10**12))
def test_what_prometheus_writes_is_read_back(milliseconds: int) -> None:
    assert seconds_of(format_duration(milliseconds)) == pytest.approx(milliseconds / 1000)


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert seconds_of(text) >= 0


@pytest.mark.parametrize("text", ["", "7", "h", "1x", "-1h", "1h 30m", "soon"])
def test_a_text_without_unit_or_number_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError):
        seconds_of(text)


def test_an_option_is_named_where_its_duration_is_none_or_too_short() -> None:
    for text, words in (
        ("soon", "--every 'soon' is not a duration"),
        ("0", "above 0"),
        ("5s", "--every 5s: 10s at least"),
    ):
        with pytest.raises(UsageError, match=words):
            seconds("--every", text, least=10.0)
    assert seconds("--every", "10m", least=10.0) == 600
