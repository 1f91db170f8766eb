"""Logs on Spark: its executors read the files (``pieces``), and take the steps of the analysis.

An executor is given a piece of a file (a *split*, 128 MB by Spark's default), or a packed file as a whole: only plain ones
can be cut. So necropsy must be installed, in the same version, where the executors run.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

import ibis
import pyspark
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from necropsy._internal.masking import masked_address
from necropsy.case.scratch import open_scratch
from necropsy.evidence.access_log.backends import spark_partitions
from necropsy.evidence.access_log.backends.interface import KIND, Backend, Part, Wanted, first_line
from necropsy.evidence.access_log.sources import attach, first_lines
from necropsy.model.errors import NecropsyError, UnreadableSource
from necropsy.model.evidence import Absent
from necropsy.visits.engines.ibis_engine import IbisEngine
from necropsy.visits.engines.interface import Engine
from necropsy.visits.tables import GIVEN, LINE
from necropsy.wire.files import STANDARD_INPUT

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.visits.engines.interface import Function

_TYPES: Final = {"int8": "byte", "int16": "short", "int64": "long", "float64": "double", "string": "string"}
_HEAD: Final = 100
"""Lines by which the layout of a file is recognised."""
_PACKED: Final = re.compile(r"\.(gz|zst|zstd|bz2|xz)$", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PATIENCE_S: Final = 60.0
"""How long a cluster may take to start the first executor."""
_SETTINGS: Final = {
    "spark.sql.ansi.enabled": "false",  # else it raises where DuckDB says NULL
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.showConsoleProgress": "false",  # standard error is ours
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(spark_partitions.AT_ONCE),
}


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
        raise NecropsyError(
            f"--engine {masked_address(address)}: {first_line(error)}",
            hint="Is its master running, and is there a Java of version 17?",
        ) from error
    try:
        spark.sparkContext.setLogLevel("OFF")
        if master.startswith("spark://"):
            _await_executors(spark, address)
        yield spark
    except (PySparkException, Py4JError) as error:
        hint = "What the executors wrote says more. Can they read the files, and is necropsy installed there, in this version?"
        raise NecropsyError(f"--engine {masked_address(address)}: {first_line(error)}", hint=hint) from error
    finally:
        spark.stop()


def _await_executors(spark: SparkSession, address: str) -> None:
    """Wait for the first executor: a job for which the cluster has no room would wait for ever, and say nothing."""
    until = time.monotonic() + _PATIENCE_S
    while spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 2:  # noqa: SLF001 -- the driver is the first
        if time.monotonic() > until:
            raise NecropsyError(
                f"--engine {masked_address(address)}: the cluster gave no executor in {_PATIENCE_S:.0f} s",
                hint="Ask for less, spark://HOST:PORT?spark.executor.memory=512m say, or look at what else runs there.",
            )
        time.sleep(0.1)


@contextlib.contextmanager
def open_on_spark(spark: SparkSession) -> Iterator[Backend]:
    """Open a place for one log."""
    backend = SparkBackend(spark)
    try:
        yield backend
    finally:
        backend.close()


class SparkBackend:
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
        read = self._read(files, wanted) if files else []
        for number, file in enumerate(files):
            spark_partitions.count(part, file, [piece for piece in read if piece.file == number], wanted.formats)
        return part

    def _files(self, locator: str, part: Part) -> list[spark_partitions.File]:
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
                return [spark_partitions.File(locator, str(Path(locator).resolve()), packed, tuple(first_lines(file)))]
        except UnreadableSource as error:
            part.absent.append(Absent(KIND, locator, error.message, error.hint))
            return []

    def _behind(self, locator: str) -> list[spark_partitions.File]:
        files = []
        try:
            for name in sorted(self._spark.read.text(locator).inputFiles()):
                head = self._text([name]).limit(_HEAD).toArrow()["value"]
                packed = _PACKED.search(name) is not None
                lines_of_it = [str(value.as_py(), "utf-8", "replace").strip("\r\ufeff") for value in head]
                files.append(
                    spark_partitions.File(unquote(name), unquote(name), packed, tuple(filter(str.strip, lines_of_it)))
                )
        except Exception as error:
            raise UnreadableSource(f"{locator}: {first_line(error)}", hint="Can the executors read it?") from error
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

    def _read(self, files: Sequence[spark_partitions.File], wanted: Wanted) -> list[spark_partitions.Piece]:
        """Read files into ``line`` and ``given``, and return what became of their pieces, in their order."""
        reader = spark_partitions.Reader(
            tuple(files), tuple(wanted.formats), Wanted((), (), wanted.since, wanted.until)
        )
        columns = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in spark_partitions.ROW.items())
        rows = None
        for packed, read in ((False, reader.plain), (True, reader.packed)):
            paths = [file.path for file in files if file.packed is packed]
            if not paths:
                continue
            found = self._whole(paths) if packed else self._text(paths)
            found = found.mapInArrow(read, columns)
            rows = found if rows is None else rows.unionAll(found)
        kept = self._steps.keep("read", rows)
        for table, kind, names in (("line", spark_partitions.A_LINE, LINE), ("given", spark_partitions.A_TEXT, GIVEN)):
            self._steps.name(table, kept.filter(f"kind = {kind}").select(*names))
        said = kept.filter(f"kind = {spark_partitions.A_PIECE}").select("text").toArrow()["text"].to_pylist()
        done = [spark_partitions.Piece(**json.loads(text)) for text in said]
        return sorted(done, key=lambda piece: (piece.file, piece.start))

    def _whole(self, paths: Sequence[str]) -> Any:
        return (
            self._spark.read.format("binaryFile").load([_literally(path) for path in paths]).select("path", "content")
        )


def _literally(path: str) -> str:
    """Return a path that Spark does not take for a pattern."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)


class SparkEngine(IbisEngine):
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

    def map_groups(self, step: str, function: Function, source: str, key: str, schema: Mapping[str, str]) -> None:
        """See ``Engine``. Executors apply it, each to the keys that it has."""
        frame = self._frame(self._tables[source]).repartition(key)
        columns = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in schema.items())
        self._settle(step, frame.mapInArrow(spark_partitions.OnPartition(function, schema).apply, columns))

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
