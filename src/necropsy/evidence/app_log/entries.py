"""Group lines into entries, and find the errors among them, in DuckDB.

The error log of the incident (shortened; it carries no time)::

    org.springframework.dao.QueryTimeoutException: Redis command timed out; nested exception is
        com.lambdaworks.redis.RedisCommandTimeoutException: Command timed out
    <tab>at org.springframework.data.redis.connection.lettuce.LettuceExceptionConverter.convert(LettuceException…:66)

One entry, one ``RedisCommandTimeoutException``. An entry begins with the application's own time or level; in a log
without them, with any line that does not continue a stack trace. A shipper's time begins none. Nothing of an entry but
the class of its error and its minute is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from necropsy._internal.sql_quoting import literal
from necropsy.evidence.app_log.clients.everyone import TROUBLE
from necropsy.evidence.app_log.errors import ELSEWHERE, KNOWN, MENTIONED, NAMELESS, OTHER, STORE
from necropsy.evidence.app_log.line_patterns import (
    CALM,
    CAUSE_BEHIND,
    EXCEPTION,
    HARSH,
    JSON,
    LEVEL,
    LINKS,
    STAMPED_FRAME,
    TRACEBACK,
)
from necropsy.evidence.app_log.times.choice import Times
from necropsy.evidence.app_log.wrappers import FRAME, WrapperColumns
from necropsy.model.store_trouble import StoreTrouble

MOST: Final = 200
"""Classes beyond the known ones that are told apart; the rest is ``other``."""

_NEAR: Final = 8
"""Lines within which a client of a store must be named for words that others use too: a time-out of a socket stands as
deep in a stack trace below the client that waited."""
_BLANK, _FRAME, _LINK, _OPENS, _HEAD, _PLAIN, _JAVA = range(7)


def _first(low: int, high: int) -> str:
    """Return the expression for the first place in ``KNOWN`` from ``low`` on and below ``high`` that ``part`` names."""
    if low == high:
        return "NULL"
    everything = "|".join(f"(?:{error.pattern})" for error in KNOWN[low:high])
    cases = " ".join(
        f"WHEN regexp_matches(part, {literal(error.pattern)}) THEN {place}"
        for place, error in enumerate(KNOWN[low:high], start=low)
    )
    # Nearly all lines are stack frames: one expression dismisses them.
    return f"CASE WHEN regexp_matches(part, {literal(everything)}) THEN CASE {cases} END END"


VAGUE: Final = sum(not error.vague and not error.shared for error in KNOWN)
"""Place in ``KNOWN`` from which classes are vague."""
SHARED: Final = sum(not error.shared for error in KNOWN)
"""Place in ``KNOWN`` from which words are shared."""


def peeled(table: str, layers: Sequence[WrapperColumns]) -> str:
    """Return the query for ``number``, ``stream``, ``outer_subject``, ``line`` (without the layers) over a table of lines."""
    query = f"SELECT number, '' AS stream, '' AS outer_subject, line FROM {table}"
    for layer in layers:
        # The innermost time of a shipper is the nearest to what happened.
        query = (
            f"SELECT number, stream || {layer.stream} AS stream,"
            f" coalesce(nullif({layer.stamp}, ''), outer_subject) AS outer_subject, {layer.rest} AS line FROM ({query})"
        )
    return query


def coded(lines: str, times: Times) -> str:
    """Return the query for the rows of lines that are not blank, each with what it is and what it names."""

    def not_frame(expression: str) -> str:
        return f"CASE WHEN code <> {_JAVA} THEN {expression} END"

    head = "left(part, 200)"
    calm = f"regexp_matches({head}, {literal(CALM)}) AND NOT regexp_matches({head}, {literal(HARSH)})"
    return (
        f"WITH timed AS (SELECT *, {times.columns} FROM ({lines})),"
        f" stamped AS (SELECT number, stream, line, {times.seen} AS seen, {times.own} AS own, {times.own_zoned} AS own_zoned,"
        f" {times.outer} AS outer_at, {times.outer_zoned} AS outer_zoned FROM timed),"
        f" dated AS ({_over_midnight() if times.of_day else 'FROM stamped'}),"
        " split AS (SELECT number, stream, seen, own IS NOT NULL AS owned, CASE WHEN outer_zoned AND NOT own_zoned THEN outer_at"
        " ELSE coalesce(own, outer_at) END AS moment,"
        " (own_zoned OR outer_zoned) AS zoned,"
        " unnest(CASE WHEN contains(line, '\\n') OR contains(line, chr(10))"
        " THEN string_split_regex(line, '\\\\r?\\\\n|\\r?\\n') ELSE [line] END) AS part,"
        " unnest(range(CASE WHEN contains(line, '\\n') OR contains(line, chr(10))"
        " THEN len(string_split_regex(line, '\\\\r?\\\\n|\\r?\\n')) ELSE 1 END)) AS place FROM dated),"
        f" read AS (SELECT *, {_code()} AS code, regexp_matches(part, {literal(MENTIONED)}) AS mentions FROM split"
        " WHERE trim(part) <> '')"
        # Nearly all lines are frames of Java or Node: of them only the client that they name is asked for.
        f" SELECT number, place, stream, moment, owned, zoned, code, mentions,"
        f" {not_frame(f'regexp_matches(part, {literal(EXCEPTION)})')} AS is_exception,"
        f" {not_frame(_first(0, VAGUE))} AS sure, {not_frame(_first(VAGUE, SHARED))} AS vague,"
        f" {not_frame(_first(SHARED, len(KNOWN)))} AS common,"
        " CASE WHEN contains(part, 'Exception') OR contains(part, 'Error')"
        f" THEN regexp_extract(part, {literal(OTHER)}, 1) END AS other,"
        f" regexp_matches(part, {literal(STORE)}) AS names_client,"
        f" {not_frame(f'regexp_matches(part, {literal(ELSEWHERE)})')} AS elsewhere,"
        f" mentions AND {not_frame(f'regexp_matches(part, {literal(TROUBLE)})')} AS troubled,"
        f" {not_frame(calm)} AS calm,"
        " part LIKE '%Caused by%' AS cause, contains(part, 'redis: nil') OR contains(part, 'redigo: nil') AS missing_key"
        " FROM read"
    )


def _over_midnight() -> str:
    """Return the query that gives the days before each midnight to times that name no day: the last line is of the file's."""
    return (
        "SELECT * REPLACE (own - (max(days) OVER () - days) * INTERVAL 1 DAY AS own) FROM (SELECT *,"
        " sum(CASE WHEN own < earlier - INTERVAL 12 HOUR THEN 1 ELSE 0 END)"
        " OVER (ORDER BY number ROWS UNBOUNDED PRECEDING) AS days"
        " FROM (SELECT *, lag(own IGNORE NULLS) OVER (ORDER BY number) AS earlier FROM stamped))"
    )


def _code() -> str:
    cause = f"regexp_extract(part, {literal(CAUSE_BEHIND)}, 1)"
    return (
        f"CASE WHEN regexp_matches(part, {literal(LINKS)}) THEN {_LINK}"
        f" WHEN regexp_matches(part, {literal(TRACEBACK)}) THEN {_OPENS}"
        f" WHEN regexp_matches(part, '^\\s*at ') THEN {_JAVA}"
        f" WHEN place > 0 THEN {_FRAME}"
        f" WHEN regexp_matches(part, {literal(FRAME)}) AND NOT (seen AND regexp_matches(part, '^\\s+[\\d\\[]')) THEN {_FRAME}"
        f" WHEN seen AND (regexp_matches(part, {literal(STAMPED_FRAME)})"
        f" OR ({cause} <> '' AND NOT regexp_matches({cause}, {literal(HARSH)}))) THEN {_FRAME}"
        f" WHEN seen OR regexp_matches(part, {literal(LEVEL)}) OR regexp_matches(part, {literal(JSON)}) THEN {_HEAD}"
        f" ELSE {_PLAIN} END"
    )


def entries(coded_table: str) -> str:
    """Return the query for one row an entry: its moment, what it names, its lines and whether it was understood."""
    stream = "PARTITION BY stream ORDER BY number, place"
    frames = f"({_FRAME}, {_JAVA})"
    return (
        f"WITH before AS (SELECT *, lag(code) OVER w AS previous, lag(is_exception) OVER w AS after_exception,"
        f" last_value(CASE WHEN code IN ({_OPENS}, {_HEAD}, {_JAVA}) THEN code END IGNORE NULLS)"
        " OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS anchor,"
        f" bool_or(code = {_HEAD}) OVER (PARTITION BY stream) AS has_heads,"
        " last_value(moment IGNORE NULLS) OVER (w ROWS UNBOUNDED PRECEDING) AS happened"
        f" FROM {coded_table} WINDOW w AS ({stream})),"
        f" concluded AS (SELECT *, code = {_PLAIN} AND previous IN {frames}"
        f" AND anchor IS NOT DISTINCT FROM {_OPENS} AS concludes FROM before),"
        " followed AS (SELECT *, coalesce(lag(concludes) OVER w, FALSE) AS after_conclusion FROM concluded"
        f" WINDOW w AS ({stream})),"
        f" begun AS (SELECT *, CASE WHEN previous IS NULL OR code = {_HEAD} THEN TRUE"
        f" WHEN code = {_OPENS} THEN previous IN {frames} OR after_conclusion"
        f" WHEN code = {_PLAIN} AND NOT concludes THEN CASE WHEN has_heads"
        f" THEN is_exception AND (previous IN {frames} OR after_conclusion)"
        f" ELSE NOT (is_exception AND previous = {_PLAIN} AND NOT after_exception AND NOT after_conclusion) END"
        " ELSE FALSE END AS begins FROM followed),"
        f" numbered AS (SELECT *, sum(begins::INTEGER) OVER ({stream} ROWS UNBOUNDED PRECEDING) AS entry,"
        f" row_number() OVER ({stream}) AS row FROM begun),"
        # Shared words count beside the name of a client; a line that names something else is about that.
        " near AS (SELECT stream, entry, row, common, bool_or(names_client) OVER (PARTITION BY stream, entry ORDER BY row"
        f" RANGE BETWEEN {_NEAR} PRECEDING AND {_NEAR} FOLLOWING) AS beside, names_client, mentions, elsewhere, code"
        " FROM numbered WHERE names_client OR common IS NOT NULL),"
        " shared AS (SELECT stream, entry, min(common) FILTER (names_client OR (mentions OR beside) AND NOT elsewhere) AS common,"
        " min(common) FILTER (NOT elsewhere) AS any_common FROM near WHERE common IS NOT NULL"
        f" AND code <> {_JAVA} GROUP BY ALL)"
        " SELECT stream, entry, min(number) AS number, count(*) AS lines, min(happened) AS happened,"
        f" bool_or(begins AND code = {_HEAD}) AS headed, bool_or(begins AND calm) AS calm,"
        " min(sure) AS sure, min(vague) AS vague, any_value(shared.common) AS common, any_value(shared.any_common) AS any_common,"
        f" bool_or(mentions AND troubled AND NOT missing_key AND NOT elsewhere AND code <> {_JAVA}) AS unclear,"
        " coalesce(arg_max(other, row) FILTER (WHERE cause AND other <> ''),"
        " arg_min(other, row) FILTER (WHERE other <> '')) AS other"
        " FROM numbered LEFT JOIN shared USING (stream, entry) GROUP BY stream, entry"
    )


def errors_of(entry_table: str) -> str:
    """Return the query for ``bin``, ``class``, ``trouble``, ``events`` over a table of entries."""
    names = ", ".join(literal(error.name) for error in KNOWN)
    troubles = ", ".join(literal(error.trouble) for error in KNOWN)
    shared = "CASE WHEN NOT coalesce(calm, FALSE) THEN common END"
    words = "coalesce(sure, any_common, vague)"
    return (
        f"WITH judged AS (SELECT happened, other, coalesce(sure, vague, {shared}) AS place,"
        f" CASE WHEN sure IS NOT NULL THEN sure WHEN vague IS NOT NULL THEN {words} ELSE {shared} END AS telling,"
        f" unclear AND NOT coalesce(calm, FALSE) AS unclear FROM {entry_table}),"
        f" named AS (SELECT date_trunc('minute', happened) AS bin, CASE WHEN place IS NOT NULL THEN [{names}][place + 1]"
        f" WHEN other <> '' THEN left(regexp_extract(other, '[^.\\\\:]+$'), 80) ELSE {literal(NAMELESS)} END AS class,"
        f" CASE WHEN place IS NOT NULL THEN [{troubles}][telling + 1]"
        f" WHEN unclear THEN {literal(StoreTrouble.UNCLEAR)} END AS trouble,"
        " place IS NOT NULL AS known FROM judged WHERE place IS NOT NULL OR other <> '' OR unclear),"
        f" shown AS (SELECT class FROM named WHERE NOT known GROUP BY class ORDER BY count(*) DESC, class LIMIT {MOST})"
        " SELECT bin::TIMESTAMP AS bin, CASE WHEN known OR class IN (FROM shown) THEN class ELSE 'other' END AS class,"
        " trouble, count(*)::INTEGER AS events FROM named GROUP BY ALL ORDER BY ALL"
    )
