"""Shops in Express and in Spring, built by npm and Maven into ``.tools/shop``, pinned, and kept there for the next run."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from servers import free_port

SHOPS = Path(__file__).resolve().parent / "shops"
WORK = Path(__file__).resolve().parents[3] / ".tools" / "shop"


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        reason = f"{name} is not on this machine: apt-get install {package}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def express(port: int, redis: int) -> subprocess.Popen[bytes]:
    """Start the shop in Express."""
    npm, node = _program("npm", "npm"), _program("node", "nodejs")
    WORK.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "shop.js"):
        shutil.copyfile(SHOPS / name, WORK / name)
    if not (WORK / "node_modules" / "connect-redis").exists():
        subprocess.run([npm, "install", "--no-audit", "--no-fund", "--silent"], cwd=WORK, check=True, timeout=300)
    environment = {**os.environ, "PORT": str(port), "REDIS_PORT": str(redis)}
    return subprocess.Popen([node, "shop.js"], cwd=WORK, env=environment)


def spring(port: int, redis: int) -> subprocess.Popen[bytes]:
    """Start the shop in Spring, with Spring Session's indexed repository."""
    maven, java = _program("mvn", "maven"), _program("java", "default-jdk-headless")
    build = WORK / "spring"
    if not (build / "classes").exists():
        shutil.copytree(SHOPS / "spring", build, dirs_exist_ok=True)
        wanted = ["-q", "-B", "package", "dependency:copy-dependencies", "-DoutputDirectory=lib"]
        subprocess.run([maven, *wanted], cwd=build, check=True, timeout=540)
        shutil.copytree(build / "target" / "classes", build / "classes")
    return subprocess.Popen([java, "-cp", "classes:lib/*", "shop.Shop", str(port), str(redis)], cwd=build)


APPLICATIONS: dict[str, Callable[[int, int], subprocess.Popen[bytes]]] = {"express": express, "spring": spring}


@contextmanager
def served(name: str, redis: int) -> Iterator[int]:
    """Run an application until the block ends; its port."""
    port = free_port()
    process = APPLICATIONS[name](port, redis)
    try:
        for _ in range(600):
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("GET", "/")
                connection.getresponse().read()
                break
            except OSError:
                assert process.poll() is None, f"{name} did not start"
                time.sleep(0.2)
            finally:
                connection.close()
        yield port
    finally:
        process.terminate()
        process.wait()
