"""Logs on Spark: its executors read the files (``spark_partitions``), and analyse the lines of some flows each.

An executor is given a piece of a file (a *split*, 128 MB by Spark's default), or a packed file as a whole: only plain ones
can be cut. Files of a file system that all machines see are opened by the executors; what is behind an address (``s3a://``,
``hdfs://``) is read by Spark. So necropsy must be installed, in the same version, where the executors run.

Between the stages lines and tables travel as bytes that Spark keeps and does not look into. It knows of what each was made:
if an executor is lost, what it had is made again from the files by those that are left.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

import pyspark
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from necropsy._internal.masking import masked, masked_address
from necropsy.case.scratch import open_scratch
from necropsy.evidence.access_log.backends import spark_partitions
from necropsy.evidence.access_log.backends.interface import KIND, Backend, Part, WantedLines, first_line
from necropsy.evidence.access_log.backends.spark_stages import SparkPartitions, on_executors
from necropsy.evidence.access_log.files.copies import blemish, copies_in_pieces, one_in
from necropsy.evidence.access_log.files.sources import attach, first_lines
from necropsy.model.errors import NecropsyError, UnreadableSource, UsageError
from necropsy.model.evidence import Absent
from necropsy.visits.partitioned.conductor import Conductor
from necropsy.visits.partitioned.packing import merged
from necropsy.wire.files import STANDARD_INPUT

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.visits.analyse import Analysis

_HEAD: Final = 256 << 10
"""Bytes by which the layout of a file behind an address is recognised."""
_PACKED: Final = re.compile(r"\.(gz|zst|zstd|bz2|xz)$", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PATIENCE_S: Final = 60.0
"""How long a cluster may take to start the first executor."""
_SMALLEST: Final = 4 << 20
"""Bytes below which no file is cut, as Spark has it."""
_OF_A_PARTITION: Final = 256 << 20
"""Bytes of a log whose lines are one partition, unless Spark's settings say how many there are: some hundred MB of memory."""
_OF_A_LINE: Final = 150
"""Bytes of a line, about."""
_UNKNOWN_LINES: Final = 50_000_000
"""Lines of files of which Spark does not tell the size, at a guess."""
_UNPACKED: Final = 10
"""Times that a packed log is larger as it is inside, about."""
_SETTINGS: Final = {
    "spark.sql.ansi.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.showConsoleProgress": "false",  # standard error is ours
    "spark.log.level": "OFF",  # so are errors: Spark's own log repeats addresses as they were typed, passwords and all
}
_CAUSE: Final = re.compile(r"^: (?:[a-z][\w$]*\.)+[\w$]+: (\S.*)", re.MULTILINE)
"""What Java raised, in the text of an error of Py4J: ``: org.apache.spark.SparkException: Invalid master URL …``."""
_USER: Final = re.compile(r"^[a-z0-9]+://(?:https?://)?[^/]*@")


@contextlib.contextmanager
def session(address: str) -> Iterator[SparkSession]:
    """Connect to a cluster, or start one inside this process (``local[2]``).

    Settings of Spark may stand behind the address: ``spark://host:7077?spark.executor.memory=2g``.

    Raises
    ------
    UsageError
        The address names a user or a password: no master of Spark takes one.
    NecropsyError
        It does not answer, or there is no Java.
    """
    master, _, asked = address.partition("?")
    if _USER.match(master):
        hint = "Leave out what stands before the @. Spark's own secret is a setting: ?spark.authenticate.secret=…"
        raise UsageError(f"--engine {masked_address(address)}: Spark takes no user and no password", hint=hint)
    # Executors run the Python that the driver's environment names; on this machine that should be this one.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    builder = SparkSession.builder.master(master).appName("necropsy")
    for name, value in {**_SETTINGS, **dict(parse_qsl(asked))}.items():
        builder = builder.config(name, value)
    try:
        spark = builder.getOrCreate()
    except Exception as error:  # of Java, of Py4J or of PySpark, by what is missing
        raise NecropsyError(
            f"--engine {masked_address(address)}: {_reason(error)}",
            hint="Check that its master is running and that Java 17 is installed.",
        ) from error
    try:
        if master.startswith("spark://"):
            _await_executors(spark, address)
        yield spark
    except (PySparkException, Py4JError) as error:
        hint = "See the executors' logs. Can they read the files, and do they have this version of necropsy?"
        raise NecropsyError(f"--engine {masked_address(address)}: {_reason(error)}", hint=hint) from error
    finally:
        spark.stop()


def _reason(error: Exception) -> str:
    """Return what is said of an error in one line: what an executor's Python raised, if it did, or else what Java did."""
    raised = re.findall(r"^Traceback \(most recent call last\):\n(?:[ ].*\n)+(\S.*)", str(error), re.MULTILINE)
    raised = raised or _CAUSE.findall(str(error))
    if raised and "stopped SparkContext" in raised[-1]:  # what is left of it when Spark gave up its master
        return "no master answers there"
    return masked(raised[-1].strip() if raised else first_line(error))


def _await_executors(spark: SparkSession, address: str) -> None:
    """Wait for the first executor: a job for which the cluster has no room would wait for ever, and say nothing."""
    until = time.monotonic() + _PATIENCE_S
    while spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 2:  # noqa: SLF001 -- the driver is the first
        if time.monotonic() > until:
            raise NecropsyError(
                f"--engine {masked_address(address)}: the cluster provided no executor in {_PATIENCE_S:.0f} s",
                hint="Request less, for example spark://HOST:PORT?spark.executor.memory=512m, or check what else runs"
                " there.",
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
    """See ``Backend``."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._context = spark.sparkContext
        self._partitions: SparkPartitions | None = None
        self._counts: dict[str, pa.Table] = {}

    def close(self) -> None:
        """Forget what was kept on the cluster."""
        if self._partitions is not None:
            self._partitions.close()

    def read(self, wanted: WantedLines) -> Part:
        """See ``Backend``."""
        part = Part()
        files = [file for locator in wanted.locators for file in self._files(locator, part)]
        read = self._read(files, wanted) if files else []
        for number, file in enumerate(files):
            spark_partitions.count(part, file, [piece for piece in read if piece.file == number], wanted.formats)
        counted = self._counts.pop("equal_lines", None)
        times = 1 if counted is None else copies_in_pieces(counted)
        if times > 1:
            part.blemishes.append(blemish(times, part.sources, part.requests))
        return part

    def analyse(self, *, slack_us: int, bins: bool, visits_between: tuple[int, int] | None) -> Analysis:
        """See ``Backend``."""
        assert self._partitions is not None  # noqa: S101 -- for the type checker: something was read
        with open_scratch() as scratch:
            conductor = Conductor(scratch, self._partitions, self._counts, slack_us)
            return conductor.analyse(bins=bins, visits_between=visits_between)

    def _files(self, locator: str, part: Part) -> list[spark_partitions.File]:
        """Return the files of a locator: one here, or several behind an address that Spark can read."""
        if locator == STANDARD_INPUT:
            hint = "Write it to a file that the executors can read, or leave --engine out."
            part.absent.append(Absent(KIND, locator, "standard input cannot be read by the cluster", hint))
            return []
        try:
            if _ELSEWHERE.match(locator):
                return self._behind(locator)
            with open_scratch() as scratch:
                file = attach(locator, scratch.folder, 0)
                packed = file.compression != "none" or file.path.is_symlink() is False
                path = Path(locator).resolve()
                head = tuple(first_lines(file))
                return [spark_partitions.File(locator, str(path), packed, head, path.stat().st_size)]
        except UnreadableSource as error:
            part.absent.append(Absent(KIND, masked_address(locator), masked(error.message), error.hint))
            return []

    def _behind(self, locator: str) -> list[spark_partitions.File]:
        files = []
        try:
            for uri in sorted(self._spark.read.text(locator).inputFiles()):
                name = unquote(uri)
                packed, head = self._head(name)
                files.append(
                    spark_partitions.File(masked_address(name), name, packed or _PACKED.search(name) is not None, head)
                )
        except (PySparkException, Py4JError) as error:
            raise UnreadableSource(
                f"{locator}: {_reason(error)}", hint="Check that the executors can read it."
            ) from error
        return files

    def _head(self, name: str) -> tuple[bool, tuple[str, ...]]:
        """Return whether a file that Spark reads is packed, and its first lines."""
        path = self._context._jvm.org.apache.hadoop.fs.Path(name)  # noqa: SLF001
        stream = path.getFileSystem(self._context._jsc.hadoopConfiguration()).open(path)  # noqa: SLF001
        try:
            data = bytes(stream.readNBytes(_HEAD))
        finally:
            stream.close()
        if not data:
            return False, ()
        with open_scratch() as scratch:
            copy = scratch.folder / "head"
            copy.write_bytes(data)
            file = attach(str(copy), scratch.folder, 0)
            return file.compression != "none" or not file.path.is_symlink(), tuple(first_lines(file))

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

    def _read(self, files: Sequence[spark_partitions.File], wanted: WantedLines) -> list[spark_partitions.Piece]:
        """Read files into partitions, and return what became of their pieces, in their order."""
        size = sum(file.size * (_UNPACKED if file.packed else 1) for file in files)
        count = self._setting("spark.sql.shuffle.partitions", 0) or max(
            self._context.defaultParallelism, math.ceil(size / _OF_A_PARTITION)
        )
        narrowed = WantedLines((), (), wanted.since, wanted.until)
        lines = size // _OF_A_LINE if all(file.size for file in files) else _UNKNOWN_LINES
        reader = spark_partitions.Reader(tuple(files), tuple(wanted.formats), narrowed, count, one_in(lines))
        self._partitions = SparkPartitions(self._context, count)
        said = self._partitions.read(self._sources(reader, size))
        self._counts = merged(tables for _, tables in said)
        pieces = self._counts.pop("piece", None)  # of empty files there is none
        texts = [] if pieces is None else pieces["text"].to_pylist()
        done = [spark_partitions.Piece(**json.loads(text)) for text in texts]
        return sorted(done, key=lambda piece: (piece.file, piece.start))

    def _sources(self, reader: spark_partitions.Reader, size: int) -> list[Any]:
        """Return the pairs of all files, those that executors open by themselves and those that Spark reads."""
        largest = self._setting("spark.sql.files.maxPartitionBytes", 128 << 20)
        at_most = min(largest, max(_SMALLEST, math.ceil(size / self._context.defaultParallelism)))
        here = [file for file in reader.files if not _ELSEWHERE.match(file.path)]
        found = []
        if here:
            numbers = {number: file for number, file in enumerate(reader.files) if file in here}
            tasks = [
                [spark_partitions.Stretch(list(numbers)[s.file], s.start, s.end) for s in task]
                for task in spark_partitions.stretches(list(numbers.values()), at_most)
            ]
            found.append(on_executors(self._context.parallelize(tasks, len(tasks)), reader.here))
        for packed, read in ((False, reader.plain), (True, reader.packed)):
            paths = [file.path for file in reader.files if file.packed is packed and _ELSEWHERE.match(file.path)]
            if paths:
                rows = self._whole(paths) if packed else self._text(paths)
                found.append(rows.mapInArrow(read, spark_partitions.PAIR).rdd.map(tuple))
        return found

    def _setting(self, name: str, default: int) -> int:
        """Return a setting that is a number or a size, if it was set."""
        text = self._context.getConf().get(name)
        if text is None:
            return default
        return int(self._context._jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(text))  # noqa: SLF001

    def _whole(self, paths: Sequence[str]) -> Any:
        return (
            self._spark.read.format("binaryFile").load([_literally(path) for path in paths]).select("path", "content")
        )


def _literally(path: str) -> str:
    """Return a path that Spark does not take for a pattern."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)
