from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from necropsy.report.figures import duration, iso, moment, percent, size


@given(st.floats(0, 1))
def test_a_share_is_never_rounded_to_nothing_or_to_everything(share: float) -> None:
    assert (percent(share) == "0 %") == (share == 0)
    assert (percent(share) == "100 %") == (share == 1)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_never_reads_smaller(one: float, other: float) -> None:
    def read(share: float) -> float:
        return float(percent(share).removesuffix(" %").replace("< 0.1", "0.05").replace("> 99.9", "99.95"))

    small, large = sorted((one, other))
    assert read(small) <= read(large)


@given(st.integers(0, 10**16))
def test_a_size_is_within_six_percent_of_the_bytes_that_it_tells(number: int) -> None:
    amount, unit = size(number).split()
    told = float(amount) * 1000 ** ("B", "kB", "MB", "GB", "TB").index(unit)
    assert abs(told - number) <= 0.06 * number


@given(st.floats(0.001, 1e11))
def test_a_duration_reads_as_an_amount_with_its_unit(seconds: float) -> None:
    amount, unit = duration(seconds).split()
    assert float(amount.replace(",", "")) > 0
    assert unit.rstrip("s") in {"", "minute", "hour", "day", "year"}


def test_the_largest_java_lifetime_is_68_years() -> None:
    assert duration(2_147_483_647) == "68 years"


def test_a_time_without_zone_means_utc_and_another_zone_is_converted() -> None:
    paris = datetime(2019, 5, 24, 21, 0, tzinfo=timezone(timedelta(hours=2)))
    assert iso(paris) == iso(paris.astimezone(UTC).replace(tzinfo=None)) == "2019-05-24T19:00:00Z"
    assert moment(paris) == "2019-05-24 19:00 UTC"
