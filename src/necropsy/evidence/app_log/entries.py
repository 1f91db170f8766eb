"""From lines to entries to errors, in DuckDB.

The error log of the incident (shortened; it carries no time)::

    org.springframework.dao.QueryTimeoutException: Redis command timed out; nested exception is
        com.lambdaworks.redis.RedisCommandTimeoutException: Command timed out
    <tab>at org.springframework.data.redis.connection.lettuce.LettuceExceptionConverter.convert(LettuceException…:66)

One entry, one ``RedisCommandTimeoutException``. An entry begins with a time; in a log without times, with any line
that does not continue a stack trace. Nothing of an entry but the class of its error and its minute is kept.
"""

from __future__ import annotations

from typing import Final

from necropsy.evidence.app_log.errors import KNOWN, OTHER

MOST: Final = 200
"""Classes beyond the known ones that are told apart; the rest is ``other``."""

_ISO: Final = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?"
_PHP: Final = r"\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d"
_COMMON: Final = r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}"
_CONTINUES: Final = r"^(\s|at |Caused by|Suppressed|\.\.\. |Traceback|During handling|The above exception|#\d+ |\}|$)"
_HEAD: Final = 120
"""Characters of a line within which its time stands."""


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def stamp() -> str:
    """Return the expression for the time of ``line``: TIMESTAMP in UTC, NULL where there is none."""
    head = f"left(line, {_HEAD})"
    iso = f"replace(replace(regexp_extract({head}, {_text(_ISO)}), ',', '.'), '/', '-')"
    iso = f"TRY_CAST(regexp_replace({iso}, ' ([+-]\\d\\d)', '\\1') AS TIMESTAMPTZ)::TIMESTAMP"
    php = f"try_strptime(regexp_extract({head}, {_text(_PHP)}), '%d-%b-%Y %H:%M:%S')"
    common = f"try_strptime(regexp_extract({head}, {_text(_COMMON)}), '%d/%b/%Y:%H:%M:%S %z')::TIMESTAMP"
    # strptime reads an empty text as 1900-01-01
    others = [(_PHP, php), (_COMMON, common)]
    cases = ", ".join(f"CASE WHEN regexp_matches({head}, {_text(form)}) THEN {value} END" for form, value in others)
    return f"coalesce({iso}, {cases})"


def rank() -> str:
    """Return the expression for the place in ``KNOWN`` of the most telling error that ``line`` names; NULL: none."""
    everything = "|".join(f"(?:{error.pattern})" for error in KNOWN)
    cases = " ".join(
        f"WHEN regexp_matches(line, {_text(error.pattern)}) THEN {place}" for place, error in enumerate(KNOWN)
    )
    # Nearly all lines are stack frames: one expression dismisses them.
    return f"CASE WHEN regexp_matches(line, {_text(everything)}) THEN CASE {cases} END END"


def errors_of(table: str) -> str:
    """Return the query for ``bin``, ``class``, ``events`` over a table of ``number``, ``line`` in their order."""
    names = ", ".join(_text(error.name) for error in KNOWN)
    return (
        f"WITH seen AS (SELECT number, {stamp()} AS stamp, {rank()} AS place,"
        " CASE WHEN contains(line, 'Exception') OR contains(line, 'Error')"
        f" THEN regexp_extract(line, {_text(OTHER)}, 1) END AS other,"
        f" regexp_matches(line, {_text(_CONTINUES)}) AS continues, line LIKE 'Caused by%' AS cause FROM {table}),"
        " timed AS (SELECT bool_or(stamp IS NOT NULL) AS has_times FROM seen),"
        " numbered AS (SELECT *, sum((CASE WHEN has_times THEN stamp IS NOT NULL ELSE NOT continues END)::INTEGER)"
        " OVER (ORDER BY number ROWS UNBOUNDED PRECEDING) AS entry FROM seen, timed),"
        " entries AS (SELECT entry, min(stamp) AS stamp, min(place) AS place,"
        " coalesce(arg_max(other, number) FILTER (WHERE cause AND other <> ''),"
        " arg_min(other, number) FILTER (WHERE other <> '')) AS other FROM numbered"
        " GROUP BY entry HAVING place IS NOT NULL OR other IS NOT NULL),"
        f" named AS (SELECT date_trunc('minute', stamp) AS bin, CASE WHEN place IS NOT NULL THEN [{names}][place + 1]"
        " ELSE left(regexp_extract(other, '[^.\\\\:]+$'), 80) END AS class, place IS NOT NULL AS known FROM entries),"
        f" shown AS (SELECT class FROM named WHERE NOT known GROUP BY class ORDER BY count(*) DESC, class LIMIT {MOST})"
        " SELECT bin::TIMESTAMP AS bin, CASE WHEN known OR class IN (FROM shown) THEN class ELSE 'other' END AS class,"
        " count(*)::INTEGER AS events FROM named GROUP BY ALL ORDER BY ALL"
    )
