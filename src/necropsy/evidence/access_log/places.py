"""Where a log is read and analysed: here, or somewhere that an address names.

======================================  =====================================================================
``--engine``                            place
======================================  =====================================================================
none, ``duckdb``                        here, by DuckDB
``spark://HOST:PORT``, ``local[N]``     Spark, which reads the files too (``spark``)
any other that Ibis connects to         lines are read here, and analysed there (``analysis.connected``)
======================================  =====================================================================
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from necropsy.evidence.access_log import lines, loading
from necropsy.evidence.access_log.analysis import embedded
from necropsy.evidence.access_log.analysis.tables import SOURCES, arrow_schema
from necropsy.evidence.access_log.layout import LogFormat
from necropsy.evidence.access_log.scratch import Scratch, open_scratch
from necropsy.evidence.access_log.sources import LogFile, attach, first_lines, nothing_in
from necropsy.model.errors import NecropsyError, UnreadableSource, UsageError
from necropsy.model.evidence import Absent, Blemish, Source

if TYPE_CHECKING:
    from necropsy.evidence.access_log.analysis.engine import Engine

KIND: Final = "access_log"
_HERE: Final = "duckdb"
_SPARK: Final = re.compile(r"spark://.+|local(\[.+\])?|yarn|k8s://.+")
_UPLOADED: Final = 1 << 18
"""Rows that go to another engine at a time."""

INSTALL: Final = (
    "Install what speaks to it: pip install 'necropsy[spark]', or 'ibis-framework[NAME]' for another engine."
)


@dataclass(slots=True)
class Part:
    """What became of the files of one log."""

    sources: list[Source] = field(default_factory=list)
    blemishes: list[Blemish] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    requests: int = 0
    """Lines that were requests, of the time that was asked for."""
    starts: int = 0
    """Of all requests, those whose time is their start, as the duration is logged."""
    first_us: int | None = None
    """Time of the first request, microseconds since 1970; None: there is none."""
    last_us: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines of which files."""

    locators: Sequence[str]
    """Files of one log, the oldest first."""
    formats: Sequence[LogFormat] = ()
    since: datetime | None = None
    until: datetime | None = None

    @property
    def condition(self) -> str:
        """SQL that the lines to be left out meet; empty: none."""
        limits = (("<", self.since), (">=", self.until))
        return " OR ".join(f"time_us {sign} {lines.microseconds(at)}" for sign, at in limits if at is not None)


class Place(Protocol):
    """Reads a log, and has the engine that analyses it."""

    @property
    def engine(self) -> Engine:
        """Has the lines, once they were read."""

    def read(self, wanted: Wanted) -> Part:
        """Read the lines of a log. What cannot be read is said, and never raises."""


class Maker(Protocol):
    """Opens a place for each log."""

    def __call__(self) -> contextlib.AbstractContextManager[Place]:
        """Open a place; what it holds is dropped when it is left."""


class Here:
    """DuckDB in this process."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.engine: Engine = embedded.Embedded(scratch)

    def read(self, wanted: Wanted) -> Part:
        """See ``Place``."""
        lines.create_tables(self.scratch)
        part, first_number = Part(), 0
        for number, locator in enumerate(wanted.locators):
            try:
                file = attach(locator, self.scratch.folder, number)
                loaded = loading.load(self.scratch, file, wanted.formats, first_number)
            except UnreadableSource as error:
                part.absent.append(Absent(KIND, locator, error.message, error.hint))
                continue
            first_number += loaded.lines
            if not loaded.note:
                part.absent.append(Absent(KIND, locator, *_unrecognised(file)))
                continue
            part.sources.append(Source(KIND, locator, loaded.last_at, None, None, None, loaded.note))
            part.blemishes += loaded.blemishes
            part.requests += loaded.requests
            part.starts += loaded.starts
        part.requests -= lines.finish(self.scratch, wanted.condition)
        part.first_us, part.last_us = self.scratch.rows("SELECT min(time_us), max(time_us) FROM line")[0]
        return part


def _unrecognised(file: LogFile) -> tuple[str, str]:
    """Why nothing could be made of a file, and what to do."""
    return unrecognised(file.damage or nothing_in(file), first_lines(file))


def unrecognised(damage: str, head: Sequence[str]) -> tuple[str, str]:
    """Why nothing could be made of a file with this damage and these first lines, and what to do."""
    if damage:
        return damage, "Take or copy the file again."
    if not head:
        return "it is empty", "Logs are rotated: name the one that was written while the sessions were born."
    hint = "Name it: --log-format TEXT, or --nginx FILE that holds the log_format."
    return "no known log format in its first lines", hint


class Elsewhere:
    """Lines are read here, and go to an engine elsewhere as numbers and folded texts."""

    def __init__(self, scratch: Scratch, connection: Any) -> None:
        from necropsy.evidence.access_log.analysis.connected import Connected

        self._here = Here(scratch)
        self.connected = Connected(connection)
        self.engine: Engine = self.connected

    def read(self, wanted: Wanted) -> Part:
        """See ``Place``."""
        import pyarrow as pa

        part = self._here.read(wanted)
        for table in ("line", "given"):
            schema = arrow_schema(SOURCES[table])
            self.engine.upload(table, schema.empty_table())
            columns = ", ".join(SOURCES[table])
            reader = self._here.scratch.connection.sql(f"SELECT {columns} FROM {table}").to_arrow_reader(_UPLOADED)
            for batch in reader:
                self.connected.append(table, pa.Table.from_batches([batch]).cast(schema))
        return part


@contextlib.contextmanager
def here(meanwhile: Callable[[], object] | None = None) -> Iterator[Place]:
    """Open DuckDB in this process."""
    with open_scratch(meanwhile=meanwhile) as scratch:
        yield Here(scratch)


@contextlib.contextmanager
def maker(address: str | None, meanwhile: Callable[[], object] | None = None) -> Iterator[Maker]:
    """Connect to the place that an address names, for as long as several logs need it.

    Parameters
    ----------
    address
        See the table above.
    meanwhile
        What else to make ready while lines are read here; elsewhere the time is another's.

    Raises
    ------
    UsageError
        What speaks to it is not installed, or there is no such engine.
    NecropsyError
        It does not answer.
    """
    if address in {None, "", _HERE}:
        yield lambda: here(meanwhile)
        return
    assert address is not None  # noqa: S101 -- for the type checker
    if _SPARK.fullmatch(address):
        try:
            from necropsy.evidence.access_log.spark import session, working
        except ImportError as error:
            raise UsageError(f"--engine {shown(address)}: {error}", hint=INSTALL) from error
        with session(address) as spark:
            yield lambda: working(spark)
        return
    connection = _connect(address)
    try:
        yield lambda: _elsewhere(connection)
    finally:
        connection.disconnect()


@contextlib.contextmanager
def _elsewhere(connection: Any) -> Iterator[Place]:
    with open_scratch() as scratch:
        place = Elsewhere(scratch, connection)
        try:
            yield place
        finally:
            place.connected.close()


def _connect(address: str) -> Any:
    try:
        import ibis
    except ImportError as error:
        raise UsageError(f"--engine {shown(address)}: {error}", hint=INSTALL) from error
    try:
        return ibis.connect(address)
    except ImportError as error:
        raise UsageError(f"--engine {shown(address)}: {first_line(error)}", hint=INSTALL) from error
    except Exception as error:  # whatever the driver of any engine raises when it is refused or finds nobody
        first = first_line(error)
        if isinstance(error, ValueError) or "://" not in address:
            raise UsageError(
                f"--engine {shown(address)}: {first}",
                hint="One of: duckdb, spark://HOST:PORT, or an address that Ibis connects to, postgres://HOST/DATABASE say.",
            ) from error
        raise NecropsyError(
            f"--engine {shown(address)}: {first}", hint="Is it running, and may this user make tables there?"
        ) from error


def first_line(error: Exception) -> str:
    """Return what is said of an error in one line."""
    lines_of_it = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines_of_it:
        return type(error).__name__
    # Spark quotes the traceback of an executor's Python, which says at its end what happened.
    return lines_of_it[-1] if "stack trace below" in lines_of_it[0] else lines_of_it[0]


def shown(address: str) -> str:
    """Return an address without its password.

    >>> shown("postgres://me:secret@db/logs")
    'postgres://me:***@db/logs'
    """
    return re.sub(r"(?<=://)([^:/@]*):[^@/]*@", r"\1:***@", address)
