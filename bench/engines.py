"""What does a log cost on Spark? A real standalone cluster, beside DuckDB here and a plain Spark SQL grouping of the file.

    python bench/engines.py [--lines 1200000] [--split MB] [--workers 1] [--rounds 1] [--before SRC] [--keep FOLDER]

Each worker has one core and 1 GB, and all are on this machine. Each run has a cluster of its own, so that its processor time,
that of all processes of the cluster and of the driver, can be told. ``fixed`` is what a log of a thousand lines takes, the start
of the cluster left out (``nothing``: a session that asks for nothing); ``a GB`` is what the large log takes beyond that.

``--before`` takes the ``src`` of another tree, measured by turns with this one, and prints the ratios.
``Spark SQL`` splits each line by a regular expression and counts requests by client, user agent, path and status: no visits, no
redirects, no rhythms.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

import access_log  # noqa: E402 -- found by the line above

import spark  # noqa: E402

MEMORY = "1g"

READ = """
import json, sys, time
from necropsy.case.store import Case
from necropsy.evidence.access_log import reader
path, engine = sys.argv[1], sys.argv[2] or None
begin = time.perf_counter()
with Case.create(None) as case:
    log = reader.read(case, [path], engine=engine)
    whole = time.perf_counter() - begin
    classes, = case.rows("SELECT count(*) AS classes, sum(visits) AS visits FROM visitor_class")
print(json.dumps({"whole": whole, "requests": log.requests} | classes))
"""
NOTHING = """
import json, sys, time
from necropsy.evidence.access_log.backends import spark
begin = time.perf_counter()
with spark.session(sys.argv[2]) as session:
    pass
print(json.dumps({"whole": time.perf_counter() - begin}))
"""
GROUPING = r"""
import json, sys, time
from necropsy.evidence.access_log.backends import spark
from pyspark.sql import functions as f
LINE = r'^(\\S+) \\S+ \\S+ \\[[^\\]]+\\] "\\S+ ([^ ?"]+)[^"]*" (\\d+) \\S+ "[^"]*" "([^"]*)"'
begin = time.perf_counter()
with spark.session(sys.argv[2]) as session:
    part = lambda n: f.regexp_extract("value", LINE, n)
    lines = session.read.text(sys.argv[1]).select(part(1).alias("client"), part(4).alias("agent"), part(2).alias("path"), part(3).alias("status"))
    groups = lines.groupBy("client", "agent", "path", "status").count()
    classes, requests = groups.agg(f.count("*"), f.sum("count")).first()
print(json.dumps({"whole": time.perf_counter() - begin, "classes": classes, "requests": requests}))
""".replace("\\\\", "\\")


@dataclass
class Costs:
    """Seconds of the processor and of the clock, one a round."""

    processor: dict[str, list[float]] = field(default_factory=dict)
    """By what was read: ``nothing``, ``small``, ``large``."""
    clock: dict[str, list[float]] = field(default_factory=dict)
    said: dict[str, dict[str, float]] = field(default_factory=dict)

    def fixed(self) -> float:
        """Return what a small log takes."""
        return mean(self.processor["small"]) - mean(self.processor["nothing"])

    def a_gigabyte(self, size: float) -> float:
        """Return what a gigabyte takes beyond that."""
        return (mean(self.processor["large"]) - mean(self.processor["small"])) / size


def mean(values: list[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def measure(costs: Costs, what: str, code: str, path: Path, workers: int, options: dict[str, str], source: str) -> None:
    """Run a program on a cluster of its own, and count what all of it took."""
    before = processor_seconds()
    os.environ["PYTHONPATH"] = source  # of the executors, too
    if workers:
        with spark.running(workers=workers, memory=MEMORY) as cluster:
            engine = f"{cluster.url}?{urlencode(cluster.options | options)}"
            found = ran(code, path, engine, cluster.environment)
    else:
        found = ran(code, path, "", {**os.environ})
    costs.processor.setdefault(what, []).append(processor_seconds() - before)
    costs.clock.setdefault(what, []).append(float(found["whole"]))
    costs.said[what] = {name: value for name, value in found.items() if name != "whole"}


def ran(code: str, path: Path, engine: str, environment: dict[str, str]) -> dict[str, float]:
    """Run a program by a process of its own; what it says of itself."""
    command = [sys.executable, "-c", code, str(path), engine]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
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
    arguments.add_argument("--workers", type=int, nargs="*", default=[1])
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--before", type=Path, metavar="SRC", help="src of another tree")
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
        logs = (("nothing", small), ("small", small), ("large", path))
        size = path.stat().st_size / 1e9
        print(
            f"combined: {1000 * size:,.0f} MB in pieces of {chosen.split:.0f} MB; {os.cpu_count()} cores, {MEMORY} a worker"
        )
        here = Costs()
        for what, log in logs:
            measure(here, what, "print('{\"whole\": 0}')" if what == "nothing" else READ, log, 0, {}, "")
        print(f"{'':26} {'fixed':>14} {'large':>14} {'CPU fixed':>10} {'CPU large':>10} {'CPU a GB':>10}  answers")
        row("DuckDB, here", here, size)
        for workers in chosen.workers:
            on_spark(chosen, logs, workers, here, size)


def on_spark(
    chosen: argparse.Namespace, logs: tuple[tuple[str, Path], ...], workers: int, here: Costs, size: float
) -> None:
    """Measure clusters of so many workers, and print what they took."""
    options = {
        "spark.executor.memory": MEMORY,
        "spark.sql.files.maxPartitionBytes": f"{round(chosen.split * (1 << 20))}",
        "spark.sql.shuffle.partitions": str(2 * workers),
        "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=4",  # those of tests start fast instead
    }
    by_name = {"Spark SQL": (GROUPING, ""), "necropsy": (READ, "")}
    if chosen.before:
        by_name["necropsy, before"] = (READ, str(chosen.before.resolve()))
    found: dict[str, Costs] = {name: Costs() for name in by_name}
    for _ in range(chosen.rounds):
        for what, log in logs:
            for name, (code, source) in by_name.items():
                measure(found[name], what, NOTHING if what == "nothing" else code, log, workers, options, source)
    for name, costs in found.items():
        row(f"{name}, {workers} worker{'s' * (workers > 1)}", costs, size)
    now = found.pop("necropsy")
    print(f"{'':26} {'the same answers as DuckDB' if now.said['large'] == here.said['large'] else 'OTHER ANSWERS'}")
    for name, other in found.items():
        print(
            f"{'':26} beside {name}: CPU a GB {now.a_gigabyte(size) / other.a_gigabyte(size):.2f} x,"
            f" CPU fixed {now.fixed() / other.fixed():.2f} x,"
            f" clock fixed {mean(now.clock['small']) / mean(other.clock['small']):.2f} x,"
            f" clock large {mean(now.clock['large']) / mean(other.clock['large']):.2f} x",
            flush=True,
        )


def row(name: str, costs: Costs, size: float) -> None:
    """Print one row."""
    classes = costs.said["large"]["classes"]
    print(
        f"{name:26} {mean(costs.clock['small']):12.2f} s {mean(costs.clock['large']):12.2f} s {costs.fixed():8.1f} s"
        f" {mean(costs.processor['large']) - mean(costs.processor['nothing']):8.1f} s {costs.a_gigabyte(size):8.1f} s"
        f"  {classes:,.0f} classes",
        flush=True,
    )


if __name__ == "__main__":
    main()
