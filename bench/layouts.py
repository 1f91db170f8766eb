"""Recognising sessions with every layout: time against the four oldest alone, and of each new layout against Express.

Limits: at most 1.1 x on Spring and on Express; a store of any other layout at most 1.5 x the time of the Express ones. Each
store is written by a real server, from the values that the real writers left in tests/writers; the turns of one pair alternate.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

from table import Bar, print_bars

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from datetime import UTC, datetime

from necropsy.evidence.rdb.reader import open_dump
from necropsy.sessions import census as census_module
from necropsy.sessions.census import Census
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.registry import LAYOUTS
from servers import running

SESSIONS = int(float(os.environ.get("BENCH_SESSIONS", "2e5")))
WRITERS = Path(__file__).parents[1] / "tests" / "writers"
OLD = LAYOUTS[:4]
COPY = """
local alphabet = ARGV[3]
for i = 1, tonumber(ARGV[2]) do
  local h = redis.sha1hex(ARGV[1] .. i) .. redis.sha1hex(i .. ARGV[1])
  local at = 0
  local key = string.gsub(KEYS[1], '@', function()
    at = at + 1
    local place = (tonumber(string.sub(h, at, at), 16) + 16 * (at % 2) + i) % #alphabet + 1
    return string.sub(alphabet, place, place)
  end)
  redis.call('RESTORE', key, 1000000 + i, ARGV[4])
end
"""
SPRING = """
for i = 1, tonumber(ARGV[1]) do
  local h = redis.sha1hex(tostring(i))
  local key = 'spring:session:sessions:' .. string.sub(h, 1, 8) .. '-' .. string.sub(h, 9, 12) .. '-4' .. string.sub(h, 13, 15) ..
    '-8' .. string.sub(h, 16, 18) .. '-' .. string.sub(h, 19, 30)
  local born = 1700000000000 + i * 1000
  local long = ARGV[2] .. struct.pack('>I4I4', math.floor(born / 4294967296), born % 4294967296)
  redis.call('HSET', key, 'creationTime', long, 'lastAccessedTime', long, 'maxInactiveInterval', ARGV[3] .. struct.pack('>I4', 86400))
  redis.call('PEXPIREAT', key, 4000000000000 + i)
end
"""


def spring(target: Path) -> None:
    from necropsy.sessions.jdk import INTEGER_HEADER, LONG_HEADER

    with running("redis-7.0") as server:
        server.client().eval(SPRING, 0, SESSIONS, LONG_HEADER, INTEGER_HEADER)
        server.save(target)


def of_writer(name: str, target: Path) -> None:
    """A store of this many sessions like those of a writer: the same values under other ids."""
    import json
    import re

    facts = json.loads((WRITERS / name / "facts.json").read_text())
    with running("redis-7.0") as source, running("redis-7.0") as server:
        import shutil
        import subprocess  # noqa: F401

        del source, shutil
        copy = server.client().register_script(COPY)
        dumps = {}
        for batch in open_dump(str(WRITERS / name / "store.rdb"), Projection(string_bytes=1 << 20)):
            for key, head in zip(batch["key"].to_pylist(), batch["head"].to_pylist(), strict=True):
                dumps[key.decode("latin-1")] = head
        kept = [(fact["key"], dumps[fact["key"]]) for fact in facts["sessions"] if dumps.get(fact["key"]) is not None]
        for key, value in kept:
            server.client().set("value", value)
            payload = server.client().dump("value")
            server.client().delete("value")
            form = re.search(r"[A-Za-z0-9_\-]{20,}$", key)
            start = max(form.start() if form else 0, len(key) - 64, len(key) - 36 if "-" in key[-30:] else 0)
            ids = key[start:]
            alphabet = "".join(sorted({c for c in ids if c.isalnum()}))
            pattern = key[:start] + re.sub(r"[A-Za-z0-9]", "@", ids)
            if len(ids) == 36 and ids[8] == "-":  # a UUID keeps its version and variant
                pattern = key[:start] + "@" * 8 + "-" + "@" * 4 + "-4" + "@" * 3 + "-8" + "@" * 3 + "-" + "@" * 12
                alphabet = "0123456789abcdef"
            copy(keys=[pattern], args=[key, SESSIONS // len(kept), alphabet, payload])
        server.save(target)


def seconds(path: Path, layouts: tuple[type, ...]) -> tuple[float, int]:
    """Processor seconds of reading a dump and recognising its sessions, and how many there were."""
    census_module.layouts = lambda _: layouts
    wanted = reduce(Projection.union, (layout.projection for layout in layouts))
    began = time.process_time()
    census = Census("a", datetime.now(UTC))
    found = 0
    for batch in open_dump(str(path), wanted):
        for table, rows in census.take(batch):
            found += rows.num_rows if table in {"session", "session_part"} else 0
    census.families()
    return time.process_time() - began, found


def turns(path: Path, rounds: int = 5) -> Iterator[tuple[float, float, int]]:
    for _ in range(rounds):
        old, _ = seconds(path, OLD)
        new, found = seconds(path, LAYOUTS)
        yield old, new, found


def main() -> list[Bar]:
    bars = []
    names = sys.argv[1:] or [
        "laravel",
        "php_session",
        "rails_cache_store",
        "go_scs",
        "litestar",
        "koa_session",
        "symfony",
    ]
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        dumps = {"spring": Path(folder) / "spring.rdb", "express": Path(folder) / "express.rdb"}
        spring(dumps["spring"])
        of_writer("express_redis", dumps["express"])
        express = 0.0
        for name, path in dumps.items():
            taken = list(turns(path))
            ratio = statistics.median(new / old for old, new, _ in taken)
            new, found = statistics.median(one for _, one, _ in taken), taken[0][2]
            express = new / found if name == "express" else express
            bars.append(
                Bar(f"{name}, {found:,} sessions: all layouts / four", "<= 1.1 x", f"{ratio:.2f} x", ratio <= 1.1)
            )
        for name in names:
            path = Path(folder) / f"{name}.rdb"
            of_writer(name, path)
            taken = [seconds(path, LAYOUTS) for _ in range(3)]
            found = taken[0][1]
            ratio = statistics.median(one for one, _ in taken) / max(found, 1) / express
            bars.append(
                Bar(
                    f"{name}, {found:,} sessions: a session / one of Express",
                    "<= 1.5 x",
                    f"{ratio:.2f} x",
                    ratio <= 1.5,
                )
            )
    return bars


if __name__ == "__main__":
    print_bars(main())
