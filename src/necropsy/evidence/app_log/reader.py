"""Reading application error logs into a case: files in, ``error_event`` out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy._internal.file_kinds import BINARY, FileKind, kind_of
from necropsy._internal.paths import is_file
from necropsy._internal.progress import Progress
from necropsy._internal.spread_json import spread
from necropsy._internal.sql_quoting import literal
from necropsy.evidence.app_log import search_engine
from necropsy.evidence.app_log.entries import coded, entries, errors_of, peeled
from necropsy.evidence.app_log.line_patterns import JSON, METHOD, REQUEST, STATUS, TELLING
from necropsy.evidence.app_log.plain_copy import HEAD, LONGEST, copy_plain
from necropsy.evidence.app_log.query_share import LogShare
from necropsy.evidence.app_log.times.choice import ChosenForms, choose
from necropsy.evidence.app_log.wrappers import WrapperColumns, layers
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent, Blemish, Source
from necropsy.model.figures import several, size
from necropsy.wire.files import STANDARD_INPUT, fingerprint, size_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from necropsy.case.store import Case

KIND: Final = "app_log"
_MEMORY: Final = "512MB"
_SAMPLE: Final = 2_000
"""Lines from the beginning, and as many from the rest, that tell shippers and forms of time."""
_WIDEST: Final = 16 << 10
"""Characters of a line of the sample."""
_SHAPE: Final = 48
_UNDERSTOOD: Final = 0.5
"""Share of a log's lines that must belong to entries before silence about the store means anything."""
_SAMPLED: Final = 0.02
_CODED: Final = 0.63
_JOINED: Final = 0.9
"""Shares of the work on a log: its lines copied and sampled, searched for times and errors, joined to entries."""
_REQUESTS: Final = 0.5
"""Share of lines with a request from which a log is an access log."""


@dataclass(slots=True)
class ReadErrors:
    """The result of reading all application logs."""

    sources: list[Source] = field(default_factory=list)
    blemishes: list[Blemish] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    events: int = 0
    """Errors found."""


@dataclass(frozen=True, slots=True)
class _Read:
    """The entries of one log."""

    errors: pa.Table
    lines: int
    understood: int
    """Lines that are blank, or of entries that begin with a time, a level or an object of JSON or name an error."""
    requests: int
    """Lines that hold a request, as an access log has them."""
    last: datetime | None
    zoned: bool
    wrappers: tuple[str, ...]
    times: ChosenForms
    unseen: tuple[int, str] | None
    """Where no time was recognised: number and shape of the first line that is not blank."""


def read(
    case: Case,
    locators: Sequence[str],
    *,
    checksums: bool = True,
    progress: Progress = lambda _stage, _share: None,
) -> ReadErrors:
    """Read application logs and fill the case's ``error_event``.

    Parameters
    ----------
    case
        A case that is open for writing.
    locators
        Paths, or ``-`` for standard input; plain or compressed. Addresses of search engines (``search_engine``).
    checksums
        Whether sources get checksum and size.
    progress
        Told which log is read and its bytes, and which share of the bytes of all logs is done: of the log that is being
        read, by the share of the queries over it, an estimate.

    A file that cannot be read, or whose lines are no entries of a log, becomes an ``Absent``; it never raises for one:
    that such a file holds no error means nothing.
    """
    result = ReadErrors()
    distinct = tuple(dict.fromkeys(locators))
    sizes = [size_of(locator) for locator in distinct]
    total = sum(size or 0 for size in sizes)
    for number, locator in enumerate(distinct):
        before = sum(size or 0 for size in sizes[:number])
        own = sizes[number]
        bytes_of_it = f" ({size(own)})" if own is not None else ""
        name = f"{search_engine.shown(locator).rpartition('/')[2]}{bytes_of_it}"
        stage = f"reading application logs: {name}, {number + 1} of {len(distinct)}"
        known = None not in sizes and total > 0
        progress(stage, before / total if known else None)

        def tell(share: float, stage: str = stage, before: int = before, own: int = own or 0) -> None:
            progress(stage, (before + own * share) / total)

        share = LogShare(tell if known else lambda _share: None)
        try:
            _read_one(case, locator, result, share, checksum=checksums)
        except UnreadableSource as error:
            result.absent.append(Absent(KIND, search_engine.shown(locator), error.message, error.hint))
    return result


def _read_one(case: Case, locator: str, result: ReadErrors, share: LogShare, *, checksum: bool) -> None:
    import duckdb

    with tempfile.TemporaryDirectory(prefix="necropsy-") as folder:
        copy = Path(folder) / "log"
        if search_engine.is_address(locator):
            address = search_engine.parse(locator)
            locator = address.shown
            remarks, damage = search_engine.fetch(address, copy), ""
            result.blemishes += [Blemish(locator, "hit", 0, remark) for remark in remarks]
            checksum = False
        else:
            damage, overlong = copy_plain(locator, copy)
            if overlong:
                why = "longer than 1 MB, not read"
                result.blemishes.append(Blemish(locator, "line", overlong[0], why, count=len(overlong)))
        if damage and not copy.stat().st_size:
            raise UnreadableSource(f"{locator}: {damage}", hint="Copy the file again.")
        _require_text(locator, copy)
        _require_entries_on_lines(locator, copy)
        if damage:
            result.blemishes.append(Blemish(locator, "byte", copy.stat().st_size, f"what follows is {damage}"))
        with duckdb.connect(
            ":memory:", config={"memory_limit": _MEMORY, "temp_directory": f"{folder}/spill"}
        ) as connection:
            connection.execute("SET enable_progress_bar = true")  # counted for LogShare, printed nowhere
            connection.execute("SET enable_progress_bar_print = false")
            connection.execute("SET TimeZone = 'UTC'")
            log = _errors(connection, copy, _written(locator), share)
        kind = _kind(copy)
    _require_entries(locator, log, kind)
    digest, length = fingerprint(locator) if checksum else (None, None)
    events = sum(log.errors["events"].to_pylist())
    result.sources.append(Source(KIND, locator, log.last, digest, length, None, _note(log, events)))
    result.events += events
    case.append("error_event", log.errors.append_column("log", [[locator] * log.errors.num_rows]))


def _require_text(locator: str, copy: Path) -> None:
    """Refuse a file of another kind: that no line of it names an error says nothing.

    Raises
    ------
    UnreadableSource
        A dump, an archive, a program.
    """
    kind = _kind(copy)
    if kind is not None and kind != BINARY:
        raise _no_log(locator, kind)


def _require_entries_on_lines(locator: str, copy: Path) -> None:
    """Refuse JSON of which a line is no entry: an array would count as one.

    Raises
    ------
    UnreadableSource
        One array of all entries, or objects over several lines.
    """
    with copy.open("rb") as stream:
        found = spread(stream.read(HEAD).decode("utf-8", "replace"))
    if found is not None:
        raise UnreadableSource(f"{locator}: {found.fault}", hint=found.hint("necropsy examine --app-log -"))


def _kind(copy: Path) -> FileKind | None:
    with copy.open("rb") as stream:
        return kind_of(stream.read(HEAD))


def _no_log(locator: str, kind: FileKind) -> UnreadableSource:
    return UnreadableSource(f"{locator}: {kind.name}, not a log", hint=kind.hint)


def _require_entries(locator: str, log: _Read, kind: FileKind | None) -> None:
    """Refuse a file that is no application's log, unless it holds an error of the store all the same.

    Raises
    ------
    UnreadableSource
        Too few of its lines belong to entries.
    """
    if any(log.errors["trouble"].to_pylist()):
        return
    if not log.lines:
        raise UnreadableSource(f"{locator}: it is empty", hint="Give a log from a time when the application failed.")
    if kind is not None:
        raise _no_log(locator, kind)
    if log.requests >= _REQUESTS * log.lines:
        raise UnreadableSource(f"{locator}: it is an access log", hint="Read it with --access-log.")
    if log.understood < _UNDERSTOOD * log.lines:
        raise UnreadableSource(
            f"{locator}: not recognised: {log.lines - log.understood:,} of {several(log.lines, 'line')} have no time,"
            f" no level and no known error",
            hint="Is it the application's log? Lines should begin with a time or a level.",
        )


def _note(log: _Read, events: int) -> str:
    parts = [f"{several(events, 'error')} in {several(log.lines, 'line')}"]
    if log.wrappers:
        parts.append(f"unwrapped from {' and '.join(log.wrappers)}")
    if log.unseen is not None:
        number, shape = log.unseen
        parts.append(f"no time was recognised; line {number}, with x for each letter and 9 for each digit: {shape}")
    parts.extend(log.times.remarks)
    if log.last is not None and not log.zoned:
        parts.append("times without a zone, read as UTC")
    return "; ".join(parts)


def _written(locator: str) -> datetime | None:
    """Return when a file was written last; None for a stream."""
    path = Path(locator)
    if locator == STANDARD_INPUT or not is_file(path):
        return None
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _errors(connection: duckdb.DuckDBPyConnection, path: Path, written: datetime | None, share: LogShare) -> _Read:
    """Return what a plain log holds."""
    connection.execute(
        "CREATE TEMP TABLE read AS SELECT coalesce(line, '') AS line FROM"
        f" read_csv({literal(str(path))}, auto_detect = false, header = false, delim = '\x01', quote = '', escape = '',"
        " columns = {'line': 'VARCHAR'}, compression = 'none', strict_mode = false, ignore_errors = true,"
        f" max_line_size = {LONGEST})"
    )
    # Colours of a terminal are no part of a line.
    if connection.execute("SELECT coalesce(bool_or(contains(line, chr(27))), FALSE) FROM read").fetchall()[0][0]:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE read AS SELECT regexp_replace(line, '\\x1b\\[[0-9;]*m', '', 'g') AS line FROM read"
        )
    around, inner, stamps = _sampled(connection)
    times = choose(connection, inner, stamps, written)
    lines = peeled("(SELECT rowid AS number, line FROM read)", around)
    with share.of_query(connection, _SAMPLED, _CODED):
        connection.execute(f"CREATE TEMP TABLE coded AS {coded(lines, times.times)}")
    with share.of_query(connection, _CODED, _JOINED):
        connection.execute(f"CREATE TEMP TABLE entries AS {entries('coded')}")
    table = connection.sql(errors_of("entries")).to_arrow_table()
    count, requests = connection.execute(
        f"SELECT count(*), count(*) FILTER (regexp_matches(line, {literal(REQUEST)}) OR (regexp_matches(line, {literal(METHOD)})"
        f" AND regexp_matches(line, {literal(STATUS)}))) FROM read"
    ).fetchall()[0]
    # A year that was assumed for the lines between is no reason to call the log newer than it says itself.
    latest = "coalesce(max(moment) FILTER (owned), max(moment))" if times.own_alone_names_years else "max(moment)"
    last, zoned = connection.execute(f"SELECT {latest}, coalesce(bool_or(zoned), FALSE) FROM coded").fetchall()[0]
    timeless = not (times.own or times.outer)
    (mute,) = connection.execute(
        f"SELECT count(*) FILTER (regexp_matches(line, {literal(JSON)}) AND NOT regexp_matches(line, {literal(TELLING)}))"
        " FROM read"
    ).fetchall()[0]
    (understood,) = connection.execute(
        "SELECT (SELECT coalesce(sum(lines) FILTER (headed OR sure IS NOT NULL OR vague IS NOT NULL OR other <> ''), 0)"
        " FROM entries)"
        " + (SELECT count(*) FROM read WHERE trim(line) = '')"
    ).fetchall()[0]
    return _Read(
        table, count, understood - (mute if timeless else 0), requests,
        last.replace(tzinfo=UTC) if last is not None else None, zoned,
        tuple(layer.name for layer in around), times, _shape(connection) if timeless else None,
    )  # fmt: skip


def _sampled(connection: duckdb.DuckDBPyConnection) -> tuple[list[WrapperColumns], list[str], list[str]]:
    """Return what shippers put around the lines, and lines of a sample without it, and the times that it had."""
    (count,) = connection.execute("SELECT count(*) FROM read").fetchall()[0]
    step = max(1, count // _SAMPLE)
    rows = connection.execute(
        f"SELECT left(line, {_WIDEST}) FROM read WHERE rowid < {_SAMPLE} OR rowid % {step} = 0 ORDER BY rowid"
    ).fetchall()
    around, inner = layers([line for (line,) in rows])
    if not around:
        return around, inner, []
    given = peeled(f"(SELECT rowid AS number, line FROM read WHERE rowid < {_SAMPLE} OR rowid % {step} = 0)", around)
    stamps = connection.execute(f"SELECT outer_subject FROM ({given}) WHERE outer_subject <> ''").fetchall()
    return around, inner, [stamp for (stamp,) in stamps]


def _shape(connection: duckdb.DuckDBPyConnection) -> tuple[int, str] | None:
    """Return number and shape of the first line that is not blank: letters and digits may be anybody's, and are not shown."""
    rows = connection.execute(
        f"SELECT rowid + 1, left(trim(line), {_SHAPE}) FROM read WHERE trim(line) <> '' ORDER BY rowid LIMIT 1"
    ).fetchall()
    if not rows:
        return None
    number, head = rows[0]
    shape = "".join(
        "9" if one.isdigit() else "x" if one.isalpha() else one if one.isprintable() else "." for one in head
    )
    return number, f'"{shape}"'
