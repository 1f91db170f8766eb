"""Large stores: a purge of garbage among 10,000 live sessions that are in use, at several sizes.

Printed of each size: processor time of plan, purge and undo, of this program and of the server, for each session; memory
(a process of its own each); the plan beside the reading of ``examine``; the 99th percentile of another client that reads
live sessions, before and during the purge. At the end the exponents: 1 is linear.

    python bench/purge_large.py [dump|snapshot] [SESSIONS ...]        dump 100000 300000 1000000

Ten million keys are five million sessions; that takes half an hour, 5 GB of memory and as much room for the journal in TMPDIR::

    python bench/purge_large.py dump 500000 5000000

With the default budget a snapshot is refused where its fork would hold everybody up for longer; ``dump`` always works.
"""

from __future__ import annotations

import math
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, cast

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from purge import children, cpu, name_of

from servers import Server, running
from treat.purge.population import HOUR, SPRING, write_spring

LIVE = 10_000
_MEASURED = """
import os, sys
child = os.fork()
if not child:
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""
"""A launcher that is small itself: a process begins with the peak of the one that it was forked from."""
ALONE = str(Path(__file__).with_name("alone.py"))
_COMMAND = (sys.executable, ALONE, "purge", "--quiet")
_STREAM = ("--read-method", "stream", "--max-impact", "1s")
"""Both are read the same way: the first one's fork may tell the second one not to ask for another."""
_READ = """
import sys
import alone
alone.leave_pandas_out()
from functools import partial
from necropsy.autopsy.filling import fill
from necropsy.case.store import Case
from necropsy.evidence import open_keyspace
from necropsy.evidence.redis.options import LiveOptions
from necropsy.sessions.registry import projection
with Case.create(None, large=True) as case:
    fill(case, "a", open_keyspace(sys.argv[1], projection(), name="a", live=LiveOptions(way="stream", max_impact_s=1.0)), None)
"""
"""What ``examine`` does to read a store."""


class Pipe:
    """Takes the commands of a pipeline, and hands them to ``redis-cli --pipe``: ten million keys in minutes."""

    def __init__(self, server: Server) -> None:
        cli = shutil.which("redis-cli") or "redis-cli"
        self._process = subprocess.Popen(
            [cli, "-p", str(server.port), "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        self._stdin = cast("BinaryIO", self._process.stdin)
        self._waiting: list[bytes] = []

    def _put(self, *words: object) -> None:
        packed = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self._waiting.append(
            b"*%d\r\n%b" % (len(packed), b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in packed]))
        )

    def hset(self, key: str, mapping: Mapping[str, bytes]) -> None:
        self._put("HSET", key, *(word for pair in mapping.items() for word in pair))

    def pexpireat(self, key: str, moment: int) -> None:
        self._put("PEXPIREAT", key, moment)

    def set(self, key: str, value: str) -> None:
        self._put("SET", key, value)

    def sadd(self, key: str, member: bytes) -> None:
        self._put("SADD", key, member)

    def execute(self) -> None:
        """Send what waits."""
        self._stdin.write(b"".join(self._waiting))
        self._waiting.clear()

    def end(self) -> None:
        """Send the rest, and wait for the last answer."""
        self.execute()
        self._stdin.close()
        if self._process.wait():
            raise SystemExit("redis-cli --pipe: some keys were not written")


def fill(server: Server, sessions: int) -> None:
    """Write garbage, unused for two hours, and live sessions, half of them logged in."""
    server.client().flushall()
    now = int(time.time() * 1000)
    pipe = Pipe(server)
    for number in range(sessions + LIVE):
        live = number < LIVE
        used = now if live else now - 2 * HOUR - number % 3_600_000
        write_spring(pipe, name_of(number), used, user=live and number % 2 == 0)
        if number % 2000 == 1999:
            pipe.execute()
    pipe.end()


def measured(*words: str) -> tuple[float, float]:
    """Run a command in a process of its own; its processor time and its peak of memory in MB."""
    run = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURED, *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    )
    code, seconds, peak = run.stdout.split()[-3:]
    if code != "0":
        raise SystemExit(f"{words}: exit code {code}\n{run.stderr}")
    return float(seconds), float(peak)


class Beside:
    """Another client: reads a live session 200 times a second, and keeps how long each answer took."""

    def __init__(self, server: Server) -> None:
        self._client = server.client()
        self._stop = threading.Event()
        self.took: list[float] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        rng = random.Random(1)
        while not self._stop.is_set():
            key = f"{SPRING}:sessions:{name_of(rng.randrange(LIVE))}"
            began = time.perf_counter()
            self._client.hgetall(key)
            self.took.append(time.perf_counter() - began)
            time.sleep(0.005)

    def during(self, act: Callable[[], None]) -> float:
        """Return the 99th percentile while something is done, in milliseconds."""
        self._thread.start()
        try:
            act()
        finally:
            self._stop.set()
            self._thread.join()
        return 1000 * sorted(self.took)[int(0.99 * len(self.took))]


def main() -> None:
    by = next((word for word in sys.argv[1:] if not word.isdecimal()), "dump")
    sizes = [int(word) for word in sys.argv[1:] if word.isdecimal()] or [100_000, 300_000, 1_000_000]
    costs: dict[str, list[float]] = {}
    for sessions in sizes:
        with (
            running("redis-7.0", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", tcp=True) as server,
            tempfile.TemporaryDirectory() as folder,
        ):
            fill(server, sessions)
            print(f"{sessions:,} garbage sessions among {LIVE:,} live ones", flush=True)
            plan, journal = f"{folder}/a.plan", f"{folder}/a.journal"
            read_s, read_mb = measured(sys.executable, "-c", _READ, server.url)
            quiet = Beside(server).during(lambda: time.sleep(10))
            for what, words in (
                ("plan", ("--redis", server.url, "--where", "anonymous", "--plan", plan, *_STREAM)),
                ("purge", ("--apply", plan, "--journal", journal, "--yes", "--journal-by", by)),
                ("undo", ("--undo", journal)),
            ):
                before, forked, began = cpu(server), children(server), time.perf_counter()
                told: list[tuple[float, float]] = []
                p99 = Beside(server).during(lambda words=words, told=told: told.append(measured(*_COMMAND, *words)))  # type: ignore[misc]
                (own, peak), took = told[0], time.perf_counter() - began
                served = cpu(server) - before
                costs.setdefault(f"{what}, this program", []).append(own)
                costs.setdefault(f"{what}, the server", []).append(served)
                print(
                    f"  {what:6} {1e6 * own / sessions:6.1f} us/session, server {1e6 * served / sessions:5.1f} us,"
                    f" fork {children(server) - forked:5.2f} s, {sessions / took:8,.0f} sessions/s by the clock,"
                    f" {peak:4.0f} MB; p99 of another client {p99:.2f} ms, {quiet:.2f} ms before",
                    flush=True,
                )
                if what == "purge":
                    print(f"  left: {server.client().dbsize():,} keys", flush=True)
            plan_s = costs["plan, this program"][-1]
            print(
                f"  plan {plan_s / read_s:.2f} x the reading of examine ({read_mb:.0f} MB), wanted <= 1.2", flush=True
            )
    if len(sizes) > 1:
        for name, values in costs.items():
            exponent = math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0])
            print(f"{name:22} grows with the power {exponent:.2f} of the number of sessions")


if __name__ == "__main__":
    main()
