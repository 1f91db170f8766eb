"""The past, read back from a case as the values that a report shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from necropsy.autopsy.course import PREDICTED
from necropsy.model.history import Line, PastEvent, RateChange, StoreHistory

if TYPE_CHECKING:
    from necropsy.case.store import Case

_RATE = "CASE WHEN quantity = 'births' THEN value / nullif(seconds, 0) * 3600 ELSE value END"


def histories(case: Case) -> Iterator[StoreHistory]:
    """Yield the history of each store and source, the sources in order of their names."""
    counted = {row["store"] for row in case.rows("SELECT DISTINCT store FROM session")}
    changes = case.rows("SELECT * FROM change_point ORDER BY ALL")
    for row in case.rows(
        'SELECT store, source, min("at") AS first,'
        ' max("at" + to_microseconds(round(seconds * 1e6)::BIGINT)) FILTER (quantity <> $predicted) AS last,'
        " list(DISTINCT quantity ORDER BY quantity) AS quantities"
        " FROM history GROUP BY 1, 2 HAVING last IS NOT NULL ORDER BY 1, 2",
        {"predicted": PREDICTED},
    ):
        mine = [each for each in changes if (each["store"], each["source"]) == (row["store"], row["source"])]
        births = "births" in row["quantities"]
        yield StoreHistory(
            store=row["store"],
            source=row["source"],
            start=_utc(row["first"]),
            end=_utc(row["last"]),
            births_of=("sessions" if row["store"] in counted else "keys") if births else "",
            lines=tuple(_line(case, row, quantity) for quantity in row["quantities"]),
            changes=tuple(_change(each) for each in mine),
        )


def events(case: Case) -> tuple[PastEvent, ...]:
    """Return what happened, in order of time."""
    rows = case.rows('SELECT "at", kind, text, source, store FROM event ORDER BY ALL')
    return tuple(PastEvent(**{**row, "at": _utc(row["at"])}) for row in rows)


def _line(case: Case, row: dict[str, Any], quantity: str) -> Line:
    rows = case.rows(
        f'SELECT epoch("at") - epoch($3::TIMESTAMP) AS second, {_RATE} AS value FROM history'
        ' WHERE store = $1 AND source = $2 AND quantity = $4 ORDER BY "at"',
        [row["store"], row["source"], row["first"], quantity],
    )
    return Line(quantity, tuple((round(each["second"], 3), float(each["value"])) for each in rows))


def _change(row: dict[str, Any]) -> RateChange:
    return RateChange(
        _utc(row["at"]),
        _utc(row["earliest_at"]),
        _utc(row["latest_at"]),
        row["before_per_hour"],
        row["after_per_hour"],
        row["event"] or "",
    )


def _utc(moment: Any) -> datetime:
    return moment.replace(tzinfo=UTC)  # type: ignore[no-any-return]
