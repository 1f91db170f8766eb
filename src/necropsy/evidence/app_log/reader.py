"""Reading application error logs into a case: files in, ``error_event`` out."""

from __future__ import annotations

import lzma
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy.evidence.app_log.entries import errors_of, stamp
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent, Blemish, Source
from necropsy.model.figures import several
from necropsy.wire.files import STANDARD_INPUT, compression, fingerprint, open_binary

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from necropsy.case.store import Case

KIND: Final = "app_log"
_CHUNK: Final = 64 << 10
_MEMORY: Final = "512MB"
_LONGEST: Final = 1 << 20


@dataclass(slots=True)
class ReadErrors:
    """What was read from all application logs."""

    sources: list[Source] = field(default_factory=list)
    blemishes: list[Blemish] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    events: int = 0
    """Errors found."""


def read(case: Case, locators: Sequence[str], *, checksums: bool = True) -> ReadErrors:
    """Read application logs and fill the case's ``error_event``.

    Parameters
    ----------
    case
        A case that is open for writing.
    locators
        Paths, or ``-`` for standard input; plain or compressed.
    checksums
        Whether sources get checksum and size.

    A file that cannot be read becomes an ``Absent``; it never raises for one.
    """
    result = ReadErrors()
    for locator in dict.fromkeys(locators):
        try:
            _read_one(case, locator, result, checksum=checksums)
        except UnreadableSource as error:
            result.absent.append(Absent(KIND, locator, error.message, error.hint))
    return result


def _read_one(case: Case, locator: str, result: ReadErrors, *, checksum: bool) -> None:
    import duckdb

    with tempfile.TemporaryDirectory(prefix="necropsy-") as folder:
        copy = Path(folder) / "log"
        damage = _copy(locator, copy)
        if damage and not copy.stat().st_size:
            raise UnreadableSource(f"{locator}: {damage}", hint="Take or copy the file again.")
        if damage:
            result.blemishes.append(Blemish(locator, "byte", copy.stat().st_size, f"what follows is {damage}"))
        with duckdb.connect(
            ":memory:", config={"memory_limit": _MEMORY, "temp_directory": f"{folder}/spill"}
        ) as connection:
            connection.execute("SET enable_progress_bar = false")
            connection.execute("SET TimeZone = 'UTC'")
            errors, lines, last, zoned = _errors(connection, copy)
    digest, size = fingerprint(locator) if checksum else (None, None)
    events = sum(errors["events"].to_pylist())
    note = f"{several(events, 'error')} in {several(lines, 'line')}"
    if last is None:
        note += "; it carries no time"
    elif not zoned:
        note += "; its times name no zone: read as UTC"
    result.sources.append(Source(KIND, locator, last, digest, size, None, note))
    result.events += events
    case.append("error_event", errors.append_column("log", [[locator] * errors.num_rows]))


def _copy(locator: str, copy: Path) -> str:
    """Make a plain file of a log, as far as it can be read; return why it ends too soon, if it does."""
    import zstandard

    with open_binary(locator) as stream:
        if locator != STANDARD_INPUT and Path(locator).is_file():
            with Path(locator).open("rb") as raw:
                plain = compression(raw.read(6)) is None
            if plain:
                copy.symlink_to(Path(locator).resolve())
                return ""
        with copy.open("wb") as out:
            try:
                while chunk := stream.read(_CHUNK):
                    out.write(chunk)
            except (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
                return f"cut or damaged: {error}"
    return ""


def _errors(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[pa.Table, int, datetime | None, bool]:
    """Return the errors by minute, the number of lines, the time of the last one, and whether times name a zone."""
    quoted = str(path).replace("'", "''")
    connection.execute(
        "CREATE TEMP TABLE read AS SELECT coalesce(line, '') AS line FROM"
        f" read_csv('{quoted}', auto_detect = false, header = false, delim = '\x01', quote = '', escape = '',"
        " columns = {'line': 'VARCHAR'}, compression = 'none', strict_mode = false, ignore_errors = true,"
        f" max_line_size = {_LONGEST})"
    )
    table = connection.sql(errors_of("(SELECT rowid AS number, line FROM read)")).to_arrow_table()
    lines, last, zoned = connection.execute(
        f"SELECT count(*), max({stamp()}), coalesce(bool_or(regexp_matches(left(line, 60),"
        " '\\d\\d:\\d\\d:\\d\\d([.,]\\d+)?( ?[+-]\\d\\d:?\\d\\d|Z| UTC)')), FALSE) FROM read"
    ).fetchall()[0]
    return table, lines, last.replace(tzinfo=UTC) if last is not None else None, zoned
