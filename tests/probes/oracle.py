"""The real Prometheus and promtool, as Debian ships them: what ours must agree with."""

from __future__ import annotations

import json
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


def program(name: str) -> str:
    """Path of a program of Debian's package prometheus; without it, there is nothing to compare with."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install prometheus")
    return found


@cache
def version() -> str:
    """Version of the installed Prometheus, such as 2.42.0+ds."""
    said = subprocess.run([program("prometheus"), "--version"], capture_output=True, text=True, check=True)
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
                    [tool, "check", "config", "--syntax-only", str(path)],
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
