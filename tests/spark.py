"""A real Spark cluster for tests: a standalone master and its workers, each a process of its own, from PyPI's pyspark alone.

>>> # with running(workers=2) as cluster, cluster.session() as session:  # doctest: +SKIP
>>> #     session.range(10).count()
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from servers import free_port

MEMORY = "512m"
"""Heap of each process; an executor refuses to start with less than 450 MiB."""
_HOST = "127.0.0.1"
_MASTER = "org.apache.spark.deploy.master.Master"
_WORKER = "org.apache.spark.deploy.worker.Worker"


@dataclass(frozen=True)
class Cluster:
    """A master with its workers, reachable from this machine alone."""

    folder: Path
    """All that it writes: logs, work of the executors, spilled data, tables."""
    port: int
    web_port: int
    """Where the master answers with HTML and JSON."""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """The master's, then each worker's."""

    @property
    def url(self) -> str:
        return f"spark://{_HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a driver's process needs so that it stays on this machine, in this Python and in this folder."""
        return _environment(self.folder)

    def state(self) -> dict[str, Any]:
        """What the master says of its workers and applications."""
        with urllib.request.urlopen(f"http://{_HOST}:{self.web_port}/json/", timeout=10) as answer:
            return dict(json.load(answer))

    def workers(self) -> list[dict[str, Any]]:
        """The workers that are registered and alive."""
        return [worker for worker in self.state()["workers"] if worker["state"] == "ALIVE"]

    @contextmanager
    def session(self, options: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Open a session whose driver is a process of its own, and end that process too."""
        from pyspark.sql import SparkSession

        with _environment_of_this_process(self.environment):
            builder = SparkSession.builder.master(self.url).appName("test")
            for name, value in {**self.options, **(options or {})}.items():
                builder = builder.config(name, value)
            session = builder.getOrCreate()
            try:
                yield session
            finally:
                end(session)

    @property
    def options(self) -> dict[str, str]:
        """Settings of a session that fits into the cluster."""
        return {
            "spark.driver.memory": MEMORY,
            "spark.driver.host": _HOST,
            "spark.driver.bindAddress": _HOST,
            "spark.executor.memory": MEMORY,
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
        }


def end(session: Any) -> None:
    """Stop a session and the Java process behind it, which would otherwise stay as long as this one."""
    from pyspark import SparkContext

    session.stop()
    gateway = SparkContext._gateway
    if gateway is None:
        return
    SparkContext._gateway = SparkContext._jvm = None
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=30)


@contextmanager
def running(workers: int = 2, cores: int = 1, memory: str = MEMORY) -> Iterator[Cluster]:
    """Start a master and so many workers on loopback; all of them are registered when it returns.

    Parameters
    ----------
    cores
        Tasks that each worker runs at a time.
    memory
        What each worker may give to its executors.
    """
    starter = _starter()
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="spark")), free_port(), free_port())
    place = ("--host", _HOST)
    room = ("--cores", str(cores), "--memory", memory)
    try:
        (cluster.folder / "tmp").mkdir()
        ports = ("--port", str(cluster.port), "--webui-port", str(cluster.web_port))
        _start(cluster, "master", starter, _MASTER, *place, *ports)
        for number in range(workers):
            name = f"worker-{number}"
            work = ("--webui-port", "0", "--work-dir", str(cluster.folder / name))
            _start(cluster, name, starter, _WORKER, *place, *room, *work, cluster.url)
        _wait(cluster, workers)
        yield cluster
    finally:
        _stop(cluster.processes)
        shutil.rmtree(cluster.folder)


def _start(cluster: Cluster, name: str, *command: str) -> None:
    folder = cluster.folder / name
    folder.mkdir()
    with folder.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=cluster.environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the test, which then stops them in order
        )
    cluster.processes.append(process)


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Workers first: a worker that is asked to end ends its executors."""
    for process in reversed(processes):
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=20)


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment without anybody's own Spark in it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    # A JVM keeps its files in the folder, leaves none for jps, and is quick to start rather than quick in the long run.
    java = f"-Djava.io.tmpdir={folder / 'tmp'} -XX:-UsePerfData -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    return own | {
        "SPARK_HOME": str(package()),
        "SPARK_LOCAL_IP": _HOST,
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_DAEMON_MEMORY": MEMORY,
        "SPARK_NO_DAEMONIZE": "1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "TMPDIR": str(folder / "tmp"),
        "JDK_JAVA_OPTIONS": java,
    }


@contextmanager
def _environment_of_this_process(wanted: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - wanted.keys():
            patch.delenv(name)
        for name, value in wanted.items():
            patch.setenv(name, value)
        yield


def package() -> Path:
    """Return where pyspark is installed."""
    found = find_spec("pyspark")
    return Path(found.origin).parent if found and found.origin else Path()


def _starter() -> str:
    """Return what starts a class of Spark; without Java or pyspark the test is skipped, but in CI (``CI`` is set) it fails."""
    java = shutil.which("java") or os.environ.get("JAVA_HOME")
    reason = "" if java else "Java is not on this machine: apt-get install default-jre-headless"
    reason = reason or ("" if find_spec("pyspark") else "pyspark is not installed: pip install 'necropsy[spark]'")
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    return str(package() / "bin" / "spark-class")


def _wait(cluster: Cluster, workers: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and all(process.poll() is None for process in cluster.processes):
        with contextlib.suppress(OSError, ValueError):  # it answers with half a page while it starts
            if len(cluster.workers()) == workers:
                return
        time.sleep(0.1)
    logs = (f"{log.name}:\n{log.read_text(errors='replace')[-2000:]}" for log in sorted(cluster.folder.glob("*.log")))
    raise RuntimeError("Spark did not start:\n" + "\n".join(logs))
