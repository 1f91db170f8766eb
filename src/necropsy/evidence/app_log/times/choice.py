"""Recognition of the time forms of a log by a sample of its lines, and the expressions that read them.

A form that no line of the sample has is not looked for. Where no line has a time at its head, the whole line is
searched (layouts that put the time last). What had to be assumed is said: a zone, a year, a day, the order of day and month.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from necropsy._internal.sql_quoting import literal
from necropsy.evidence.app_log.times.forms import FORMS, TimePattern
from necropsy.evidence.app_log.times.moment import found, moment, month_of, seen, zoned
from necropsy.evidence.app_log.wrappers import KEYED_TIME

if TYPE_CHECKING:
    import duckdb

_HEAD: Final = 160
"""Characters of a line within which its time stands, unless no line has one there."""
_YEARLESS: Final = frozenset({"syslog", "glog"})
_KEYED_EPOCH: Final = r"(?:^|\s)(?:ts|time|timestamp|t|at)=\"?(1\d{9}[\d.]*)"


@dataclass(frozen=True, slots=True)
class Times:
    """Expressions of DuckDB over ``line`` and ``outer_subject`` that read the times of one log."""

    columns: str
    """Columns to add, each what one form found; the other expressions are over these."""
    seen: str
    """Whether the application wrote a time in the line, understood to the day or not."""
    own: str
    """That time; NULL where its day is not known."""
    own_zoned: str
    outer: str
    """The shipper's time of a line."""
    outer_zoned: str
    of_day: bool
    """True when the application's times name no day and are given the file's."""


@dataclass(frozen=True, slots=True)
class ChosenForms:
    """The time form that was chosen for one log."""

    own: tuple[TimePattern, ...]
    """Forms of the application's own times; empty: none was recognised."""
    outer: tuple[TimePattern, ...]
    """Forms of the shipper's."""
    anywhere: bool
    """True when times stand behind the head of the line."""
    order: str
    """Order of month, day and year in dates that are numbers alone."""
    remarks: tuple[str, ...]
    """Assumptions that had to be made, for the note of the source."""
    reference: datetime | None
    """When the file was written last; None for a stream."""

    @property
    def own_alone_names_years(self) -> bool:
        """Whether the application's times name a year and the shipper's do not."""
        return any(form.dated and form.name not in _YEARLESS for form in self.own) and all(
            form.name in _YEARLESS for form in self.outer
        )

    @property
    def times(self) -> Times:
        """Expressions for all of it."""
        subject = _subject(anywhere=self.anywhere)
        own = [(form, f"own_{form.name}") for form in self.own]
        outer = [(form, f"outer_{form.name}") for form in self.outer]
        columns = [f"{found(form, subject)} AS {column}" for form, column in own]
        columns += [f"{found(form, 'outer_subject')} AS {column}" for form, column in outer]
        return Times(
            ", ".join(columns) or "NULL AS nothing",
            _any([seen(form, column) for form, column in own]),
            self._moment([(form, column) for form, column in own]),
            _any([zoned(form, column) for form, column in own]),
            self._moment(outer),
            _any([zoned(form, column) for form, column in outer]),
            bool(self.own) and not any(form.dated for form in self.own) and self.reference is not None,
        )

    def _moment(self, columns: Sequence[tuple[TimePattern, str]]) -> str:
        reference = self.reference or datetime.now(UTC)
        parts = []
        for form, column in columns:
            # A log cannot be from later than its file: a day that would be is of the year before.
            year = (
                f"CASE WHEN {month_of(column)} * 100 + TRY_CAST({column}.day AS INTEGER)"
                f" > {reference.month * 100 + reference.day + 1} THEN {reference.year - 1} ELSE {reference.year} END"
            )
            at = moment(form, column, year=year, order=self.order)
            parts.append(at if form.dated else self._of_day(at))
        return f"coalesce({', '.join(parts)})" if parts else "NULL::TIMESTAMP"

    def _of_day(self, at: str) -> str:
        """Give times of day the day of the file, and those before a midnight the days before it."""
        if self.reference is None:
            return "NULL::TIMESTAMP"
        return f"({at} + (DATE '{self.reference:%Y-%m-%d}' - DATE '1970-01-01') * INTERVAL 1 DAY)"


def choose(
    connection: duckdb.DuckDBPyConnection, lines: Sequence[str], stamps: Sequence[str], reference: datetime | None
) -> ChosenForms:
    """Choose by lines of a log, without what shippers put around them, and by the times of these shippers."""
    anywhere = False
    own, order, guessed = _fitting(connection, lines, anywhere=False)
    if not own:
        own, order, guessed = _fitting(connection, lines, anywhere=True)
        own = tuple(form for form in own if form.dated)
        anywhere = bool(own)
    outer, _, _ = _fitting(connection, stamps, anywhere=False)
    if any(form.dated for form in own):
        own = tuple(form for form in own if form.dated)
    remarks = []
    used = own if any(form.dated for form in own) else outer or own
    if any(form.name in _YEARLESS for form in used):
        remarks.append(f"times without a year, taken from the {'file' if reference else 'clock of this machine'}")
    if used and not any(form.dated for form in used):
        remarks.append(
            f"its times name no day: {reference:%Y-%m-%d} is taken from the file"
            if reference
            else "times without a day, and a stream has none: the times are not used"
        )
    if guessed:
        remarks.append(f"dates are read as {_ORDERS[order]}: a guess, as no day above 12 was seen")
    return ChosenForms(own, outer, anywhere, order, tuple(remarks), reference)


_AUTOMATON_BYTES: Final = 256 << 20
"""Bound, and no need: a set of patterns that had no room would match nothing, and say nothing of it."""
_ORDERS: Final = {"mdy": "month/day/year", "dmy": "day/month/year", "ymd": "year/month/day"}


def _fitting(
    connection: duckdb.DuckDBPyConnection, lines: Sequence[str], *, anywhere: bool
) -> tuple[tuple[TimePattern, ...], str, bool]:
    """Return the forms that lines of a sample have, the order of numbers in dates, and whether that is a guess."""
    if not lines:
        return (), "mdy", False
    sample = pa.table({"line": pa.array(lines, pa.string())})
    subject = _subject(anywhere=anywhere)
    connection.register("sampled", sample)
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE subjects AS SELECT {subject} AS subject FROM sampled")
    finally:
        connection.unregister("sampled")
    subjects = connection.execute("SELECT DISTINCT subject FROM subjects WHERE subject IS NOT NULL").fetchall()
    possible = _possible(subject for (subject,) in subjects)
    fitting = []
    order, guessed = "mdy", False
    for form in possible:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE tried AS SELECT subject, {found(form, 'subject')} AS f FROM subjects"
        )
        sound = seen(form, "f")
        if form.name != "numeric":
            sound += f" AND {moment(form, 'f', year='2024', order='mdy')} IS NOT NULL"
        if not connection.execute(f"SELECT coalesce(bool_or({sound}), FALSE) FROM tried").fetchall()[0][0]:
            continue
        if form.name == "numeric":
            order, guessed = _order(connection)
        fitting.append(form)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE subjects AS SELECT subject FROM tried WHERE ({sound}) IS NOT TRUE"
        )
    return tuple(fitting), order, guessed


def _possible(subjects: Iterable[str]) -> list[TimePattern]:
    """Return the forms whose pattern any subject matches, in their order."""
    seen_in: set[int] = set()
    patterns = _patterns()
    for subject in subjects:
        seen_in.update(patterns.Match(subject) or ())
    return [form for place, form in enumerate(FORMS) if place in seen_in]


@cache
def _patterns() -> Any:
    """The patterns of all forms as one automaton: DuckDB would compile each of them again for each log."""
    import re2

    options = re2.Options()
    options.max_mem = _AUTOMATON_BYTES
    patterns = re2.Set.SearchSet(options)
    for form in FORMS:
        patterns.Add(form.pattern)
    patterns.Compile()
    return patterns


def _order(connection: duckdb.DuckDBPyConnection) -> tuple[str, bool]:
    """Tell the order of month, day and year from the largest number that stands in each place."""
    one, two, three, digits, dotted = connection.execute(
        "SELECT max(TRY_CAST(f.one AS INTEGER)), max(TRY_CAST(f.two AS INTEGER)), max(TRY_CAST(f.three AS INTEGER)),"
        " max(length(f.three)),"
        # The date itself, not an address or a version elsewhere in the line.
        " count(*) FILTER (contains(subject, f.one || '.' || f.two || '.' || f.three)) FROM tried WHERE f.minute <> ''"
    ).fetchall()[0]
    if digits == 2 and one > 12 and (one > 31 or three <= 31):
        return "ymd", False
    if one > 12:
        return "dmy", False
    if two > 12:
        return "mdy", False
    if dotted:
        return "dmy", False
    return "mdy", True


def _subject(*, anywhere: bool) -> str:
    """Return the expression for the part of ``line`` in which its time is looked for."""
    keyed = f"regexp_extract(line, {literal(KEYED_TIME)}, ['quoted', 'bare'])"
    plain = "line" if anywhere else f"left(line, {_HEAD})"
    return (
        f"CASE WHEN line LIKE '{{%' THEN coalesce(nullif({keyed}.quoted || {keyed}.bare, ''), {plain})"
        f" WHEN regexp_matches({plain}, {literal(_KEYED_EPOCH)}) THEN regexp_extract({plain}, {literal(_KEYED_EPOCH)}, 1)"
        f" ELSE {plain} END"
    )


def _any(conditions: Sequence[str]) -> str:
    return f"({' OR '.join(conditions)})" if conditions else "FALSE"
