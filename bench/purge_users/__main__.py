"""Users of a real application during a purge: how many notice, and whether the garbage is gone.

Users log in, work, log out and come back all the time; each checks at each visit that its session is what it was. Meanwhile
the sessions of visitors who never came back are purged, and brought back afterwards. Packages come from the registries by
npm and Maven, pinned, into ``.tools/shop``. (Flask-Session: ``tests/treat/purge/test_application.py``.)

    python -m purge_users [express] [spring]        in bench/
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from necropsy.treat.purge.control import Knobs
from servers import free_port, running
from treat.purge.population import apply, make_plan, undo
from treat.purge.users import User

HERE = Path(__file__).resolve().parent
WORK = HERE.parents[1] / ".tools" / "shop"
USERS = 8
GARBAGE = 1000


def express(port: int, redis: int) -> subprocess.Popen[bytes]:
    """Start the shop in Express."""
    WORK.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "shop.js"):
        shutil.copyfile(HERE / name, WORK / name)
    if not (WORK / "node_modules").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=WORK, check=True)
    environment = {**os.environ, "PORT": str(port), "REDIS_PORT": str(redis)}
    return subprocess.Popen(["node", "shop.js"], cwd=WORK, env=environment)


def spring(port: int, redis: int) -> subprocess.Popen[bytes]:
    """Start the shop in Spring."""
    build = WORK / "spring"
    if not (build / "classes").exists():
        shutil.copytree(HERE / "spring", build, dirs_exist_ok=True)
        wanted = ["-q", "-B", "package", "dependency:copy-dependencies", "-DoutputDirectory=lib"]
        subprocess.run(["mvn", *wanted], cwd=build, check=True)
        shutil.copytree(build / "target" / "classes", build / "classes")
    return subprocess.Popen(["java", "-cp", "classes:lib/*", "shop.Shop", str(port), str(redis)], cwd=build)


APPLICATIONS: dict[str, Callable[[int, int], subprocess.Popen[bytes]]] = {"express": express, "spring": spring}


@contextmanager
def served(name: str, redis: int) -> Iterator[int]:
    """Run an application until the block ends."""
    port = free_port()
    process = APPLICATIONS[name](port, redis)
    try:
        for _ in range(600):
            try:
                connection = HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request("GET", "/")
                connection.getresponse().read()
                break
            except OSError:
                time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Print a line an application."""
    for name in sys.argv[1:] or APPLICATIONS:
        folder = Path(tempfile.mkdtemp())
        with running("redis-7.0", tcp=True) as server, served(name, server.port) as port:
            visitor = User(port, "probe")
            for _ in range(GARBAGE):
                visitor.cookie = ""
                visitor.get("/")
            users = [User(port, f"user{number}") for number in range(USERS)]
            away = [User(port, f"away{number}") for number in range(3)]
            for user in (*users, *away):
                user.login()
            time.sleep(4)
            stop = threading.Event()
            threads = [threading.Thread(target=user.live, args=(stop, turn)) for turn, user in enumerate(users)]
            for thread in threads:
                thread.start()
            try:
                plan, path = make_plan(server.url, folder, idle_s=2)
                done = apply(path, folder / "journal", knobs=Knobs(batch=50, rate=200))
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
            noticed = [complaint for user in users for complaint in user.noticed]
            noticed += [user.name for user in away if user.get("/work") != f"{user.name} 1"]
            back = undo(folder / "journal")
            print(
                f"{name}: {len(users) + len(away)} users, {sum(user.requests for user in users):,} requests,"
                f" {len(noticed)} noticed; {done.deleted:,} sessions deleted of {plan.sessions:,} planned"
                f" ({dict(plan.layouts)}), {done.kept.total():,} kept; undo restored {back.codes[1]:,}",
                flush=True,
            )
            for complaint in noticed:
                print(f"  {complaint}")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
