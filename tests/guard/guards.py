"""A guard that runs as its user starts it, beside a real store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPMessage
from pathlib import Path

import servers
from waiting import wait_until

DAY_MS = 86_400_000


def populate(server: servers.Server, hours: float = 3.0, period_s: float = 10.0) -> list[str]:
    """Give a store what a prober leaves in an Express application, and return the session ids."""
    client, now = server.client(), time.time()
    pipeline = client.pipeline(transaction=False)
    ids = []
    for number in range(int(hours * 3600 / period_s)):
        born = now - number * period_s
        expires = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(born + 86_400))
        cookie = {"originalMaxAge": DAY_MS, "expires": expires, "httpOnly": True, "path": "/"}
        ids.append(f"{int(born * 1000) * 7919:032x}")
        pipeline.set(
            f"sess:{ids[-1]}", json.dumps({"cookie": cookie}, separators=(",", ":")), pxat=int((born + 86_400) * 1000)
        )
    pipeline.execute()
    return ids


class Running:
    """The process, its address, and what it wrote."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def get(self, path: str, **headers: str) -> tuple[int, str, HTTPMessage]:
        request = urllib.request.Request(f"{self.url}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers

    def metric(self, name: str) -> float | None:
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(f"{name} "):
                return float(line.split(" ")[1])
        return None

    def metrics(self, names: Iterable[str]) -> dict[str, float]:
        """Return several metrics without labels, of one moment; 0 for what is not there."""
        said = dict(line.split(" ")[:2] for line in self.get("/metrics")[1].splitlines() if not line.startswith("#"))
        return {name: float(said.get(name, 0.0)) for name in names}

    def wait_for_looks(self, number: int = 1) -> None:
        taken: set[float] = set()

        def one_more() -> bool:
            age = self.metric("necropsy_census_age_seconds")
            if age is not None:
                taken.add(round((time.time() - age) / 5))
            return len(taken) >= number

        wait_until(one_more, f"{number} looks")

    def hang_up(self) -> None:
        os.kill(self.process.pid, signal.SIGHUP)

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


@contextmanager
def running(folder: Path, config: str, listen: str | None = None) -> Iterator[Running]:
    """Run ``necropsy guard run`` with this text as its file, on a free port unless one is given."""
    path, log, address = folder / "guard.toml", folder / "log", listen or f"127.0.0.1:{servers.free_port()}"
    path.write_text(config)
    command = [sys.executable, "-m", "necropsy.cli.main", "guard", "run", str(path), "--listen", address]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd=folder, process_group=0)
    guard = Running(process, f"http://{address}", log)
    try:
        wait_until(lambda: "Listening on" in guard.log or process.poll() is not None, "the guard listens")
        assert process.poll() is None, guard.log
        yield guard
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
