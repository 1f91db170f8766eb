"""The guard beside its peers: exporter and census beside redis_exporter, prober beside the blackbox exporter, a thousand targets.

    python bench/guard.py [KEYS] [SECONDS] [exporters] [looks] [probers] [thousand]

Wanted: a plain scrape costs Redis no more than redis_exporter's, and takes at most 1.5 x its time; the census costs the store at
most 0.1 x an hour of what ``count-keys`` costs at an interval of 15 s, and adds at most 1 ms to the 99th percentile of other
clients, by windows with and without it by turns; 200 targets probed every 10 s cost at most 15 % of a core
and 80 MB; 1,000 servers, of which half are dead, are shown every 15 s without a late answer.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

CHECKOUT = Path(__file__).parents[1]
sys.path.insert(0, str(CHECKOUT / "tests"))

from guard.steadiness import trend  # noqa: E402
from necropsy.cli.census import COMMAND  # noqa: E402
from necropsy.guard.census.schedule import environment, pause_s  # noqa: E402
from necropsy.guard.census.worker import Asked, encode_asked  # noqa: E402
from servers import Server, free_port, running  # noqa: E402

DEBIAN_14 = CHECKOUT / ".tools" / "debian-14" / "usr" / "bin"
NECROPSY = [sys.executable, "-m", "necropsy.cli.main"]
SCRAPES = 60
LOOKS_AN_HOUR, SCRAPES_AN_HOUR = 6, 240
TARGETS = 200
EVERY_S = 10.0
PAIRS, MOST_LOOKS = 60, 12
WINDOW_S, SETTLES_S = 1.0, 0.2
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def process(words: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield child
        finally:
            child.terminate()
            child.wait(30)


def cpu_s(pid: int) -> float:
    """Processor time of a process, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def server_cpu_s(server: Server) -> float:
    info = server.client().info("cpu")
    return sum(
        info[name] for name in ("used_cpu_user", "used_cpu_sys", "used_cpu_user_children", "used_cpu_sys_children")
    )


def fill(server: Server, keys: int) -> None:
    """Fill a store with Spring's sessions: a hash and a marker each."""
    pipe = server.client().pipeline(transaction=False)
    now = int(time.time() * 1000)
    for number in range(keys // 2):
        name = f"{number:08x}-3f1c-4b8e-9c2a-{number * 7919:012x}"
        pipe.hset(f"spring:session:sessions:{name}", mapping={
            "creationTime": now - number, "lastAccessedTime": now - number, "maxInactiveInterval": 86_400, "sessionAttr:a": "x" * 300})  # fmt: skip
        pipe.expire(f"spring:session:sessions:{name}", 86_700)
        pipe.set(f"spring:session:sessions:expires:{name}", "", ex=86_400)
        if number % 5_000 == 4_999:
            pipe.execute()
    pipe.execute()


def get(port: int, path: str, headers: dict[str, str] | None = None, timeout_s: float = 120) -> tuple[float, bytes]:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    connection.request("GET", path, headers=headers or {})
    body = connection.getresponse().read()
    connection.close()
    return time.perf_counter() - began, body


def row(what: str, ours: float, peer: float, unit: str, bar: str) -> None:
    ratio = f"{ours / peer:6.2f} x" if peer else "      –"
    print(f"{what:<58} {ours:9.3f} {peer:9.3f} {unit:<4} {ratio}  {bar}", flush=True)


@contextmanager
def waiting_clients(server: Server, waits: list[float]) -> Iterator[None]:
    """Have a client ask for one key again and again, and note how long each answer takes."""
    stop = threading.Event()

    def ask() -> None:
        client = server.client()
        while not stop.is_set():
            began = time.perf_counter()
            client.get("nothing")
            waits.append(time.perf_counter() - began)
            time.sleep(0.001)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def scrapes(server: Server, port: int, number: int, path: str = "/metrics") -> tuple[float, float, float]:
    """Return the server's processor time a scrape, the median time of one, and the 99th percentile of another client's waits."""
    get(port, path)
    waits: list[float] = []
    with waiting_clients(server, waits):
        time.sleep(0.5)
    idle_cpu, began = server_cpu_s(server), time.perf_counter()
    with waiting_clients(server, waits):
        time.sleep(1.0)
    idle = (server_cpu_s(server) - idle_cpu) / (time.perf_counter() - began)
    waits.clear()
    before, began, took = server_cpu_s(server), time.perf_counter(), []
    with waiting_clients(server, waits):
        for _ in range(number):
            took.append(get(port, path)[0])
            time.sleep(0.05)
    spent = server_cpu_s(server) - before - idle * (time.perf_counter() - began)
    return max(0.0, spent) / number, statistics.median(took), sorted(waits)[int(len(waits) * 0.99)]


def exporters(server: Server) -> None:
    mine, theirs = free_port(), free_port()
    url = f"redis://127.0.0.1:{server.port}"
    peer = str(DEBIAN_14 / "prometheus-redis-exporter")
    with (
        process([*NECROPSY, "exporter", "--redis", url, "--listen", f"127.0.0.1:{mine}"], mine) as own,
        process([peer, "-redis.addr", url, "-web.listen-address", f"127.0.0.1:{theirs}"], theirs) as other,
    ):
        pairs = [(scrapes(server, mine, SCRAPES), scrapes(server, theirs, SCRAPES)) for _ in range(3)]
        ours, peers = (
            tuple(statistics.median(values) for values in zip(*side, strict=True)) for side in zip(*pairs, strict=True)
        )
        row("plain scrape: processor time of Redis", ours[0] * 1000, peers[0] * 1000, "ms", "<= 1.0 x")
        row("plain scrape: median time", ours[1] * 1000, peers[1] * 1000, "ms", "<= 1.5 x")
        row("plain scrape: another client's 99th percentile", ours[2] * 1000, peers[2] * 1000, "ms", "unchanged")
        row("memory at most, without census", peak_mb(own.pid), peak_mb(other.pid), "MB", "<= 60 MB")


@contextmanager
def look(asked: str) -> Iterator[tuple[subprocess.Popen[str], threading.Thread]]:
    """Take a look; yields its process, and the thread that is alive as long as it runs."""
    child = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())
    reading = threading.Thread(target=lambda: child.communicate(asked))
    reading.start()
    yield child, reading
    reading.join()
    if child.returncode:
        raise SystemExit("the census failed")


def others(server: Server, asked: str) -> None:
    """Hold looks and let them go on by turns, and compare another client's 99th percentile of each two windows in a row.

    What else the machine does is the same in both, or nearly: their difference is the look's. Its interval is that of a median
    (the ranks of the binomial distribution).
    """
    waits: list[float] = []
    with_look, without = [], []
    with waiting_clients(server, waits):
        for _ in range(MOST_LOOKS):
            with look(asked) as (child, reading):
                while reading.is_alive():
                    busy = percentile_of_window(waits)
                    if not reading.is_alive():
                        break
                    child.send_signal(signal.SIGSTOP)
                    quiet = percentile_of_window(waits)
                    child.send_signal(signal.SIGCONT)
                    with_look.append(busy)
                    without.append(quiet)
            if len(with_look) >= PAIRS:
                break
    added = sorted((one - other) * 1000 for one, other in zip(with_look, without, strict=True))
    half = 0.98 * len(added) ** 0.5  # 1.96 standard deviations of the rank of the median
    low, high = (added[max(0, min(len(added) - 1, round(len(added) / 2 + way * half)))] for way in (-1, 1))
    row(
        "  another client's 99th percentile, with and without a look",
        statistics.median(with_look) * 1000,
        statistics.median(without) * 1000,
        "ms",
        f"{statistics.median(added):+.2f} ms added ({low:+.2f} to {high:+.2f}, {len(added)} pairs of windows); bar 1 ms",
    )


def percentile_of_window(waits: list[float]) -> float:
    """Return the 99th percentile of a second from now; what is under way yet is left a moment to end."""
    time.sleep(SETTLES_S)
    begin = len(waits)
    time.sleep(WINDOW_S)
    window = sorted(waits[begin:])
    return window[int(len(window) * 0.99)] if window else WINDOW_S


def looks(server: Server, keys: int) -> None:
    """Take one look beside one ``count-keys``; then more of them, beside a client that goes on asking."""
    counting = free_port()
    url = f"redis://127.0.0.1:{server.port}"
    peer = str(DEBIAN_14 / "prometheus-redis-exporter")
    pattern = "db0=spring:session:sessions:*"
    with process(
        [peer, "-redis.addr", url, "-web.listen-address", f"127.0.0.1:{counting}", "-count-keys", pattern], counting
    ):
        get(counting, "/metrics")
        before = server_cpu_s(server)
        get(counting, "/metrics")
        count_keys = server_cpu_s(server) - before
    asked = encode_asked(Asked((("A", url),)))
    every_s = 3600 / LOOKS_AN_HOUR
    before, began, peak = server_cpu_s(server), time.perf_counter(), 0.0
    with look(asked) as (child, reading):
        while reading.is_alive():
            with contextlib.suppress(OSError, IndexError, ValueError):
                peak = max(peak, peak_mb(child.pid))
            reading.join(0.05)
    clock_s = time.perf_counter() - began
    census = max(0.0, server_cpu_s(server) - before)
    row(
        f"sessions of {keys:,} keys: Redis' time an hour",
        census * LOOKS_AN_HOUR,
        count_keys * SCRAPES_AN_HOUR,
        "s",
        "<= 0.1 x",
    )
    row("  once: census, count-keys", census, count_keys, "s", "")
    others(server, asked)
    row("  the look: clock, and memory at most", clock_s, 0, "s", f"{peak:.0f} MB, bar 160")
    row(
        "  age of its figures at most, at 10 minutes", clock_s + pause_s(every_s, clock_s) + clock_s, 0, "s", "<= 600 s"
    )


@contextmanager
def application(sessions: list[int]) -> Iterator[int]:
    """An application that starts a session for whoever brings none, as Express does."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            if "connect.sid" not in (self.headers.get("Cookie") or ""):
                sessions[0] += 1
                self.send_header("Set-Cookie", f"connect.sid=s%3A{sessions[0]}; Path=/; HttpOnly")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def at_intervals(ask: Callable[[int], float], targets: int, every_s: float, seconds: float, deadline_s: float) -> int:
    """Ask each target at its own moment of the interval, as Prometheus does; return how many answers were late."""
    late = 0
    lock = threading.Lock()
    began = time.monotonic()

    def one(number: int, at: float) -> None:
        nonlocal late
        time.sleep(max(0.0, at - time.monotonic()))
        took = ask(number)
        with lock:
            late += took > deadline_s

    rounds = max(1, round(seconds / every_s))
    with ThreadPoolExecutor(400) as pool:
        for n in range(rounds):
            for number in range(targets):
                at = began + n * every_s + number * every_s / targets
                time.sleep(max(0.0, at - time.monotonic() - 0.05))
                pool.submit(one, number, at)
    return late


def probers(seconds: float) -> None:
    peer = str(DEBIAN_14 / "prometheus-blackbox-exporter")
    config = CHECKOUT / ".tools" / "bench-blackbox.yml"
    config.write_text("modules:\n  http_2xx: {prober: http, timeout: 5s}\n")
    results = []
    for words in (
        [*NECROPSY, "prober", "--config", str(config), "--listen"],
        [peer, f"--config.file={config}", "--web.listen-address"],
    ):
        port, sessions = free_port(), [0]
        with application(sessions) as app, process([*words, f"127.0.0.1:{port}"], port) as child:

            def ask(number: int, port: int = port, app: int = app) -> float:
                target = quote(f"http://127.0.0.1:{app}/{number}", safe="")
                return get(
                    port, f"/probe?module=http_2xx&target={target}", {"X-Prometheus-Scrape-Timeout-Seconds": "5"}
                )[0]

            before = cpu_s(child.pid)
            late = at_intervals(ask, TARGETS, EVERY_S, seconds, 5.0)
            share = 100 * (cpu_s(child.pid) - before) / seconds
            results.append((share, peak_mb(child.pid), float(late), float(sessions[0])))
    config.unlink()
    for what, bar, ours, theirs in zip(
        (f"{TARGETS} targets every {EVERY_S:g} s: share of a core", "  memory at most", "  late answers", f"  sessions left after {seconds:g} s"),
        ("<= 15 %", "<= 80 MB", "0", f"{TARGETS}"), *results, strict=True):  # fmt: skip
        row(what, ours, theirs, "", bar)


@contextmanager
def sampled(pid: int) -> Iterator[list[tuple[float, float]]]:
    """Note a process' resident memory each second: seconds and megabytes."""
    found: list[tuple[float, float]] = []
    stop = threading.Event()

    def note() -> None:
        while not stop.wait(1.0):
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            found.append((time.monotonic(), pages * os.sysconf("SC_PAGE_SIZE") / 1e6))

    thread = threading.Thread(target=note)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def thousand(seconds: float) -> None:
    """500 names of living servers, 250 of closed ports, 250 of one that hangs."""
    with running("redis-7.0", tcp=True) as alive, running("redis-7.0", tcp=True) as hung:
        os.kill(hung.process.pid, signal.SIGSTOP)
        try:
            closed = free_port()
            ports = [alive.port] * 500 + [closed] * 250 + [hung.port] * 250
            port = free_port()
            words = [
                word for number, to in enumerate(ports) for word in ("--redis", f"n{number}=redis://127.0.0.1:{to}")
            ]
            with process([*NECROPSY, "exporter", *words, "--listen", f"127.0.0.1:{port}"], port) as child:
                wrong: list[int] = []

                def ask(number: int) -> float:
                    took, body = get(port, f"/scrape?target=n{number}", {"X-Prometheus-Scrape-Timeout-Seconds": "10"})
                    if (b"\nredis_up 1\n" in body) != (number < 500):
                        wrong.append(number)
                    return took

                before = cpu_s(child.pid)
                with sampled(child.pid) as memory:
                    late = at_intervals(ask, len(ports), 15.0, seconds, 10.0)
                share = 100 * (cpu_s(child.pid) - before) / seconds
                threads = len(list(Path(f"/proc/{child.pid}/task").iterdir()))
                row(
                    "1,000 servers every 15 s, half of them dead: late",
                    float(late),
                    0,
                    "",
                    f"0; shown wrongly: {len(wrong)}",
                )
                row("  share of a core", share, 0, "%", f"{peak_mb(child.pid):.0f} MB, {threads} threads")
                if (found := trend(memory)) is not None:
                    low, high = found.low * 3600, found.high * 3600
                    row("  its memory in the second half", found.minima[-1], 0, "MB",
                        f"{found.per_second * 3600:+.1f} MB an hour ({low:+.1f} to {high:+.1f})")  # fmt: skip
        finally:
            os.kill(hung.process.pid, signal.SIGCONT)


def main() -> None:
    keys = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    parts = sys.argv[3:] or ["exporters", "looks", "probers", "thousand"]
    subprocess.run([CHECKOUT / "tools" / "debian-release", "14"], check=True)
    print(f"{'':<58} {'ours':>9} {'peer':>9}")
    if "exporters" in parts or "looks" in parts:
        with running("redis-7.0", tcp=True) as server:
            fill(server, keys)
            if "exporters" in parts:
                exporters(server)
            if "looks" in parts:
                looks(server, keys)
    if "probers" in parts:
        probers(seconds)
    if "thousand" in parts:
        thousand(seconds)


if __name__ == "__main__":
    main()
