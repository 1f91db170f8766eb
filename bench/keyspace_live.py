"""Reading a live server: 600,000 keys of Spring sessions on loopback, beside redis-cli --memkeys, and what others feel.

Limits: the script way reads five times the keys a second of --memkeys; the stream three times the script way where both ask
everything of each key; while it reads, the 99th percentile of redis-benchmark rises by no more than the budget (1 ms), and so does that of a client that asks
now and then.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from table import Bar, Measured, Table, print_bars

from necropsy.evidence.rdb.reader import open_stream
from necropsy.evidence.redis.reader import read_keys
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.registry import projection
from servers import Server, running

ROUNDS = 5
KEYS = int(os.environ.get("BENCH_KEYS", "600000"))
SERVER = os.environ.get("BENCH_SERVER", "redis-7.0")
FILL = """
for i = ARGV[1], ARGV[2] do
  local id = string.format('%08x-1111-4222-8333-%012x', i, i * 7919)
  local key = 'spring:session:sessions:' .. id
  redis.call('HSET', key, 'creationTime', string.rep('c', 82), 'lastAccessedTime', string.rep('l', 82),
    'maxInactiveInterval', string.rep('m', 81), 'sessionAttr:SPRING_SECURITY_SAVED_REQUEST', string.rep('s', 900))
  redis.call('PEXPIRE', key, 86400000 + i)
  redis.call('SET', 'spring:session:sessions:expires:' .. id, '', 'PX', 86100000 + i)
end
"""


def fill(server: Server) -> None:
    client = server.client()
    for start in range(0, KEYS // 2, 5_000):
        client.eval(FILL, 0, start, min(start + 5_000, KEYS // 2) - 1)


def read(
    server: Server, way: str, wanted: Projection, max_impact_s: float = 0.001, each: bool = False
) -> dict[str, str]:
    live = read_keys(
        server.url, wanted, store="bench", way=way, max_impact_s=max_impact_s, open_stream=open_stream, each=each
    )
    rows = sum(batch.num_rows for batch in live)
    if rows != KEYS:
        raise SystemExit(f"{way}: {rows:,} of {KEYS:,} keys")
    return live.facts


def settled(server: Server) -> None:
    """Wait until the child that sent the last stream is gone."""
    while server.client().info("persistence")["rdb_bgsave_in_progress"]:
        time.sleep(0.01)


def save(server: Server) -> None:
    """What a server takes to write the same dump into a file: its child's work is the floor of the stream."""
    server.client().bgsave()
    settled(server)


def keep(
    told: list[dict[str, str]], server: Server, way: str, wanted: Projection, max_impact_s: float, each: bool
) -> None:
    told.append(read(server, way, wanted, max_impact_s, each))


def spent(server: Server) -> float:
    """Processor seconds of the server's main thread so far."""
    figures = server.client().info("cpu")
    kinds = ("user", "sys")
    return sum(float(figures.get(f"used_cpu_{kind}_main_thread", figures[f"used_cpu_{kind}"])) for kind in kinds)


def timed(server: Server, call: Callable[[], object], repeat: int = 3) -> Measured:
    """Return the median time, and of the processor that of the server."""
    seconds, servers = [], []
    for _ in range(repeat):
        settled(server)
        start, before = time.perf_counter(), spent(server)
        call()
        seconds.append(time.perf_counter() - start)
        servers.append(spent(server) - before)
    return Measured(median(seconds), processor_seconds=median(servers))


@contextlib.contextmanager
def beside(busy: Callable[[threading.Event], object] | None) -> Iterator[None]:
    """Run something again and again, from a second before."""
    stop = threading.Event()

    def run() -> None:
        while busy is not None and not stop.is_set():
            busy(stop)

    worker = threading.Thread(target=run)
    worker.start()
    time.sleep(1.0 if busy is not None else 0.0)
    try:
        yield
    finally:
        stop.set()
        worker.join()


def p99(server: Server, busy: Callable[[threading.Event], object] | None) -> tuple[float, float]:
    """The 99th percentile in ms and the requests a second of GETs of others, while something runs again and again."""
    with beside(busy):
        words = ("redis-benchmark", "-p", str(server.port), "-t", "get", "-n", "100000", "-c", "20", "--csv")
        output = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    header, row = [line.replace('"', "").split(",") for line in output.strip().splitlines()[-2:]]
    figures = dict(zip(header, row, strict=True))
    return float(figures["p99_latency_ms"]), float(figures["rps"])


CALM = """
import os, socket, sys, time
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
channel = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
taken = []
end = time.perf_counter() + float(sys.argv[2])
while time.perf_counter() < end:
    time.sleep(0.002)
    begin = time.perf_counter()
    channel.sendall(b"*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\nx\\r\\n")
    channel.recv(64)
    taken.append(time.perf_counter() - begin)
taken.sort()
print(1000 * taken[len(taken) * 99 // 100], len(taken) / float(sys.argv[2]))
"""
"""One client that asks some four hundred times a second. It does not wait for a processor, as one on a machine of its own:
two cores are what server and reader take, and a third process would be kept waiting for milliseconds by them, not by a slice."""
CALM_S = 3


def p99_calm(server: Server, busy: Callable[[threading.Event], object] | None) -> tuple[float, float]:
    """The same of one client that does nothing but wait between its questions."""
    with beside(busy):
        words = (sys.executable, "-c", CALM, str(server.port), str(CALM_S))
        output = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    latency, rate = map(float, output.split())
    return latency, rate


def disturb(server: Server, way: str, wanted: Projection, stop: threading.Event, *, max_impact_s: float) -> None:
    """Read until told to stop."""
    live = read_keys(
        server.url,
        wanted,
        store="bench",
        way=way,
        open_stream=open_stream,
        batch_rows=2_000,
        max_impact_s=max_impact_s,
    )
    for _ in live:
        if stop.is_set():
            break
    live.close()


def disturb_by_memkeys(server: Server, stop: threading.Event) -> None:
    with subprocess.Popen(["redis-cli", "-p", str(server.port), "--memkeys"], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not stop.wait(0.01):
            pass
        process.kill()


def memkeys(server: Server) -> None:
    subprocess.run(["redis-cli", "-p", str(server.port), "--memkeys"], stdout=subprocess.DEVNULL, check=True)


SCAN = """
local page = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[2])
return {page[1], #page[2]}
"""


def scan_alone(server: Server) -> None:
    """The floor of every script: SCAN on the server, nothing asked of any key, nothing sent."""
    client = server.client()
    digest = client.script_load(SCAN)
    cursor = b"0"
    while True:
        cursor, _ = client.evalsha(digest, 0, cursor, 1000)
        if cursor == b"0":
            return


def main() -> list[Bar]:
    bars: list[Bar] = []
    with running(SERVER, tcp=True) as server:
        client = server.client()
        if not re.match("redis-6", SERVER):
            client.config_set("repl-diskless-sync-delay", 0)
        fill(server)
        sessions = projection()
        print(f"{SERVER}, {client.dbsize():,} keys, {client.info('memory')['used_memory_human']}")
        table = Table(f"{KEYS:,} keys on loopback, median of 3; the delay of the stream for other replicas is set to 0")
        if shutil.which("redis-cli"):
            table.add("redis-cli --memkeys", timed(server, lambda: memkeys(server)))
        else:
            print("redis-cli is not installed: no peer")
        table.add("SCAN in a script, nothing asked of a key", timed(server, lambda: scan_alone(server)))
        for name, way, wanted, impact, each in (
            ("script, sessions, budget 1 ms", "script", sessions, 0.001, False),
            ("script, sessions, budget 10 ms", "script", sessions, 0.010, False),
            ("script, sessions, each key asked", "script", sessions, 0.001, True),
            ("script, what --memkeys asks", "script", Projection(), 0.001, False),
            ("  budget 10 ms", "script", Projection(), 0.010, False),
            ("  each key asked", "script", Projection(), 0.001, True),
            ("pipeline, sessions, budget 1 ms", "pipeline", sessions, 0.001, True),
            ("stream, sessions", "stream", sessions, 0.1, True),
        ):
            told: list[dict[str, str]] = []
            table.add(name, timed(server, partial(keep, told, server, way, wanted, impact, each)))
            details = {
                name: value for name, value in told[-1].items() if name.startswith(("scan-s", "scan-l", "stream-"))
            }
            print("   ", ", ".join(f"{name} {value}" for name, value in details.items()))
        table.add("BGSAVE of the same keys", timed(server, lambda: save(server)))
        rows = {name: measured.seconds for name, measured in table.rows}
        peer = rows.get("redis-cli --memkeys")
        best = rows["script, what --memkeys asks"]
        floor = rows["SCAN in a script, nothing asked of a key"]
        whole = rows["script, sessions, budget 1 ms"]
        if peer:
            bars.append(Bar("script, keys a second / --memkeys", ">= 5 x", f"{peer / best:.1f} x", peer >= 5 * best))
            larger = rows["  budget 10 ms"]
            bars.append(Bar("  with a budget of 10 ms", "", f"{peer / larger:.1f} x", None))
            work = {name: measured.processor_seconds for name, measured in table.rows}
            less = work["redis-cli --memkeys"] / max(work["script, what --memkeys asks"], 1e-9)
            bars.append(Bar("  of the server's processor time", "", f"{less:.1f} x", None))
            bars.append(Bar("  when each key is asked", "", f"{peer / rows['  each key asked']:.1f} x", None))
            bars.append(Bar("  what SCAN alone would reach", "", f"{peer / floor:.1f} x", None))
            bars.append(Bar("  script with the fields of sessions", "", f"{peer / whole:.1f} x", None))
        stream = rows["stream, sessions"]
        same = rows["script, sessions, each key asked"]
        bars.append(Bar("stream, keys a second / script", ">= 3 x", f"{same / stream:.1f} x", same >= 3 * stream))
        bars.append(Bar("  script that takes alike keys to be alike", "", f"{whole / stream:.1f} x", None))
        floor_of_stream = rows["BGSAVE of the same keys"]
        bars.append(Bar("  time / BGSAVE, its floor", "", f"{stream / floor_of_stream:.1f} x", None))
        bars += feels(server, sessions)
    return bars


def feels(server: Server, sessions: Projection) -> list[Bar]:
    """Print what others feel: rounds in turn, so that whatever else the machine does falls on each alike."""
    busy: dict[str, Callable[[threading.Event], object] | None] = {"nothing": None}
    budgets_ms: dict[str, int] = {}
    for way, budget_ms in (("script", 1), ("script", 10), ("pipeline", 1)):
        name = f"{way}, budget {budget_ms} ms"
        budgets_ms[name] = budget_ms
        busy[name] = partial(disturb, server, way, sessions, max_impact_s=budget_ms / 1000)
    if shutil.which("redis-benchmark") is None:
        print("redis-benchmark is not installed: what others feel is not measured")
        return []
    if shutil.which("redis-cli"):
        busy["redis-cli --memkeys"] = partial(disturb_by_memkeys, server)
    bars: list[Bar] = []
    asking = [("20 clients that ask without a rest", p99)]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        asking.append(("1 client that asks now and then", p99_calm))
    else:
        print("what a client that asks now and then feels is not measured: its priority takes root")
    for others, ask in asking:
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in busy}
        for _ in range(ROUNDS):
            for name, what in busy.items():
                measured[name].append(ask(server, what))
        print(f"\nGET of {others}, median of {ROUNDS:<12} {'p99 ms':>9} {'rise ms':>9} {'req/s':>9}")
        quiet = median(latency for latency, _ in measured["nothing"])
        for name, figures in measured.items():
            latency, rate = (median(column) for column in zip(*figures, strict=True))
            print(f"{name:56} {latency:>9.3f} {latency - quiet:>9.3f} {rate:>9,.0f}", flush=True)
            if name in budgets_ms:
                rise, budget = latency - quiet, budgets_ms[name]
                what_rises = f"p99 of {others.partition(' that')[0]}, {name}"
                bars.append(Bar(what_rises, f"+{budget} ms", f"{rise:+.2f} ms", rise <= budget))
    return bars


if __name__ == "__main__":
    print_bars(main())
