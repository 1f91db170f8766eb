"""The history that a case carries over from the one before it, bounded: old samples are thinned, then dropped.

A watch makes a new case at each look, and the new one takes over what the old one remembers. So the history is in one file,
which is whole at each moment, and ``necropsy report`` and SQL read it like any other case.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy._internal.paths import is_file
from necropsy._internal.sql_quoting import literal
from necropsy.case.schema import BY_NAME

if TYPE_CHECKING:
    from necropsy.case.store import Case

THIN_AFTER_S: Final = 86_400
"""Measurements older than a day are kept once an hour: the last of each level, the sum of each count."""
_CARRIED: Final = {
    "history": "\"at\" >= $since AND source = $source AND quantity <> 'predicted'",
    "event": '"at" >= $since AND source = $source',
    "look": '"at" >= $since',
    "notice": "coalesce(resolved_at, 'infinity') >= $since",  # what goes on never grows old
}
"""Rows of each table that are carried over. Others measure their rows again; change points are found again in all of it."""
_COUNTS: Final = "('births')"
"""Quantities that are counted within a span."""


def carry_over(case: Case, older: Path, now: datetime, keep_s: float, source: str) -> bool:
    """Take over the history of an older case.

    Parameters
    ----------
    case
        The new case, its tables of history still empty.
    older
        A finished case; one of a schema without these tables has no history.
    now
        What counts as now, UTC without a zone.
    keep_s
        Seconds of history that are kept.
    source
        Who carries over: of ``history`` and ``event`` its own rows.

    Returns
    -------
    bool
        False when there is no older case, or what lies there is none: a watch begins anew, and says so.
    """
    import duckdb

    if not is_file(older):
        return False
    try:
        case.execute(f"ATTACH {literal(str(older))} AS older (READ_ONLY)")
    except duckdb.Error:
        return False
    since, thin = now - timedelta(seconds=keep_s), now - timedelta(seconds=THIN_AFTER_S)
    try:
        there = {
            (row["table_name"], row["column_name"])
            for row in case.rows(
                "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'older' AND schema_name = 'main'"
            )
        }
        for name, condition in _CARRIED.items():
            columns = ", ".join(f'"{c.name}"' for c in BY_NAME[name].columns if (name, c.name) in there)
            if columns:
                parameters = {"since": since, "source": source} if "$source" in condition else {"since": since}
                case.execute(
                    f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM older.main."{name}" WHERE {condition}',
                    parameters,
                )
    finally:
        case.execute("DETACH older")
    _thin(case, thin, source)
    return True


def _thin(case: Case, before: datetime, source: str) -> None:
    mine = [before, source]
    case.execute(
        f"CREATE TEMP TABLE thinned AS SELECT store, source, quantity,"
        f' CASE WHEN quantity IN {_COUNTS} THEN min("at") ELSE max("at") END AS "at",'
        f" CASE WHEN quantity IN {_COUNTS} THEN sum(seconds) ELSE 0 END AS seconds,"
        f' CASE WHEN quantity IN {_COUNTS} THEN sum(value) ELSE max_by(value, "at") END AS value'
        ' FROM history WHERE "at" < ? AND source = ? GROUP BY store, source, quantity, date_trunc(\'hour\', "at")',
        mine,
    )
    case.execute('DELETE FROM history WHERE "at" < ? AND source = ?', mine)
    case.execute("INSERT INTO history BY NAME SELECT * FROM thinned")
    case.execute("DROP TABLE thinned")
    case.execute(
        'DELETE FROM look WHERE "at" < ? AND "at" NOT IN (SELECT max("at") FROM look GROUP BY date_trunc(\'hour\', "at"))',
        [before],
    )
