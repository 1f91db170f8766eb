"""Read any line of a file by DuckDB, with the expressions of its layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log import damaged_lines, lines, scan
from necropsy.evidence.access_log.formats.layout import BLANK, Layout
from necropsy.evidence.access_log.sources import LogFile, spool
from necropsy.model.errors import UnreadableSource

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from necropsy.case.scratch import Scratch

_BATCH: Final = 1 << 17
"""Rows that DuckDB hands over at a time."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Lines that a layout could not read."""

    numbers: NDArray[np.int64]
    """Which, from 0, sorted; of JSON by their place among lines that are not blank."""
    faults: NDArray[np.int64]
    """Why; see ``FAULTS``."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of a file."""

    file: LogFile
    """What was read: the file, or a copy of it that DuckDB takes."""
    failed: Failed
    lines: int
    requests: int
    last_at: datetime | None


def read(
    scratch: Scratch,
    file: LogFile,
    layout: Layout,
    first_number: int,
    order: NDArray[np.int64] | None,
    report_lines: Callable[[int], object] | None = None,
) -> Passed:
    """Read a file into ``line``; of what DuckDB refuses, a copy that it takes.

    Parameters
    ----------
    first_number
        Number of the log's first line.
    order
        Numbers of these lines in the log; None: as they come.
    report_lines
        Called after each batch with the lines that were read.

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
        scratch.run("CREATE OR REPLACE TEMP TABLE fresh AS FROM line_stored LIMIT 0")
        writer = lines.Writer(scratch, "fresh")
        try:
            with scratch.beside() as connection:
                failed, count = _rows(connection, layout, file, writer, report_lines)
                skipped = _skipped(connection) if layout.kind == "lines" else _none()
        except scratch.errors as error:
            problem = str(error).splitlines()[0]
            continue
        writer.flush()
        failed = _with_skipped(failed, skipped)
        # DuckDB ends a line at a carriage return, too; a line that is torn apart fails.
        if layout.kind == "lines" and failed.numbers.size and damaged_lines.has_returns(file):
            problem = "holds carriage returns"
            continue
        _number(scratch, first_number, order, skipped)
        return Passed(file, failed, count + skipped.size, writer.requests, writer.last_at)
    raise UnreadableSource(f"{file.locator}: {problem}", hint="Take the file again, or leave it out.")


def _unpacked(scratch: Scratch, file: LogFile) -> LogFile:
    """Unpack a compressed file as far as it goes; others stay as they are."""
    if file.compression == "none":
        return file
    with file.open() as stream:
        return spool(file.locator, stream, scratch.folder / f"{file.path.name}-unpacked")


def _rows(
    connection: duckdb.DuckDBPyConnection,
    layout: Layout,
    file: LogFile,
    writer: lines.Writer,
    report_lines: Callable[[int], object] | None,
) -> tuple[Failed, int]:
    """Write the rows, numbered from 0; return which failed, and how many there are."""
    import numpy as np
    import pyarrow as pa

    count = 0
    numbers, faults = [_none()], [_none()]
    for batch in connection.sql(layout.query(str(file.path), file.compression)).to_arrow_reader(_BATCH):
        fault = batch["fault"].to_numpy(zero_copy_only=False).astype(np.int64)
        bad = np.flatnonzero((fault != 0) & (fault != BLANK))
        numbers.append(bad + count)
        faults.append(fault[bad])
        good = np.flatnonzero(fault == 0)
        some = batch.filter(pa.array(fault == 0))
        status = _integers(some["status"], -1).astype(np.int16)
        found = {field: _keys(some[field], field) for field in ("client", "agent", "host")}
        found["page"] = _pages(some["request"])
        for _, distinct, texts in found.values():
            writer.give(distinct, texts)
        writer.add(
            good + count,
            _integers(some["stamp"].cast(pa.int64()), 0).astype(np.int64),
            status,
            [
                *(keys for keys, _, _ in found.values()),
                _addresses(some, status),
                _of_rows(some["referer"], lines.referer_keys),
            ],
            _integers(some["flags"], 0).astype(np.int8) if "flags" in layout.fields else None,
        )
        count += batch.num_rows
        if report_lines is not None:
            report_lines(count)
    return Failed(np.concatenate(numbers), np.concatenate(faults)), count


def _keys(column: pa.Array, field: str) -> tuple[NDArray[np.uint64], NDArray[np.uint64], pa.Array]:
    """Return the key of each row, and the distinct keys with their texts; the empty text is not among them."""
    import pyarrow as pa

    encoded = column.fill_null("").dictionary_encode()
    distinct = lines.keys(encoded.dictionary, field)
    return _taken(distinct, encoded), distinct[distinct != 0], encoded.dictionary.filter(pa.array(distinct != 0))


def _pages(requests: pa.Array) -> tuple[NDArray[np.uint64], NDArray[np.uint64], pa.Array]:
    """Return the key of each row's page, and the distinct keys with their pages."""
    asked = requests.fill_null("").dictionary_encode()
    folded = lines.folded(asked.dictionary).dictionary_encode()
    distinct = lines.keys(folded.dictionary, "page")
    return _taken(_taken(distinct, folded), asked), distinct, folded.dictionary


def _addresses(rows: pa.RecordBatch, status: NDArray[np.int16]) -> NDArray[np.uint64]:
    """Return the key of each redirect's address; 0 of other lines."""
    import numpy as np
    import pyarrow as pa

    found = np.zeros(status.size, np.uint64)
    redirects = np.isin(status, scan.REDIRECTS)
    if redirects.any():
        some = rows.filter(pa.array(redirects))
        found[redirects] = lines.address_keys(some["host"], some["request"])
    return found


def _of_rows(column: pa.Array, keys: Callable[[pa.Array], NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Return the key of each row, each text being hashed once."""
    encoded = column.fill_null("").dictionary_encode()
    return _taken(keys(encoded.dictionary), encoded)


def _taken(distinct: NDArray[np.uint64], encoded: pa.DictionaryArray) -> NDArray[np.uint64]:
    import numpy as np

    if not len(encoded):
        return np.empty(0, np.uint64)
    taken: NDArray[np.uint64] = distinct[encoded.indices.to_numpy(zero_copy_only=False)]
    return taken


def _integers(column: pa.Array, missing: int) -> NDArray[np.generic]:
    return column.fill_null(missing).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _none() -> NDArray[np.int64]:
    import numpy as np

    return np.empty(0, np.int64)


def _skipped(connection: duckdb.DuckDBPyConnection) -> NDArray[np.int64]:
    """Return the lines that the reader left out (no UTF-8, too long), from 0, so that those behind them moved up."""
    import numpy as np

    if not connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchall()[0][
        0
    ]:
        return _none()
    rows = connection.execute("SELECT DISTINCT line - 1 AS number FROM reject_errors ORDER BY 1").fetchnumpy()
    return np.asarray(rows["number"], dtype=np.int64)


def _with_skipped(failed: Failed, skipped: NDArray[np.int64]) -> Failed:
    """Count the skipped lines among the failed ones, and number the others as if they had not moved up."""
    import numpy as np

    if not skipped.size:
        return failed
    numbers = np.concatenate([_lines_of(failed.numbers, skipped), skipped])
    faults = np.concatenate([failed.faults, np.ones_like(skipped)])
    order = np.argsort(numbers, kind="stable")
    return Failed(numbers[order], faults[order])


def _lines_of(rows: NDArray[np.int64], skipped: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which lines the rows are."""
    import numpy as np

    return rows + np.searchsorted(skipped - np.arange(skipped.size), rows, side="right")


def _number(scratch: Scratch, first_number: int, order: NDArray[np.int64] | None, skipped: NDArray[np.int64]) -> None:
    """Move the rows to ``line``, under the numbers of their lines in the log."""
    import numpy as np
    import pyarrow as pa

    if order is None and not skipped.size:
        lines.add_from(scratch, f"SELECT * REPLACE (number + {first_number} AS number) FROM fresh")
    else:
        rows = np.asarray(scratch.columns("SELECT number FROM fresh")["number"], dtype=np.int64)
        places = _lines_of(rows, skipped)
        if order is not None:
            places = order[np.minimum(places, order.size - 1)]
        scratch.connection.register("renumbered", pa.table({"number": rows, "place": places + first_number}))
        lines.add_from(scratch, "SELECT fresh.* REPLACE (place AS number) FROM fresh JOIN renumbered USING (number)")
        scratch.connection.unregister("renumbered")
    scratch.run("DROP TABLE fresh")
