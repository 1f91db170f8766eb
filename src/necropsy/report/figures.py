"""Numbers as people read them; the same words in the terminal, the page and the postmortem."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from necropsy.model.figures import percent, several, size

__all__ = ["a_day", "count", "duration", "interval", "iso", "moment", "percent", "size"]

_DAY_S: Final = 86_400
_DURATIONS: Final = (
    (31_557_600.0, "year"),  # Julian year, 365.25 days: 2,147,483,647 s is "68 years" and not "69"
    (86_400.0, "day"),
    (3_600.0, "hour"),
    (60.0, "minute"),
)


def count(number: float) -> str:
    """Whole number with thousands separated; a fraction below ten keeps one digit.

    >>> count(70560), count(0.5), count(12.4)
    ('70,560', '0.5', '12')
    """
    if number != int(number) and abs(number) < 10:
        return f"{number:.1f}"
    return f"{number:,.0f}"


def interval(low: float, high: float) -> str:
    """Ends of an interval of shares.

    >>> interval(0.91, 0.95)
    '91 to 95 %'
    """
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def duration(seconds: float) -> str:
    """Seconds in the largest unit that tells them well.

    >>> duration(10), duration(86400), duration(5400), duration(2147483647), duration(0.25)
    ('10 s', '1 day', '90 minutes', '68 years', '0.25 s')
    """
    for unit_s, noun in _DURATIONS:
        if seconds >= unit_s:
            amount = seconds / unit_s
            if amount >= 10 or abs(amount - round(amount)) < 0.05:
                return several(round(amount), noun)
            if noun == "hour" and seconds % 60 == 0:
                return several(round(seconds / 60), "minute")
            return f"{amount:.1f} {noun}s"
    return f"{seconds:g} s"


def a_day(births_per_hour: float) -> str:
    """Rate per day.

    >>> a_day(360.0)
    '8,640/d'
    """
    return f"{count(births_per_hour * 24)}/d"


def moment(time: datetime) -> str:
    """Time to the minute in UTC; to the second when the seconds matter.

    >>> moment(datetime(2019, 5, 24, 19, 0, tzinfo=UTC))
    '2019-05-24 19:00 UTC'
    """
    instant = _utc(time)
    return instant.strftime("%Y-%m-%d %H:%M:%S UTC" if instant.second else "%Y-%m-%d %H:%M UTC")


def iso(time: datetime) -> str:
    """ISO 8601 with ``Z``; microseconds only when there are any.

    >>> iso(datetime(2019, 5, 24, 19, 0, tzinfo=UTC))
    '2019-05-24T19:00:00Z'
    """
    return _utc(time).isoformat().replace("+00:00", "Z")


def iso_second(time: datetime | None) -> str | None:
    """ISO 8601 to the second, for a document; None stays None.

    >>> iso_second(datetime(2019, 5, 24, 19, 0, 0, 250_000, tzinfo=UTC)), iso_second(None)
    ('2019-05-24T19:00:00Z', None)
    """
    return iso(time.replace(microsecond=0)) if time is not None else None


def _utc(time: datetime) -> datetime:
    # The case file keeps times without zone, and they mean UTC.
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def between(likely: datetime, earliest: datetime | None, latest: datetime | None) -> str:
    """Write a moment to come no more precisely than its interval has it; ``latest`` None is never.

    >>> between(datetime(2026, 12, 3, 14, 20), datetime(2026, 12, 3, 13, 50), datetime(2026, 12, 3, 14, 55))
    'on 2026-12-03 between 13:50 and 14:55 UTC'
    >>> between(datetime(2026, 12, 20), datetime(2026, 12, 17), datetime(2026, 12, 24))
    'about 2026-12-20 (2026-12-17 to 2026-12-24)'
    >>> between(datetime(2026, 12, 20), datetime(2026, 12, 17), None)
    'about 2026-12-20 (2026-12-17 at the earliest; perhaps never)'
    """
    if latest is None:
        return f"about {likely:%Y-%m-%d}" + (
            f" ({earliest:%Y-%m-%d} at the earliest; perhaps never)" if earliest else ""
        )
    if earliest is None or (latest - earliest).total_seconds() > _DAY_S or earliest.date() != latest.date():
        interval = (
            f" ({earliest:%Y-%m-%d} to {latest:%Y-%m-%d})" if earliest and earliest.date() != latest.date() else ""
        )
        return f"about {likely:%Y-%m-%d}{interval}"
    return f"on {likely:%Y-%m-%d} between {earliest:%H:%M} and {latest:%H:%M} UTC"
