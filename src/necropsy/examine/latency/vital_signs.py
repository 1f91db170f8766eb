"""Vital signs of a store while an application complained of it: births, slow moments, its start, its saves, its memory.

A live server tells of these with their times (LATENCY HISTORY, SLOWLOG, INFO); of a dump only the births are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from necropsy.model.finding import Exhibit

if TYPE_CHECKING:
    from necropsy.case.store import Case

_BIRTHS: Final = """
SELECT (count(*) FILTER (born_at >= $1))::BIGINT AS during, (count(*) FILTER (born_at < $1))::BIGINT AS before
FROM session WHERE born_at >= $1::TIMESTAMP - INTERVAL 1 HOUR AND born_at < $2
"""
_SLOW: Final = """
SELECT what, store, try_strptime(moment, '%Y-%m-%dT%H:%M:%SZ') AS "at", took_ms FROM (
  SELECT store, 'latency event ' || split_part(name, ':', 2) AS what, split_part(entry, '=', 1) AS moment,
    TRY_CAST(split_part(entry, '=', 2) AS DOUBLE) AS took_ms
  FROM (
    SELECT store, name, unnest(string_split(value, ' ')) AS entry FROM server_fact WHERE starts_with(name, 'latency-history:')
  )
  UNION ALL
  SELECT store, 'slow command ' || split_part(value, ' ', 4), split_part(value, ' ', 1),
    TRY_CAST(split_part(value, ' ', 2) AS DOUBLE) / 1000
  FROM server_fact WHERE starts_with(name, 'slowlog:')
)
"""
_FACTS: Final = """
SELECT store, max(value) FILTER (name = 'server-time') AS now, max(value) FILTER (name = 'uptime_in_seconds') AS uptime_s,
  max(value) FILTER (name = 'rdb_last_save_time') AS saved, max(value) FILTER (name = 'used_memory') AS used,
  max(value) FILTER (name = 'maxmemory') AS most
FROM server_fact GROUP BY store ORDER BY store
"""
_AROUND: Final = timedelta(minutes=10)
"""Distance within which a start or a save may have to do with the errors."""
_FULL: Final = 0.9
"""Share of ``maxmemory`` from which a store is called full."""


def beside(case: Case, first: datetime, last: datetime) -> Iterator[Exhibit]:
    """Yield what the stores of a case went through from the minute of the first error to that of the last."""
    end = last + timedelta(minutes=1)
    yield from _births(case, first, end)
    yield from _slow_moments(case, first, end)
    yield from _events(case, first, end)


def _births(case: Case, first: datetime, end: datetime) -> Iterator[Exhibit]:
    (row,) = case.rows(_BIRTHS, [first, end])
    if row["during"] or row["before"]:
        then = row["during"] / max(1.0, (end - first).total_seconds() / 60)
        yield Exhibit(
            f"sessions created: {then:,.1f} a minute then, {row['before'] / 60:,.1f} in the hour before",
            query="SELECT date_trunc('minute', born_at) AS minute, count(*) FROM session GROUP BY minute ORDER BY minute",
        )


def _slow_moments(case: Case, first: datetime, end: datetime) -> Iterator[Exhibit]:
    known = [row for row in case.rows(_SLOW) if row["at"] is not None and row["took_ms"] is not None]
    query = "SELECT store, name, value FROM server_fact WHERE name LIKE 'latency-history:%' OR name LIKE 'slowlog:%'"
    met = [row for row in known if first - timedelta(minutes=1) <= row["at"] < end]
    for store, what in sorted({(row["store"], row["what"]) for row in met}):
        some = [row for row in met if (row["store"], row["what"]) == (store, what)]
        worst = max(some, key=lambda row: row["took_ms"])
        times = f"{len(some)} times, the longest" if len(some) > 1 else "once,"
        yield Exhibit(
            f"{store}: {what} {times} {worst['took_ms']:,.0f} ms at {worst['at']:%Y-%m-%d %H:%M:%S} UTC", query=query
        )
    if known and not met:
        yield Exhibit(
            f"none of the {len(known)} slow moments that the store has recorded lies in those minutes", query=query
        )


def _events(case: Case, first: datetime, end: datetime) -> Iterator[Exhibit]:
    for row in case.rows(_FACTS):
        names = "'server-time', 'uptime_in_seconds', 'rdb_last_save_time', 'used_memory', 'maxmemory'"
        query = f"SELECT store, name, value FROM server_fact WHERE name IN ({names})"
        uptime_s, saved = _number(row["uptime_s"]), _number(row["saved"])
        if uptime_s is not None and row["now"]:
            at = datetime.fromisoformat(row["now"]).replace(tzinfo=None) - timedelta(seconds=uptime_s)
            if first - _AROUND <= at < end + _AROUND:
                yield Exhibit(f"{row['store']}: the server was started at {at:%Y-%m-%d %H:%M:%S} UTC", query=query)
        if saved:
            at = datetime(1970, 1, 1) + timedelta(seconds=saved)  # noqa: DTZ001 -- the case's times are UTC, and say so nowhere
            if first - _AROUND <= at < end + _AROUND:
                yield Exhibit(f"{row['store']}: a dump was saved at {at:%Y-%m-%d %H:%M:%S} UTC", query=query)
        used, most = _number(row["used"]), _number(row["most"])
        if used and most and used >= _FULL * most:
            yield Exhibit(
                f"{row['store']}: its memory was at {used / most:.0%} of maxmemory when it was read", query=query
            )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 16 else None
