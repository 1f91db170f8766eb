"""The real Prometheus, promtool and blackbox exporter, as Debian's releases ship them: what ours must agree with."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
RELEASES = (12, 11, 13, 14)
"""Debian's releases: 2.42 is what the machine has installed, the others (2.24, 2.53, 3.5) are fetched and kept apart."""


def use(release: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the programs of a release first on the PATH; without them the test is skipped, and CI fails."""
    if release == 12:
        return
    fetched = subprocess.run(
        [CHECKOUT / "tools" / "debian-release", str(release)], capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        pytest.skip(f"needs the programs of Debian {release}: {fetched.stderr.strip()}")
    folder = CHECKOUT / ".tools" / f"debian-{release}" / "usr" / "bin"
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def program(name: str) -> str:
    """Path of a program; without it, there is nothing to compare with."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install prometheus prometheus-blackbox-exporter")
    return found


def version(name: str = "prometheus") -> str:
    """Version of the program that the PATH finds, such as 2.42.0+ds."""
    return _version(program(name))


@cache
def _version(path: str) -> str:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    return (said.stdout or said.stderr).split()[2].rstrip(",")  # 2.24 says it on the other stream


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refusals(folder: Path, texts: list[str]) -> list[str]:
    """Why Prometheus would not load each configuration, empty where it would; four at a time.

    promtool also complains of single targets that cannot be built: those are no reason not to load it.
    """
    tool = program("promtool")
    answers: list[str] = []
    for start in range(0, len(texts), 4):
        running = []
        for offset, text in enumerate(texts[start : start + 4]):
            path = folder / f"check-{offset}.yml"
            path.write_text(text, encoding="utf-8")
            running.append(
                subprocess.Popen(
                    [tool, "check", "config", str(path)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        for process in running:
            output, _ = process.communicate()
            answers.append(output if "parsing YAML file" in output else "")
    return answers


def discover(path: Path, job: str) -> list[dict[str, Any]]:
    """What ``promtool check service-discovery`` makes of a job; its ``labels`` are right, ``discoveredLabels`` are not."""
    words = [program("promtool"), "check", "service-discovery", "--timeout=200ms", str(path), job]
    result = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


@dataclass
class Prometheus:
    """A running server."""

    port: int

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return json.load(answer)["data"]

    def active_targets(self) -> list[dict[str, Any]]:
        """Active targets once discovery has been heard: two answers in a row must agree."""
        seen = -1
        for _ in range(120):
            time.sleep(0.5)
            active = self.ask("/api/v1/targets?state=active")["activeTargets"]
            if active and len(active) == seen:
                return active
            seen = len(active)
        raise AssertionError("no target was discovered in a minute")


@contextmanager
def running(folder: Path, configuration: str, *options: str) -> Iterator[Prometheus]:
    """A Prometheus with this configuration, on the loopback interface, until the block ends."""
    port = free_port()
    path = folder / "prometheus.yml"
    path.write_text(configuration, encoding="utf-8")
    words = [
        program("prometheus"),
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
        *options,
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as output, subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT) as process:
        try:
            server = Prometheus(port)
            for _ in range(300):
                if process.poll() is not None:
                    raise AssertionError(f"Prometheus ended: {log.read_text()[-2000:]}")
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield server
        finally:
            process.terminate()
            process.wait()
