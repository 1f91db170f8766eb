"""Read the well-formed lines of a file by DuckDB; all others are numbered, and left to ``reference``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from necropsy._internal.sql_quoting import literal
from necropsy.evidence.access_log import lines
from necropsy.evidence.access_log.distinct import Distinct
from necropsy.evidence.access_log.files import damaged_lines
from necropsy.evidence.access_log.files.sources import LogFile, spool
from necropsy.evidence.access_log.formats.field_texts import AUTHORITY, TextChange, changes
from necropsy.evidence.access_log.formats.fields import cookies
from necropsy.evidence.access_log.formats.fields.timestamps import took_sql
from necropsy.evidence.access_log.formats.layout import BLANK, LineLayout
from necropsy.model.errors import UnreadableSource
from necropsy.model.traffic import REDIRECTS

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from necropsy.case.scratch import Scratch

_BATCH: Final = 1 << 16
"""Rows that DuckDB hands over at a time."""
_TEXTS: Final = {"client": "client", "agent": "agent", "host": "host", "page": "request", "referer": "referer"}
"""Key of a row to the text that it is of."""


class Passed(NamedTuple):
    """The result of one pass over a file."""

    file: LogFile
    """What was read: the file, or a copy of it that DuckDB takes."""
    left: NDArray[np.int64]
    """Lines that are not well formed, from 0, sorted; of JSON by their place among lines that are not blank."""
    lines: int


def query(layout: LineLayout, table: str) -> str:
    """Return the query for a table of lines: a row for each, with the texts of ``_TEXTS`` and their hashes.

    ``fault`` is 0 where a line is well formed, ``BLANK`` where it is blank. One behind a hole of NULs, as a crash leaves in
    a file, is left: the hole is no part of its client.
    """
    of = layout.lines.sql

    def one(field: str) -> str:
        return of(layout.fields[field][0])

    def first(field: str) -> str:
        names = layout.fields.get(field, ())
        if len(names) < 2:
            return of(names[0]) if names else "''"
        given = " ".join(f"WHEN {of(name)} NOT IN ('', '-') THEN {of(name)}" for name in names)
        return f"CASE {given} ELSE '' END"

    def path(value: str) -> str:
        return f"split_part({value}, '?', 1)"

    request = path(one("request")) if "request" in layout.fields else ""
    if not request:
        method = f"coalesce({one('method')}, '-')" if "method" in layout.fields else literal("GET")
        request = f"{method} || ' ' || {path(one('target'))}"
    chosen = {
        "stamp": one("time"),
        "client": first("client"),
        "agent": one("agent") if "agent" in layout.fields else "''",
        "host": first("host"),
        "request": request,
        "referer": path(one("referer")) if "referer" in layout.fields else "''",
        "status": one("status") if "status" in layout.fields else "NULL::VARCHAR",
        "fits": f"({layout.lines.fits})",
    }
    if layout.absolute and "host" not in layout.fields:
        chosen["host"] = f"regexp_extract({one('target')}, {literal(AUTHORITY)}, 1)"
    if "duration" in layout.fields:
        chosen["took_us"] = took_sql(one("duration"))
    flags = cookies.sql({field: one(field) for field in layout.fields if field in cookies.TELLING})
    if flags:
        chosen["flags"] = flags
    blank = hole = "FALSE"
    if layout.kind == "lines":
        hole = "starts_with(line, chr(0)) OR contains(line, repeat(chr(0), 8))"
        comment = f" OR starts_with(line, {literal(layout.comment)})" if layout.comment else ""
        blank = f"line IS NULL OR line = ''{comment}"
    inner = (
        f"SELECT {', '.join(f'{value} AS {name}' for name, value in chosen.items())}, ({blank}) AS blank,"
        f" ({hole}) AS hole FROM {table}"
    )
    moment = layout.form.sql("stamp")
    typed = (
        f"SELECT * EXCLUDE (stamp, status), {moment} AS time_us, status IS NULL AS unknown,"
        f" CASE WHEN length(status) = 3 THEN TRY_CAST(status AS SMALLINT) END AS status FROM ({inner})"
    )
    texts = ", ".join(f"{text}, hash({text}) AS {text}_hash" for text in _TEXTS.values())
    took = " - took_us" if "duration" in layout.fields else ""
    fault = (
        f"CASE WHEN blank THEN {BLANK} WHEN hole THEN 1 WHEN fits AND time_us IS NOT NULL AND request <> ''"
        " AND (unknown OR status >= 100) THEN 0 ELSE 1 END::TINYINT"
    )
    return (
        f"SELECT time_us{took} AS time_us, status, {texts}{', flags' if flags else ''}, {fault} AS fault FROM ({typed})"
    )


def read(
    scratch: Scratch,
    file: LogFile,
    layout: LineLayout,
    numbers: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    writer: lines.Writer,
    report_lines: Callable[[int], object] | None = None,
    *,
    known_lines: int | None = None,
) -> Passed:
    """Read a file into the tables; of what DuckDB refuses, a copy that it takes.

    Parameters
    ----------
    numbers
        Makes the numbers of lines in the log of their numbers in the file, from 0.
    report_lines
        Called after each batch with the lines that were read.
    known_lines
        How many lines the file has, if that is known: with more, some were torn apart at a carriage return.

    Raises
    ------
    UnreadableSource
        DuckDB takes no copy either.
    """
    gentler: list[Callable[[LogFile], LogFile]] = [
        lambda given: given,
        lambda given: _unpacked(scratch, given),
        lambda given: damaged_lines.tidy(given, given.path.with_name(f"{given.path.name}-tidy")),
    ]
    problem = ""
    for soften in gentler:
        softened = soften(file)
        if softened is file and problem:
            continue
        file = softened
        try:
            with writer.all_or_nothing(), scratch.beside() as connection:
                left, count = _rows(connection, layout, file, numbers, writer, report_lines)
                are_all = known_lines in {None, count}
                if layout.kind == "lines":
                    _refuse_torn(connection, file, left, are_all)
                if left.size or not are_all:
                    _refuse_joined(file)
        except lines.WithdrawnError as error:
            problem = str(error)
        except scratch.errors as error:
            problem = str(error).splitlines()[0]
        else:
            return Passed(file, left, count)
    raise UnreadableSource(f"{file.locator}: {problem}", hint="Copy the file again, or leave it out.")


def _unpacked(scratch: Scratch, file: LogFile) -> LogFile:
    """Unpack a compressed file as far as it goes; others stay as they are."""
    if file.compression == "none":
        return file
    with file.open() as stream:
        return spool(file.locator, stream, scratch.folder / f"{file.path.name}-unpacked")


def _refuse_torn(connection: duckdb.DuckDBPyConnection, file: LogFile, left: NDArray[np.int64], are_all: bool) -> None:
    """Withdraw rows that are not the lines of the file: some were left out, or torn apart at a carriage return."""
    tables = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'"
    if _value(connection, tables) and _value(connection, "SELECT count(*) FROM reject_errors"):
        raise lines.WithdrawnError("holds bytes that are not UTF-8, or lines that are too long")
    # Torn apart, a line fails, or is more than one.
    if (left.size or not are_all) and damaged_lines.has_returns(file):
        raise lines.WithdrawnError("holds carriage returns")


def _refuse_joined(file: LogFile) -> None:
    """Withdraw rows that have fewer numbers than there are lines: some are joined."""
    if damaged_lines.has_joined(file):
        raise lines.WithdrawnError("holds lines that are joined")


def _value(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    return connection.execute(query).fetchall()[0][0]


def _rows(
    connection: duckdb.DuckDBPyConnection,
    layout: LineLayout,
    file: LogFile,
    numbers: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    writer: lines.Writer,
    report_lines: Callable[[int], object] | None,
) -> tuple[NDArray[np.int64], int]:
    """Write the rows; return which lines are left, and how many there are."""
    import numpy as np
    import pyarrow as pa

    change = changes(layout)
    distinct = {key: Distinct(key, change.get(text), writer) for key, text in _TEXTS.items()}
    connection.execute("SET produce_arrow_string_view = true")
    asked = query(layout, layout.lines.table(str(file.path), file.compression))
    count = 0
    left = [np.empty(0, np.int64)]
    for rows in connection.sql(asked).to_arrow_reader(_BATCH):
        fault = rows["fault"].to_numpy(zero_copy_only=False)
        number = np.arange(count, count + fault.size)
        count += fault.size
        if fault.any():
            left.append(number[(fault != 0) & (fault != BLANK)])
            number = number[fault == 0]
        _write(rows.filter(pa.array(fault == 0)) if fault.any() else rows, numbers(number), distinct, change, writer)
        if report_lines is not None:
            report_lines(count)
    return np.concatenate(left), count


def _write(
    batch: pa.RecordBatch,
    number: NDArray[np.int64],
    distinct: dict[str, Distinct],
    change: dict[str, TextChange],
    writer: lines.Writer,
) -> None:
    import numpy as np

    status = batch["status"].fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int16)
    keys = {key: one.keys(batch[f"{_TEXTS[key]}_hash"].to_numpy(), batch[_TEXTS[key]]) for key, one in distinct.items()}
    keys["address"] = _addresses(batch, status, change)
    flags = batch["flags"].to_numpy(zero_copy_only=False).astype(np.int8) if "flags" in batch.schema.names else None
    time_us = batch["time_us"].to_numpy(zero_copy_only=False).astype(np.int64)
    writer.add(number, time_us, status, [keys[field] for field in lines.KEYED], flags)


def _addresses(batch: pa.RecordBatch, status: NDArray[np.int16], change: dict[str, TextChange]) -> NDArray[np.uint64]:
    """Return the key of each redirect's address; 0 of other lines."""
    import numpy as np
    import pyarrow as pa

    found = np.zeros(status.size, np.uint64)
    rows = np.flatnonzero(np.isin(status, REDIRECTS))
    if rows.size:
        texts = []
        for text in ("host", "request"):
            some = batch[text].take(pa.array(rows)).cast(pa.large_string()).fill_null("").dictionary_encode()
            changed = list(map(change.get(text, str), some.dictionary.to_pylist()))
            texts.append(pa.array(changed, pa.large_string()).take(some.indices))
        found[rows] = lines.address_keys(*texts)
    return found


def write_rows(rows: Sequence[tuple[int, Any]], writer: lines.Writer) -> None:
    """Write rows of the reference, each with its number in the log."""
    import numpy as np
    import pyarrow as pa

    if not rows:
        return
    texts = {text: pa.array([getattr(row, text) for _, row in rows], pa.large_string()) for text in _TEXTS.values()}
    status = np.array([row.status for _, row in rows], np.int16)
    keys = {}
    for key, text in _TEXTS.items():
        some = texts[text].dictionary_encode()
        one = Distinct(key, None, writer)
        hashes = np.arange(1, len(some.dictionary) + 1, dtype=np.uint64)
        keys[key] = one.keys(hashes, some.dictionary)[some.indices.to_numpy()]
    keys["address"] = np.zeros(status.size, np.uint64)
    redirects = np.flatnonzero(np.isin(status, REDIRECTS))
    if redirects.size:
        chosen = pa.array(redirects)
        keys["address"][redirects] = lines.address_keys(texts["host"].take(chosen), texts["request"].take(chosen))
    writer.add(
        np.array([number for number, _ in rows], np.int64),
        np.array([row.time_us for _, row in rows], np.int64),
        status,
        [keys[field] for field in lines.KEYED],
        np.array([row.flags for _, row in rows], np.int8),
    )
