"""A day in a guard's life at 60 times the speed: ``make guard-soak`` (24 minutes), two minutes of it in CI.

Ten servers: four live on, and six have a hard time of it (die, hang, answer garbage, fail over, change their password, come
back empty). A real Prometheus scrapes each through the guard every second, with a second's time to answer, and has it probe an
application that starts a session for whoever brings none. Then the story is read from Prometheus, and the guard's memory, files
and threads from its own metrics. Whether memory is flat is told by the second half of the run (``steadiness``).
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis

from guard.guards import Running, running
from guard.notify.receiver import CHECKOUT, Receiver, get_json, recording
from guard.prober.stub import serving
from guard.steadiness import Trend, trend
from servers import free_port
from strangers import stranger
from waiting import wait_until

STEADY = ("steady-1", "steady-2", "steady-3", "steady-4")
TROUBLED = ("dies", "hangs", "garbage", "fails-over", "password", "empties")
DAY_S: Final = 24 * 60.0
"""A day at 60 times the speed."""
MOST: Final = 5e6
"""Bytes of memory that a day may add."""
LONG_MINUTES: Final = 12.0
"""A shorter run says nothing of memory: caches fill, and the history of the looks."""
SAMPLES: Final = 288


class Store:
    """One Redis that can be treated badly."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.port = free_port()
        self._folder = folder / name
        self._folder.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server") or "/usr/bin/redis-server"
        self._process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, number)

    def end(self) -> None:
        if self._process is not None:
            self.signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def client(self, password: str | None = None) -> redis.Redis:
        return redis.Redis(port=self.port, password=password, socket_timeout=10)


def dies(store: Store, pause: Callable[[float], None]) -> None:
    store.end()
    pause(3)
    store.start()


def hangs(store: Store, pause: Callable[[float], None]) -> None:
    store.signal(signal.SIGSTOP)
    pause(4)
    store.signal(signal.SIGCONT)


def fails_over(store: Store, pause: Callable[[float], None]) -> None:
    store.client().replicaof("127.0.0.1", store.port + 1 if store.port < 65_000 else store.port - 1)
    pause(3)
    store.client().replicaof("NO", "ONE")


def changes_password(store: Store, pause: Callable[[float], None]) -> None:
    store.client().config_set("requirepass", "another")
    store.client("another").client_kill_filter(_type="normal", skipme=True)
    pause(3)
    store.client("another").config_set("requirepass", "")


def comes_back_empty(store: Store, pause: Callable[[float], None]) -> None:
    store.client().flushall()
    store.end()
    pause(1)
    store.start()
    pause(1)
    fill(store)


WEATHER = {
    "dies": dies,
    "hangs": hangs,
    "fails-over": fails_over,
    "password": changes_password,
    "empties": comes_back_empty,
}


def fill(store: Store) -> None:
    client = store.client()
    wait_until(lambda: _answers(client), f"{store.name} answers")
    pipeline = client.pipeline(transaction=False)
    for number in range(500):
        pipeline.set(f"sess:{number:032x}", '{"cookie":{"originalMaxAge":86400000}}', ex=86_000)
    pipeline.execute()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


@contextmanager
def scraping(folder: Path, guard: Running, names: tuple[str, ...], probed: str) -> Iterator[str]:
    """Run a real Prometheus that scrapes every second, and waits a second; it probes an address every five."""
    fetched = subprocess.run([CHECKOUT / "tools" / "debian-release", "14"], capture_output=True, text=True, check=False)
    assert fetched.returncode == 0, fetched.stderr
    address = guard.url.removeprefix("http://")
    targets = ", ".join(names)
    (folder / "prometheus.yml").write_text(f"""\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - {{job_name: guard, static_configs: [{{targets: ['{address}']}}]}}
  - job_name: redis
    metrics_path: /scrape
    static_configs: [{{targets: [{targets}]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: '{address}'}}
  - job_name: probe
    scrape_interval: 5s
    scrape_timeout: 5s
    metrics_path: /probe
    params: {{target: ['{probed}']}}
    static_configs: [{{targets: ['{address}']}}]
""")
    port = free_port()
    process = subprocess.Popen(
        [CHECKOUT / ".tools/debian-14/usr/bin/prometheus", f"--config.file={folder / 'prometheus.yml'}",
         f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@dataclass
class Story:
    """What Prometheus and the guard say in the end."""

    late: dict[str, float]
    """By target: scrapes that Prometheus did not see answered in time."""
    late_by_guard: float
    """Scrapes that the guard answered late by its own clock: those where it, and no want of processors, was slow."""
    slowest_s: float
    unsteady: dict[str, float]
    """By steady server: the least that ``redis_up`` ever was."""
    went_down: dict[str, float]
    """By troubled server: the least that ``redis_up`` ever was."""
    came_back: dict[str, float]
    """By troubled server: ``redis_up`` in the end."""
    begin: dict[str, float]
    """Memory, files and threads of the guard after the warm-up."""
    end: dict[str, float]
    memory: Trend | None
    """Resident memory in the second half, bytes; None: the run was too short."""
    processor: float
    """Share of a core that the guard took, the looks apart."""
    failed_probes: float
    sessions: int
    """Sessions that the probes left."""
    looked: bool
    """Whether the last look succeeded, troubled servers and all."""
    notices: int


def by_instance(prometheus: str, query: str) -> dict[str, float]:
    answer: dict[str, Any] = get_json(f"{prometheus}/api/v1/query?query={urllib.parse.quote(query)}")
    return {row["metric"].get("instance", ""): float(row["value"][1]) for row in answer["data"]["result"]}


def figures(guard: Running) -> dict[str, float]:
    names = ("process_resident_memory_bytes", "process_open_fds", "necropsy_threads", "process_cpu_seconds_total")
    return guard.metrics(names)


def soak(minutes: float, folder: Path, say: Callable[[str], None] = lambda _: None) -> Story:
    """Let the guard live, and return its story."""
    stop = threading.Event()
    with ExitStack() as stack:
        stores = {name: Store(name, folder) for name in (*STEADY, *TROUBLED) if name != "garbage"}
        for store in stores.values():
            stack.callback(store.end)
            store.start()
            fill(store)
        garbage = stack.enter_context(stranger(b"*99999999999\r\n\x00\xff garbage \r\n$-7\r\n"))
        receiver = stack.enter_context(recording())
        application = Store("application", folder)
        stack.callback(application.end)
        application.start()
        wait_until(lambda: _answers(application.client()), "the application's store answers")
        probed, _ = stack.enter_context(serving(application.client()))
        guard = stack.enter_context(running(folder, _config(stores, garbage, receiver)))
        prometheus = stack.enter_context(scraping(folder, guard, (*STEADY, *TROUBLED), f"{probed}/"))
        wait_until(lambda: _is_ready(prometheus), "Prometheus is ready")
        threads = [threading.Thread(target=_weather, args=(stores[name], play, stop)) for name, play in WEATHER.items()]
        for thread in threads:
            thread.start()
        began, spent = time.monotonic(), figures(guard)["process_cpu_seconds_total"]
        begin: dict[str, float] = {}
        memory: list[tuple[float, float]] = []
        while (passed := time.monotonic() - began) < 60 * minutes:
            now = figures(guard)
            memory.append((passed, now["process_resident_memory_bytes"]))
            if not begin and passed > 15 * minutes:  # a quarter of the time
                begin = now
            if len(memory) % 2:
                say(f"{passed:5.0f} s  " + "  ".join(f"{name} {value:,.0f}" for name, value in now.items()))
            time.sleep(max(0.5, 60 * minutes / SAMPLES))
        stop.set()
        for thread in threads:
            thread.join(60)
        wait_until(lambda: all(by_instance(prometheus, f'redis_up{{instance="{name}"}}').get(name) == 1 for name in stores),
                   "all are back")  # fmt: skip
        ran = f"{int(time.monotonic() - began)}s"
        end = figures(guard)
        return Story(
            late=by_instance(prometheus, f'count_over_time((up{{job="redis"}} == 0)[{ran}:1s])'),
            late_by_guard=guard.metric("necropsy_scrapes_late_total") or 0.0,
            slowest_s=max(by_instance(prometheus, f"max_over_time(scrape_duration_seconds[{ran}])").values()),
            unsteady=by_instance(prometheus, f'min_over_time(redis_up{{instance=~"steady.*"}}[{ran}]) < 1'),
            went_down=by_instance(prometheus, f'min_over_time(redis_up{{instance!~"steady.*"}}[{ran}])'),
            came_back=by_instance(prometheus, 'redis_up{instance!~"steady.*"}'),
            begin=begin,
            end=end,
            memory=trend(memory) if minutes >= LONG_MINUTES else None,
            processor=(end["process_cpu_seconds_total"] - spent) / (time.monotonic() - began),
            failed_probes=sum(by_instance(prometheus, f"count_over_time((probe_success == 0)[{ran}:5s])").values()),
            sessions=application.client().dbsize(),
            looked=guard.metric("necropsy_census_up") == 1,
            notices=len(receiver.received),
        )


def _is_ready(prometheus: str) -> bool:
    try:
        return bool(by_instance(prometheus, 'redis_up{instance="steady-1"}'))
    except OSError:
        return False


def _weather(store: Store, play: Callable[[Store, Callable[[float], None]], None], stop: threading.Event) -> None:
    def pause(seconds: float) -> None:
        time.sleep(seconds)

    while not stop.is_set():
        play(store, pause)
        stop.wait(5)


def _config(stores: dict[str, Store], garbage: int, receiver: Receiver) -> str:
    ports = {**{name: store.port for name, store in stores.items()}, "garbage": garbage}
    entries = "".join(
        f'[[store]]\nname = "{name}"\nredis = "redis://127.0.0.1:{port}"\n\n' for name, port in ports.items()
    )
    return f'{entries}[guard]\nevery = "10s"\nrepeat = "never"\n\n[[guard.tell]]\nwebhook = "{receiver.url}"\n'


def main() -> None:
    """Soak, and print the story."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=24.0)
    minutes = parser.parse_args().minutes
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="necropsy-soak-") as folder:
        story = soak(minutes, Path(folder), print)
    print(f"\nscrapes not answered within 1 s  {story.late or 'none'}; the slowest took {story.slowest_s:.3f} s")
    print(f"answered late by the guard        {story.late_by_guard:.0f}")
    print(f"steady servers ever shown down    {story.unsteady or 'none'}")
    print(f"troubled servers, least redis_up  {story.went_down}; in the end {story.came_back}")
    print(f"probes that failed                {story.failed_probes:.0f}; sessions that they left: {story.sessions}")
    for name, value in story.end.items():
        print(f"{name:<33} {story.begin[name]:,.0f} after a quarter of the time, {value:,.0f} in the end")
    print(f"messages                          {story.notices}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = (used.ru_utime + used.ru_stime) / (time.monotonic() - began)
    print(
        f"processor                         {story.processor:.1%} of a core for the guard, {whole:.1%} for everything"
    )
    print(f"memory                            {verdict(story.memory)}")
    if story.memory is not None and not story.memory.is_flat(DAY_S, MOST):
        raise SystemExit(1)


def verdict(memory: Trend | None) -> str:
    """Say whether memory is flat, and by how much that may be wrong."""
    if memory is None:
        return f"not judged: that takes {LONG_MINUTES:g} minutes"
    day, low, high = (slope * DAY_S / 1e6 for slope in (memory.per_second, memory.low, memory.high))
    minima = ", ".join(f"{value / 1e6:.1f}" for value in memory.minima)
    is_flat = "flat" if memory.is_flat(DAY_S, MOST) else "NOT FLAT"
    return (
        f"{is_flat}: {day:+.1f} MB a simulated day ({low:+.1f} to {high:+.1f}), of at most {MOST / 1e6:g};"
        f" second half, the least of each twelfth: {minima} MB"
    )


if __name__ == "__main__":
    main()
