"""How does the cost of a log on Spark grow with workers? A real standalone cluster of 1, 2 and 4 workers, beside DuckDB.

    python bench/engines.py [--lines 1200000] [--split MB] [--keep FOLDER]

Each worker has one core and 1 GB, all are on this machine: beyond its cores, more workers cannot be faster. For each
cluster: reading (the executors' work on the files until the first answer), the whole (with classes, rhythms and bins), and
the processor time of all its processes. What is fixed is told by a log of a thousand lines; ``a core and GB`` is what the
reading of a gigabyte took of one worker's core, from which a larger log can be estimated.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

import access_log  # noqa: E402 -- found by the line above

import spark  # noqa: E402

WORKERS = (1, 2, 4)
MEMORY = "1g"

READ = """
import json, sys, time
from necropsy.case.store import Case
from necropsy.evidence.access_log import reader
path, engine = sys.argv[1], sys.argv[2] or None
said = {}
if engine:
    from necropsy.evidence.access_log.backends import spark
    backend = spark.SparkBackend
    connected = spark.session
    import contextlib
    @contextlib.contextmanager
    def session(address):
        begin = time.perf_counter()
        with connected(address) as found:
            said["connect"] = time.perf_counter() - begin
            yield found
    spark.session = session
else:
    from necropsy.evidence.access_log.backends import local
    backend = local.LocalBackend
read = backend.read
def timed(self, wanted):
    begin = time.perf_counter()
    part = read(self, wanted)
    said["read"] = time.perf_counter() - begin
    return part
backend.read = timed
begin = time.perf_counter()
with Case.create(None) as case:
    log = reader.read(case, [path], engine=engine)
    said["whole"] = time.perf_counter() - begin - said.get("connect", 0.0)
    classes, = case.rows("SELECT count(*) AS classes, sum(visits) AS visits FROM visitor_class")
print(json.dumps(said | {"requests": log.requests} | classes))
"""


def ran(path: Path, engine: str, environment: dict[str, str] | None) -> dict[str, float]:
    """Read a log by a process of its own; what it says of itself."""
    command = [sys.executable, "-c", READ, str(path), engine]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def processor_seconds() -> float:
    """Return the processor time of all processes that this one has waited for, and of those that they waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--lines", type=int, default=1_200_000)
    arguments.add_argument("--split", type=float, default=16.0, metavar="MB", help="size of the pieces")
    arguments.add_argument("--keep", type=Path, help="folder in which the log stays for the next run")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"combined-{chosen.lines}.log"
        if not path.exists():
            access_log.write(path, chosen.lines, access_log.COMBINED_LINE)
        small = folder / "small.log"
        with path.open("rb") as source:
            small.write_bytes(b"".join(source.readline() for _ in range(1000)))
        size = path.stat().st_size / 1e6
        print(f"combined: {size:,.0f} MB in pieces of {chosen.split:.0f} MB; {os.cpu_count()} cores, {MEMORY} a worker")
        print(f"{'':22} {'reading':>9} {'whole':>9} {'fixed':>8} {'CPU':>8} {'MB/s':>7} {'a core and GB':>14}  answers")
        before = processor_seconds()
        here = ran(path, "", None)
        spent = processor_seconds() - before
        row("DuckDB, here", here, ran(small, "", None), spent, size, 2)
        for workers in WORKERS:
            before = processor_seconds()
            with spark.running(workers=workers, memory=MEMORY) as cluster:
                settings = cluster.options | {
                    "spark.executor.memory": MEMORY,
                    "spark.sql.files.maxPartitionBytes": f"{round(chosen.split * (1 << 20))}",
                    "spark.sql.shuffle.partitions": str(2 * workers),
                    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=4",  # those of tests start fast instead
                }
                engine = f"{cluster.url}?{urlencode(settings)}"
                fixed = ran(small, engine, cluster.environment)
                found = ran(path, engine, cluster.environment)
            spent = processor_seconds() - before
            row(f"Spark, {workers} worker{'s' * (workers > 1)}", found, fixed, spent, size, workers)
            same = all(found[name] == here[name] for name in ("requests", "classes", "visits"))
            print(f"{'':22} {'the same answers' if same else 'OTHER ANSWERS'}")


def row(name: str, found: dict[str, float], fixed: dict[str, float], spent: float, size: float, cores: int) -> None:
    """Print one row."""
    a_core = (found["read"] - fixed["read"]) * min(cores, os.cpu_count() or 1) / size * 1000
    print(
        f"{name:22} {found['read']:7.2f} s {found['whole']:7.2f} s {fixed['whole']:6.2f} s {spent:6.1f} s"
        f" {size / found['whole']:7,.0f} {a_core:12.1f} s  {found['classes']:,.0f} classes",
        flush=True,
    )


if __name__ == "__main__":
    main()
