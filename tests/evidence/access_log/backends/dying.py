"""The command, whose executors die: on the executors and in the driver.

    python -m evidence.access_log.backends.dying FOLDER WORKER examine …

In each stage the first task that comes to its end kills its executor (Java, by SIGKILL) before anybody has what it made.
Process WORKER, of a worker of the cluster, is killed with its executor before the classes are judged; 0: none is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Dying:
    """A stage, or the reading of files, that kills its executor the first time that any task has done it."""

    work: Any
    name: str
    folder: Path

    def __call__(self, given: Any) -> Any:
        made = self.work(given)
        if made is not None:
            return self.read(made)
        self.die()
        return None

    def read(self, made: Iterable[Any]) -> Iterator[Any]:
        for number, pair in enumerate(made):
            if number == 1:
                self.die()
            yield pair

    def die(self) -> None:
        with contextlib.suppress(FileExistsError):
            (self.folder / self.name).touch(exist_ok=False)
            os.kill(parent(parent(os.getpid())), signal.SIGKILL)  # this process, Python's daemon, Java


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def kill(worker: int) -> None:
    """Kill a worker of the cluster and its executors."""
    children = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and born_of(entry, worker)]
    for process in (worker, *children):
        os.kill(process, signal.SIGKILL)


def born_of(entry: Path, process: int) -> bool:
    try:
        return parent(int(entry.name)) == process
    except OSError:
        return False


def main() -> None:
    from necropsy.cli.main import main as command
    from necropsy.evidence.access_log.backends import spark, spark_stages
    from necropsy.visits.partitioned.stages import JudgeClasses

    folder, worker = Path(sys.argv[1]), int(sys.argv[2])
    del sys.argv[1:3]
    run = spark_stages.SparkPartitions.run

    def dying(self: Any, stage: Any, given: Mapping[str, Any], **names: Any) -> Any:
        if worker and isinstance(stage, JudgeClasses):
            kill(worker)
            (folder / "worker").touch()
        return run(self, stage if worker else Dying(stage, type(stage).__name__, folder), given, **names)

    def reading(tasks: Any, function: Any) -> Any:
        return spark_stages.on_executors(tasks, function if worker else Dying(function, "Reader", folder))

    spark_stages.SparkPartitions.run = dying  # type: ignore[method-assign]
    spark.on_executors = reading
    command()


if __name__ == "__main__":
    main()
