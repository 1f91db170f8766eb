"""A live scan for sessions while others use the server, on a quiet machine and beside processes that burn its cores.

Another tree is measured by turns in the same run: ``python bench/keyspace_live_beside.py --peer FOLDER`` (its native parts built).
One client of the store asks 2,000 times a second. It is measured twice: with a real-time priority, as if on a machine of its own,
and as an ordinary process.

Limits, as multiples of the peer's wall time at no greater p99 of the client: 0.5 where the machine is quiet, 0.33 beside burners.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from keyspace_live import KEYS, SERVER, fill
from table import Bar, print_bars

from servers import Server, running

HERE = Path(__file__).parents[1]
BURN = "while True: pass"
SCAN = """
import sys, time
from necropsy.evidence.rdb.reader import open_stream
from necropsy.evidence.redis.reader import read_keys
from necropsy.sessions.registry import projection
sys.path.insert(0, sys.argv[1])
import pyarrow, numpy
began, worked = time.perf_counter(), time.process_time()
live = read_keys(sys.argv[1], projection(), store="bench", way="script", max_impact_s=float(sys.argv[2]),
    open_stream=open_stream, each=False)
rows = sum(batch.num_rows for batch in live)
facts = live.facts
print(time.perf_counter() - began, rows, time.process_time() - worked, facts["scan-slices"], facts["scan-server-s"],
    facts["scan-rested-s"], facts["scan-longest-slice-ms"])
"""
ASK = """
import os, select, socket, sys, time
if sys.argv[3] == "fifo":
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
channel = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
taken, every = [], 1 / float(sys.argv[2])
due = time.perf_counter()
while not select.select([sys.stdin], [], [], 0)[0]:
    due = max(due + every, time.perf_counter() - 0.05)
    rest = due - time.perf_counter()
    if rest > 0:
        time.sleep(rest)
    begin = time.perf_counter()
    channel.sendall(b"*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\nx\\r\\n")
    channel.recv(64)
    taken.append(time.perf_counter() - begin)
taken.sort()
print(1000 * taken[len(taken) * 99 // 100], 1000 * taken[len(taken) * 999 // 1000], len(taken))
"""
"""It does not ask faster to make up for what it missed by more than 50 ms."""


class Client:
    """A client that asks again and again until it is stopped."""

    def __init__(self, server: Server, priority: str, rate: int) -> None:
        words = (sys.executable, "-c", ASK, str(server.port), str(rate), priority)
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self) -> tuple[float, float, int]:
        """Return the 99th percentile and the 999th per mille in ms, and how often it asked."""
        output, _ = self._process.communicate("\n", timeout=60)
        p99, p999, asked = output.split()
        return float(p99), float(p999), int(asked)


@contextlib.contextmanager
def burning(processes: int) -> Iterator[None]:
    """Keep so many processors busy."""
    burners = [subprocess.Popen((sys.executable, "-c", BURN)) for _ in range(processes)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def scan(server: Server, tree: Path, impact_s: float, timeout_s: float) -> list[float]:
    """Return seconds, rows, own processor seconds, slices, server seconds, rested seconds and the longest slice in ms."""
    words = (sys.executable, "-c", SCAN, server.url, str(impact_s))
    environment = os.environ | {"PYTHONPATH": str(tree / "src")}
    try:
        output = subprocess.run(
            words, capture_output=True, text=True, env=environment, check=True, timeout=timeout_s
        ).stdout
    except subprocess.TimeoutExpired:
        return [timeout_s, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    return [float(word) for word in output.split()]


def compared(
    server: Server, trees: dict[str, Path | None], burners: int, priority: str, options: argparse.Namespace
) -> dict[str, tuple[float, float]]:
    """Measure each tree in turn; return the median of its wall time and of what the client felt."""
    print(f"\n{burners} burners, client {priority}, {options.rate} commands/s")
    print(
        f"{'':8} {'wall s':>8} {'cpu s':>7} {'slices':>8} {'server s':>8} {'rested s':>8} {'longest':>8} {'p99 ms':>8} {'p99.9':>8}"
    )
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in trees}
    for _ in range(options.rounds):
        for name, tree in trees.items():
            with burning(burners):
                client = Client(server, priority, options.rate)
                if tree is None:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        subprocess.run(("sleep", "5"), check=True)
                    figures = [5.0, KEYS, 0.0, 0.0, 0.0, 0.0, 0.0]
                else:
                    figures = scan(server, tree, options.budget_ms / 1000, options.timeout)
                p99, p999, _ = client.stop()
            if figures[1] not in (0, KEYS):
                raise SystemExit(f"{name}: {figures[1]:,.0f} of {KEYS:,} keys")
            wall, _, cpu, slices, served, rested, longest = figures
            print(
                f"{name:8} {wall:>8.2f} {cpu:>7.2f} {slices:>8.0f} {served:>8.2f} {rested:>8.2f} {longest:>8.2f} {p99:>8.3f} {p999:>8.3f}",
                flush=True,
            )
            measured[name].append((wall, p99))
    return {name: (median(w for w, _ in rows), median(p for _, p in rows)) for name, rows in measured.items()}


def main() -> list[Bar]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", type=Path, help="Folder of another tree.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--budget-ms", type=float, default=1.0)
    parser.add_argument("--timeout", type=float, default=300.0)
    parser.add_argument("--burners", type=int, nargs="*", default=[0, 2])
    parser.add_argument("--clients", nargs="*", default=["fifo", "plain"])
    options = parser.parse_args()
    trees: dict[str, Path | None] = {"nothing": None}
    if options.peer:
        trees["peer"] = options.peer
    trees["here"] = HERE
    bars = []
    with running(SERVER, tcp=True) as server:
        fill(server)
        print(f"{SERVER}, {server.client().dbsize():,} keys")
        for burners in options.burners:
            for priority in options.clients:
                rows = compared(server, trees, burners, priority, options)
                if "peer" not in rows:
                    continue
                (peer, peer_p99), (here, here_p99) = rows["peer"], rows["here"]
                limit = 0.33 if burners else 0.5
                what = f"wall time / peer, {burners} burners, client {priority}"
                bars.append(Bar(what, f"<= {limit} x", f"{here / peer:.2f} x", here <= limit * peer))
                bars.append(
                    Bar("  p99 of the client", f"{peer_p99:.2f} ms", f"{here_p99:.2f} ms", here_p99 <= 1.05 * peer_p99)
                )
    return bars


if __name__ == "__main__":
    print_bars(main())
