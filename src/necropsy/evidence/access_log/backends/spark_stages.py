"""The partitions of a log as data sets of Spark: bytes, which it shuffles and keeps without looking into them.

What a partition says comes back beside its task's result (an accumulator) under the number of the partition: it is the same
each time, so that one that is made again, because its machine was lost, counts once.

Python's own data sets and not tables: a table's rows would be taken apart into Java's and put together again at each stage,
and each stage's plan be compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark import StorageLevel
from pyspark.accumulators import AccumulatorParam

from necropsy.case.scratch import open_scratch
from necropsy.evidence.access_log.backends.spark_partitions import TO_THE_DRIVER, said_by_piece
from necropsy.visits.partitioned.packing import merged, packed, unpacked
from necropsy.visits.partitioned.partition import Partition, Stage, run_stage

if TYPE_CHECKING:
    import pyarrow as pa

Pair = tuple[int, bytes]


def on_executors(tasks: Any, function: Callable[[Iterable[Any]], Iterator[Pair]]) -> Any:
    """Return the pairs that a function makes of the tasks."""
    return tasks.mapPartitions(function)


class _ByKey(AccumulatorParam):  # type: ignore[misc]
    """Gathers values by key; the same key has the same value whenever it is made."""

    def zero(self, value: dict[Any, Any]) -> dict[Any, Any]:  # noqa: ARG002 -- the interface
        return {}

    def addInPlace(self, value1: dict[Any, Any], value2: dict[Any, Any]) -> dict[Any, Any]:  # noqa: N802
        value1.update(value2)
        return value1


@dataclass(frozen=True)
class _Gather:
    """Takes what is for the driver out of the pairs."""

    said: Any
    """Accumulator: bytes by number."""

    def __call__(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        for part, data in pairs:
            if part == TO_THE_DRIVER:
                key, _ = said_by_piece(data)
                self.said.add({key: bytes(data)})
            else:
                yield part, data


@dataclass(frozen=True)
class _OnPartition:
    """Runs a stage on a partition."""

    stage: Stage
    given: Any
    """Broadcast: tables as bytes."""
    said: Any
    """Accumulator: tables as bytes, by number of the partition."""

    def __call__(self, number: int, pairs: Iterable[Pair]) -> Iterator[Pair]:
        with open_scratch() as scratch:
            partition = Partition(scratch)
            taken = False
            for _, data in pairs:
                partition.take(data)
                taken = True
            if not taken:
                return
            run_stage(partition, self.stage, dict(unpacked(data) for data in self.given.value))
            self.said.add({number: [packed(name, rows) for name, rows in partition.said.items()]})
            for data in partition.leaving():
                yield number, data


class SparkPartitions:
    """See ``Partitions``.

    Parameters
    ----------
    count
        How many there are. Spark's data sets have one more, which is always empty: asked for it, Spark reads the files.
    """

    def __init__(self, context: Any, count: int) -> None:
        self._context = context
        self._count = count
        self._made: dict[str, Any] = {}
        self._broadcast: list[Any] = []

    def read(self, sources: Sequence[Any]) -> list[tuple[tuple[int, int], dict[str, pa.Table]]]:
        """Read files into partitions; return what is said of their pieces.

        Parameters
        ----------
        sources
            Data sets of pairs.
        """
        said = self._context.accumulator({}, _ByKey())
        pairs = self._context.union([source.mapPartitions(_Gather(said)) for source in sources])
        lines = pairs.partitionBy(self._count + 1, _itself)
        # The same bytes; else a union would have Python read and write all of them once more.
        lines._jrdd_deserializer = self._context.serializer  # noqa: SLF001
        self._made["lines"] = lines
        self._context.runJob(lines, list, [self._count])
        return [said_by_piece(said.value[key]) for key in sorted(said.value)]

    def run(
        self, stage: Stage, given: Mapping[str, pa.Table], *, of: str, into: str | None = None
    ) -> dict[str, pa.Table]:
        """See ``Partitions``."""
        said = self._context.accumulator({}, _ByKey())
        shared = self._context.broadcast([packed(name, rows) for name, rows in given.items()])
        self._broadcast.append(shared)
        first, *others = (self._made[name] for name in of.split("+"))
        for other in others:
            first = first.union(other)
        made = first.mapPartitionsWithIndex(_OnPartition(stage, shared, said), preservesPartitioning=True)
        if into is not None:
            self._made[into] = made.persist(StorageLevel.MEMORY_AND_DISK)
        made._jrdd.count()  # noqa: SLF001 -- counted by Java: Python need not read what it wrote
        return merged(dict(unpacked(data) for data in said.value[number]) for number in sorted(said.value))

    def close(self) -> None:
        """Forget what was kept on the cluster."""
        for name, made in self._made.items():
            if name != "lines":
                made.unpersist()
        for shared in self._broadcast:
            shared.destroy()


def _itself(number: int) -> int:
    return number
