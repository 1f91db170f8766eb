"""Expressions of DuckDB that make a moment of the parts that a time form found."""

from __future__ import annotations

from typing import Final

from necropsy._internal.sql_quoting import literal
from necropsy.evidence.app_log.times.forms import TimePattern
from necropsy.evidence.app_log.times.names import AFTERNOON, MONTHS, ZONES

ORDERS: Final = ("mdy", "dmy", "ymd")
"""Orders of month, day and year in dates that are numbers alone."""

_MONTHS: Final = "MAP {" + ", ".join(f"{literal(name)}: {number}" for name, number in MONTHS.items()) + "}"
_ZONES: Final = "MAP {" + ", ".join(f"{literal(name)}: {literal(offset)}" for name, offset in ZONES.items()) + "}"
_AFTERNOON: Final = ", ".join(literal(half) for half in sorted(AFTERNOON))
_TAI: Final = (1 << 62) + 10


def found(form: TimePattern, subject: str) -> str:
    """Return the expression for the groups that a form finds in a text, as a struct of texts (empty: not found)."""
    names = ", ".join(literal(name) for name in form.groups)
    return f"regexp_extract({subject}, {literal(form.pattern)}, [{names}])"


def seen(form: TimePattern, column: str) -> str:
    """Return the expression that says whether a form was found in what its column was made from."""
    part = form.name if form.name in ("epoch", "tai") else "minute"
    return f"({column}.{part} <> '')"


def zoned(form: TimePattern, column: str) -> str:
    """Return the expression that says whether the form's column names a zone that means one offset."""
    if form.name in ("epoch", "tai"):
        return seen(form, column)
    return f"(coalesce({column}.zone, '') <> '')" if "zone" in form.groups else "FALSE"


def moment(form: TimePattern, column: str, *, year: str, order: str) -> str:
    """Return the expression for the moment (TIMESTAMP, UTC) of a form's column; NULL where it found none.

    A form without a day gives the time of day on 1970-01-01.

    Parameters
    ----------
    column
        Column that holds what ``found`` gave.
    year
        Expression for the year of a form that names none, over ``month`` and ``day`` of that form's column.
    order
        One of ``ORDERS``, for dates that are numbers alone.
    """
    name = column
    if form.name == "epoch":
        digits = f"replace({name}.epoch, ',', '.')"
        whole = f"split_part({digits}, '.', 1)"
        scale = f"CASE length({whole}) WHEN 10 THEN 1000000 WHEN 13 THEN 1000 WHEN 16 THEN 1 ELSE 0.001 END"
        return f"TRY(make_timestamp((TRY_CAST({digits} AS DECIMAL(38, 9))::DOUBLE * {scale})::BIGINT))"
    if form.name == "tai":
        return f"TRY(make_timestamp((TRY_CAST('0x' || nullif({name}.tai, '') AS BIGINT) - {_TAI}) * 1000000))"
    years, months, days = _date(form, name, year, order)
    fraction = f"CASE WHEN {name}.fraction <> '' THEN '.' || left({name}.fraction, 6) ELSE '' END"
    zone = _zone(form, name)
    clock = f"{_hour(form, name)} || ':' || {name}.minute || ':' || coalesce(nullif({name}.second, ''), '00') || {fraction} || {zone}"
    return (
        f"CASE WHEN {name}.minute <> '' THEN"
        f" TRY_CAST({years} || '-' || {months} || '-' || {days} || ' ' || {clock} AS TIMESTAMPTZ)::TIMESTAMP END"
    )


def _date(form: TimePattern, name: str, year: str, order: str) -> tuple[str, str, str]:
    if "one" in form.groups:
        parts = {"mdy": ("three", "one", "two"), "dmy": ("three", "two", "one"), "ymd": ("one", "two", "three")}[order]
        years, months, days = (f"{name}.{part}" for part in parts)
    elif "month" in form.groups:
        years = f"{name}.year" if "year" in form.groups else f"({year})::VARCHAR"
        months, days = f"{name}.month", f"{name}.day"
    else:
        return "'1970'", "'1'", "'1'"
    full = f"CASE WHEN length({years}) = 2 THEN '20' || {years} ELSE {years} END"
    token = f"lower(rtrim({months}, '.'))"
    return full, f"coalesce({_MONTHS}[{token}], TRY_CAST({token} AS INTEGER))::VARCHAR", days


def month_of(column: str) -> str:
    """Return the expression for the month (1 to 12) of the column of a form that names month and day."""
    token = f"lower(rtrim({column}.month, '.'))"
    return f"coalesce({_MONTHS}[{token}], TRY_CAST({token} AS INTEGER))"


def _hour(form: TimePattern, name: str) -> str:
    halves = [f"{name}.{half}" for half in ("half_before", "half") if half in form.groups]
    if not halves:
        return f"{name}.hour"
    half = " || ".join(f"coalesce({one}, '')" for one in halves)
    hour = f"TRY_CAST({name}.hour AS INTEGER)"
    return (
        f"CASE WHEN {half} = '' OR {hour} > 12 THEN {name}.hour"
        f" ELSE ({hour} % 12 + CASE WHEN lower(regexp_replace({half}, '\\s', '', 'g')) IN ({_AFTERNOON}) THEN 12 ELSE 0 END)::VARCHAR END"
    )


def _zone(form: TimePattern, name: str) -> str:
    if "zone" not in form.groups:
        return "''"
    zone = f"{name}.zone"
    minutes = f"regexp_replace({zone}, '^([+-]\\d\\d):?(\\d\\d)$', '\\1:\\2')"
    return f"coalesce({_ZONES}[{zone}], CASE WHEN {zone} <> '' THEN {minutes} ELSE '' END)"
