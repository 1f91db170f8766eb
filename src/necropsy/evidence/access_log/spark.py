"""Logs on Spark: its executors read the files, with the reader of this room, and take the steps of the analysis.

An executor is given a piece of a file (a *split*, 128 MB by Spark's default). It writes the piece to its own disk and reads
it as a file is read here; what comes out are the rows of ``line`` and ``given``, and one row that says what became of the
piece. So necropsy must be installed, in the same version, where the executors run.

=======  ==================================================================================
row      columns that are not null
=======  ==================================================================================
line     those of ``line``; ``number`` is ``file << 44 | place``, so that lines keep their order
given    ``key``, ``text``
piece    ``text``: a ``Piece`` as JSON
=======  ==================================================================================

Files that are packed are read whole by one executor each: only plain ones can be cut.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import parse_qsl, unquote

import ibis
import pyspark
from pyspark.sql import SparkSession

from necropsy.evidence.access_log import lines, loading
from necropsy.evidence.access_log.analysis.connected import Connected
from necropsy.evidence.access_log.analysis.engine import Engine
from necropsy.evidence.access_log.analysis.tables import GIVEN, LINE, arrow_schema
from necropsy.evidence.access_log.layout import LogFormat
from necropsy.evidence.access_log.places import KIND, Part, Place, Wanted, shown, unrecognised
from necropsy.evidence.access_log.scratch import Scratch, open_scratch
from necropsy.evidence.access_log.sources import LogFile, attach, first_lines, spool
from necropsy.model.errors import NecropsyError, UnreadableSource
from necropsy.model.evidence import Absent, Blemish, Source
from necropsy.wire.files import STANDARD_INPUT

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.access_log.analysis.engine import Function

_A_LINE, _A_TEXT, _A_PIECE = 0, 1, 2
_ROW: Final[Mapping[str, str]] = {"kind": "int8", **LINE, **GIVEN}
_TYPES: Final = {"int8": "byte", "int16": "short", "int64": "long", "float64": "double", "string": "string"}
_OF_A_FILE: Final = 44
"""Bits of a line's number that are its place in the file: 17 TB."""
_HEAD: Final = 100
"""Lines by which the layout of a file is recognised."""
_PACKED: Final = re.compile(r"\.(gz|zst|zstd|bz2|xz)$", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_AT_ONCE: Final = 100_000
"""Rows of a batch that an executor hands over."""
_PATIENCE_S: Final = 60.0
"""How long a cluster may take to start the first executor."""
_SETTINGS: Final = {
    "spark.sql.ansi.enabled": "false",  # else it raises where DuckDB says NULL
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.showConsoleProgress": "false",  # standard error is ours
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(_AT_ONCE),
}


@dataclass(slots=True)
class Piece:
    """What became of a piece of a file."""

    file: int
    start: int
    """Byte of the file with which it begins."""
    note: str = ""
    lines: int = 0
    requests: int = 0
    last_us: int | None = None
    """Time of its last request, of whatever time was asked for."""
    kept: int = 0
    """Requests of the time that was asked for, and the first and last of them."""
    first_kept_us: int | None = None
    last_kept_us: int | None = None
    damage: str = ""
    absent: tuple[str, str] | None = None
    """Why it could not be read, and what to do."""
    blemishes: list[tuple[str, int, str, str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class File:
    """A file as Spark knows it."""

    locator: str
    """As given."""
    path: str
    """As Spark calls it, not percent-encoded."""
    packed: bool
    head: tuple[str, ...]
    """Its first lines: every piece has the layout that these have."""


@contextlib.contextmanager
def session(address: str) -> Iterator[SparkSession]:
    """Connect to a cluster, or start one inside this process (``local[2]``).

    Settings of Spark may stand behind the address: ``spark://host:7077?spark.executor.memory=2g``.

    Raises
    ------
    NecropsyError
        It does not answer, or there is no Java.
    """
    # Executors run the Python that the driver's environment names; on this machine that should be this one.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    master, _, asked = address.partition("?")
    builder = SparkSession.builder.master(master).appName("necropsy")
    for name, value in {**_SETTINGS, **dict(parse_qsl(asked))}.items():
        builder = builder.config(name, value)
    try:
        spark = builder.getOrCreate()
    except Exception as error:  # of Java, of Py4J or of PySpark, by what is missing
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NecropsyError(
            f"--engine {shown(address)}: {first}", hint="Is its master running, and is there a Java of version 17?"
        ) from error
    try:
        spark.sparkContext.setLogLevel("OFF")
        if master.startswith("spark://"):
            _await_executors(spark, address)
        yield spark
    finally:
        spark.stop()


def _await_executors(spark: SparkSession, address: str) -> None:
    """Wait for the first executor: a job for which the cluster has no room would wait for ever, and say nothing."""
    until = time.monotonic() + _PATIENCE_S
    while spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 2:  # noqa: SLF001 -- the driver is the first
        if time.monotonic() > until:
            raise NecropsyError(
                f"--engine {shown(address)}: the cluster gave no executor in {_PATIENCE_S:.0f} s",
                hint="Ask for less, spark://HOST:PORT?spark.executor.memory=512m say, or look at what else runs there.",
            )
        time.sleep(0.1)


@contextlib.contextmanager
def working(spark: SparkSession) -> Iterator[Place]:
    """Open a place for one log."""
    place = OnSpark(spark)
    try:
        yield place
    finally:
        place.close()


class OnSpark:
    """See ``Place``."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._steps = SparkEngine(spark)
        self.engine: Engine = self._steps

    def close(self) -> None:
        """Forget what was kept on the cluster."""
        self._steps.close()

    def read(self, wanted: Wanted) -> Part:
        """See ``Place``."""
        part = Part()
        files = [file for locator in wanted.locators for file in self._files(locator, part)]
        pieces = self._read(files, wanted) if files else []
        for number, file in enumerate(files):
            _count(part, file, [piece for piece in pieces if piece.file == number])
        return part

    def _files(self, locator: str, part: Part) -> list[File]:
        """Return the files of a locator: one here, or several behind an address that Spark can read."""
        if locator == STANDARD_INPUT:
            hint = "Write it to a file that the executors can read, or leave --engine out."
            part.absent.append(Absent(KIND, locator, "standard input is not on the cluster", hint))
            return []
        try:
            if _ELSEWHERE.match(locator):
                return self._behind(locator)
            with open_scratch() as scratch:
                file = attach(locator, scratch.folder, 0)
                packed = file.compression != "none" or file.path.is_symlink() is False
                return [File(locator, str(Path(locator).resolve()), packed, tuple(first_lines(file)))]
        except UnreadableSource as error:
            part.absent.append(Absent(KIND, locator, error.message, error.hint))
            return []

    def _behind(self, locator: str) -> list[File]:
        files = []
        try:
            for name in sorted(self._spark.read.text(locator).inputFiles()):
                head = self._text([name]).limit(_HEAD).toArrow()["value"]
                packed = _PACKED.search(name) is not None
                lines_of_it = [str(value.as_py(), "utf-8", "replace").strip("\r\ufeff") for value in head]
                files.append(File(unquote(name), unquote(name), packed, tuple(filter(str.strip, lines_of_it))))
        except Exception as error:
            first = str(error).strip().splitlines()[0]
            raise UnreadableSource(f"{locator}: {first}", hint="Can the executors read it?") from error
        return files

    def _text(self, paths: Sequence[str]) -> Any:
        """Return the lines of plain files, byte for byte, with the file and the piece that they are of."""
        functions = pyspark.sql.functions
        return (
            self._spark.read.option("lineSep", "\n")
            .text([_literally(path) for path in paths])
            .select(
                functions.col("_metadata.file_path").alias("path"),
                functions.col("_metadata.file_block_start").alias("start"),
                functions.expr("CAST(value AS BINARY)").alias("value"),
            )
        )

    def _read(self, files: Sequence[File], wanted: Wanted) -> list[Piece]:
        """Read files into ``line`` and ``given``, and return what became of their pieces, in their order."""
        reader = _Reader(tuple(files), tuple(wanted.formats), Wanted((), (), wanted.since, wanted.until))
        columns = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in _ROW.items())
        rows = None
        for packed, read in ((False, reader.plain), (True, reader.packed)):
            paths = [file.path for file in files if file.packed is packed]
            if not paths:
                continue
            found = self._whole(paths) if packed else self._text(paths)
            found = found.mapInArrow(read, columns)
            rows = found if rows is None else rows.unionAll(found)
        kept = self._steps.keep("read", rows)
        for table, kind, names in (("line", _A_LINE, LINE), ("given", _A_TEXT, GIVEN)):
            self._steps.name(table, kept.filter(f"kind = {kind}").select(*names))
        said = kept.filter(f"kind = {_A_PIECE}").select("text").toArrow()["text"].to_pylist()
        pieces = [Piece(**json.loads(text)) for text in said]
        return sorted(pieces, key=lambda piece: (piece.file, piece.start))

    def _whole(self, paths: Sequence[str]) -> Any:
        return (
            self._spark.read.format("binaryFile").load([_literally(path) for path in paths]).select("path", "content")
        )


def _literally(path: str) -> str:
    """Return a path that Spark does not take for a pattern."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)


def _count(part: Part, file: File, pieces: Sequence[Piece]) -> None:
    """Count the pieces of a file in."""
    notes = list(dict.fromkeys(note for piece in pieces if piece.note for note in piece.note.split("; then ")))
    refused = next((piece.absent for piece in pieces if piece.absent is not None), None)
    damage = next((piece.damage for piece in pieces if piece.damage), "")
    if not notes:
        reason = refused or unrecognised(damage, file.head)
        part.absent.append(Absent(KIND, file.locator, *reason))
        return
    last = max((piece.last_us for piece in pieces if piece.last_us is not None), default=None)
    taken_at = None if last is None else lines.moment(last)
    part.sources.append(Source(KIND, file.locator, taken_at, None, None, None, "; then ".join(notes)))
    part.requests += sum(piece.kept for piece in pieces)
    moments = [at for piece in pieces for at in (piece.first_kept_us, piece.last_kept_us) if at is not None]
    if moments:
        part.first_us = min([*moments, *([] if part.first_us is None else [part.first_us])])
        part.last_us = max([*moments, *([] if part.last_us is None else [part.last_us])])
    found: dict[tuple[str, str], Blemish] = {}
    before = 0
    for piece in pieces:
        for unit, place, why, sample, count in piece.blemishes:
            known = found.get((unit, why))
            at = place + before if unit == "line" else place + piece.start
            found[unit, why] = (
                Blemish(file.locator, unit, at, why, sample, count)
                if known is None
                else Blemish(file.locator, unit, known.place, why, known.sample, known.count + count)
            )
        before += piece.lines
    part.blemishes += found.values()


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads pieces on an executor."""

    files: tuple[File, ...]
    formats: tuple[LogFormat, ...]
    wanted: Wanted

    def plain(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Read lines, batch by batch: those of one piece stand together, but one task may have several pieces."""
        number = {file.path: i for i, file in enumerate(self.files)}
        with open_scratch() as scratch:
            out: BinaryIO | None = None
            current: tuple[str, int] | None = None
            for key, data in _by_piece(batches):
                if key != current:
                    if out is not None and current is not None:
                        out.close()
                        yield from self._piece(scratch, number[_path(current[0])], current[1])
                    out = (scratch.folder / "piece").open("wb")
                    current = key
                assert out is not None  # noqa: S101 -- for the type checker
                out.write(data)
            if out is not None and current is not None:
                out.close()
                yield from self._piece(scratch, number[_path(current[0])], current[1])

    def packed(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Unpack and read files."""
        number = {file.path: i for i, file in enumerate(self.files)}
        with open_scratch() as scratch:
            for batch in batches:
                for path, content in zip(batch["path"].to_pylist(), batch["content"], strict=True):
                    copy = scratch.folder / "packed"
                    copy.write_bytes(content.as_buffer())
                    attached = attach(str(copy), scratch.folder, 0)
                    with attached.open() as stream:
                        file = spool(str(copy), stream, scratch.folder / "piece")
                    yield from self._piece(scratch, number[_path(path)], 0, file.damage)

    def _piece(self, scratch: Scratch, number: int, start: int, damage: str = "") -> Iterator[pa.RecordBatch]:
        """Read the piece that was written to the disk."""
        file = self.files[number]
        said = Piece(number, start, damage=damage)
        lines.create_tables(scratch)
        try:
            piece = LogFile(file.locator, scratch.folder / "piece", "none", damage)
            loaded = loading.load(scratch, piece, self.formats, head=file.head)
        except UnreadableSource as error:
            said.absent = (error.message, error.hint)
        else:
            said.note, said.lines, said.requests = loaded.note, loaded.lines, loaded.requests
            said.last_us = None if loaded.last_at is None else lines.microseconds(loaded.last_at)
            said.blemishes = [(b.unit, b.place, b.why, b.sample, b.count) for b in loaded.blemishes]
            said.kept = loaded.requests - lines.finish(scratch, self.wanted.condition)
            said.first_kept_us, said.last_kept_us = scratch.rows("SELECT min(time_us), max(time_us) FROM line")[0]
            yield from self._rows(scratch, (number << _OF_A_FILE) + start + (start > 0))
        yield _batch({"kind": [_A_PIECE], "text": [json.dumps(asdict(said))]})

    def _rows(self, scratch: Scratch, first: int) -> Iterator[pa.RecordBatch]:
        for table, kind, names in (("line", _A_LINE, LINE), ("given", _A_TEXT, GIVEN)):
            chosen = ", ".join(f"number + {first} AS number" if name == "number" else name for name in names)
            query = f"SELECT {kind}::TINYINT AS kind, {chosen} FROM {table}"
            for batch in scratch.connection.sql(query).to_arrow_reader(_AT_ONCE):
                yield _batch({name: batch[name] for name in batch.schema.names})


def _by_piece(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[tuple[str, int], memoryview]]:
    """Yield path and start of a piece, and some of its lines with their newlines."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing, newline = (pa.scalar(data, pa.large_binary()) for data in (b"", b"\n"))
    for batch in batches:
        paths, starts, values = batch["path"], batch["start"], batch["value"]
        at = 0
        while at < batch.num_rows:
            key = paths[at].as_py(), starts[at].as_py()
            same = pc.and_(pc.equal(paths.slice(at), key[0]), pc.equal(starts.slice(at), key[1]))
            end = pc.index(same, pa.scalar(value=False)).as_py()
            end = batch.num_rows if end < 0 else at + end
            some = values.slice(at, end - at).cast(pa.large_binary())
            joined = pc.binary_join_element_wise(some, nothing, newline)
            _, offsets, data = joined.buffers()
            places = np.frombuffer(offsets, np.int64)[joined.offset : joined.offset + len(joined) + 1]
            yield key, memoryview(data)[int(places[0]) : int(places[-1])]
            at = end


def _path(uri: str) -> str:
    """Return a path as the driver knows it: Spark calls files ``file:/var/log/a%20b.log``.

    >>> _path("file:/var/log/a%20b.log"), _path("file:///var/log/x"), _path("hdfs://name/logs/x%25")
    ('/var/log/a b.log', '/var/log/x', 'hdfs://name/logs/x%')
    """
    return re.sub(r"^file:/*", "/", unquote(uri))


def _batch(columns: Mapping[str, Any]) -> pa.RecordBatch:
    """Return rows with every column that a row may have, the others null."""
    import pyarrow as pa

    schema = arrow_schema(_ROW)
    size = len(columns["kind"])
    arrays = []
    for column in schema:
        given = columns.get(column.name)
        if given is None:
            arrays.append(pa.nulls(size, column.type))
        else:
            arrays.append(given.cast(column.type) if isinstance(given, pa.Array) else pa.array(given, column.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class SparkEngine(Connected):
    """Steps as views of Spark; what was made is kept on the cluster until the log is done."""

    def __init__(self, spark: SparkSession) -> None:
        super().__init__(ibis.pyspark.connect(spark))
        self._spark = spark
        self._kept: list[Any] = []

    def keep(self, table: str, frame: Any) -> Any:
        """Keep a frame on the cluster, in memory or on its disks."""
        kept = frame.persist(pyspark.StorageLevel.MEMORY_AND_DISK)
        self._kept.append(kept)
        self.name(table, kept)
        return kept

    def name(self, table: str, frame: Any) -> None:
        """Give a frame the name of a table."""
        self._made += 1
        view = f"{self._prefix}_{table}_{self._made}"
        frame.createOrReplaceTempView(view)
        self._tables[table] = self._connection.table(view)
        self._names[table] = view

    def upload(self, step: str, rows: pa.Table) -> None:
        """See ``Engine``."""
        self.name(step, self._spark.createDataFrame(rows))

    def spread(self, step: str, function: Function, source: str, key: str, schema: Mapping[str, str]) -> None:
        """See ``Engine``. Executors apply it, each to the keys that it has."""
        frame = self._frame(self._tables[source]).repartition(key)
        columns = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in schema.items())
        self._settle(step, frame.mapInArrow(_applied(function, schema), columns))

    def drop(self, *tables: str) -> None:
        """See ``Engine``. Spark itself forgets what nobody names any more."""
        for table in tables:
            self._tables.pop(table, None)
            if table in self._names:
                self._spark.catalog.dropTempView(self._names.pop(table))

    def close(self) -> None:
        """Forget everything that was made here."""
        for frame in self._kept:
            frame.unpersist()
        for view in self._names.values():
            self._spark.catalog.dropTempView(view)

    def _frame(self, expression: Any) -> Any:
        return self._spark.sql(self._connection.compile(expression))

    def _keep(self, table: str, made: Any) -> None:
        self._settle(table, self._frame(made))

    def _settle(self, table: str, frame: Any) -> None:
        # Computed now, and without its history: a plan that holds the plans of all steps before, several times each,
        # takes a driver's memory before it takes an executor's time.
        self.name(table, frame.localCheckpoint(True, pyspark.StorageLevel.MEMORY_AND_DISK))

    def _arrow(self, expression: Any) -> pa.Table:
        # Not by to_pyarrow(): it goes through pandas, which rounds whole numbers where some are missing.
        rows: pa.Table = self._frame(expression).toArrow()
        return rows


def _applied(function: Function, schema: Mapping[str, str]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Return what applies a function to a whole partition."""

    def apply(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        rows = list(batches)
        if sum(batch.num_rows for batch in rows):
            made = function(pa.Table.from_batches(rows)).cast(arrow_schema(schema)).combine_chunks()
            yield from made.to_batches(max_chunksize=_AT_ONCE)

    return apply
