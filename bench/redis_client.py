"""What redis-py's connection would cost a scan, with the same parser (hiredis) below: processor time of this process.

The commands that a scan by plain commands sends of each key, and the pages that a scan by script reads, over our connection
and over redis-py's, by turns on the same sockets' bytes; each beside the whole scan. See docs/decisions/hiredis-alone.md.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import redis
from keyspace_live import FILL

from necropsy.evidence import open_keyspace
from necropsy.evidence.redis.options import LiveOptions
from necropsy.sessions.registry import projection
from necropsy.wire.redis.address import parse_address
from necropsy.wire.redis.connection import Connection, Questions
from servers import Server, running

KEYS = int(os.environ.get("BENCH_KEYS", "60000"))
ROUNDS = 5
PAGE = 500
QUESTIONS = (
    (b"PTTL", b""),
    (b"TYPE", b""),
    (b"MEMORY", b"USAGE", b""),
    (b"OBJECT", b"ENCODING", b""),
    (b"HMGET", b"", b"creationTime", b"lastAccessedTime", b"maxInactiveInterval"),
)
PAGES = "local r = {} for _, k in ipairs(KEYS) do r[#r + 1] = {k, redis.call('PTTL', k), redis.call('HMGET', k, 'creationTime', 'lastAccessedTime', 'maxInactiveInterval')} end return r"


def ours(server: Server, pages: Sequence[list[bytes]]) -> None:
    questions = Questions(QUESTIONS)
    with Connection.open(parse_address(server.url, environ={})) as connection:
        for page in pages:
            connection.send_for_keys(questions, page)
            connection.receive(len(page) * len(QUESTIONS))


def theirs(server: Server, pages: Sequence[list[bytes]]) -> None:
    connection = redis.Connection(host="127.0.0.1", port=server.port)
    connection.connect()
    for page in pages:
        commands = [[key if word == b"" else word for word in words] for key in page for words in QUESTIONS]
        connection.send_packed_command(connection.pack_commands(commands))
        for _ in range(len(commands)):
            connection.read_response(disable_decoding=True)
    connection.disconnect()


def ours_by_script(server: Server, pages: Sequence[list[bytes]]) -> None:
    from necropsy.wire.redis.connection import _packed  # the gate lets only its own scripts pass

    with Connection.open(parse_address(server.url, environ={})) as connection:
        for page in pages:
            connection._write(_packed(["EVAL", PAGES, len(page), *page]))  # noqa: SLF001
            connection.receive(1)


def theirs_by_script(server: Server, pages: Sequence[list[bytes]]) -> None:
    connection = redis.Connection(host="127.0.0.1", port=server.port)
    connection.connect()
    for page in pages:
        connection.send_command("EVAL", PAGES, len(page), *page)
        connection.read_response(disable_decoding=True)
    connection.disconnect()


def scan(server: Server, method: str) -> None:
    keys = open_keyspace(server.url, projection(), live=LiveOptions(method, 1.0), each=True)
    if sum(batch.num_rows for batch in keys) != KEYS:
        raise SystemExit(f"{method}: not every key was read")


def spent(call: Callable[[], None]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> int:
    with running(os.environ.get("BENCH_SERVER", "redis-7.0"), tcp=True) as server:
        client = server.client()
        for start in range(0, KEYS // 2, 5_000):
            client.eval(FILL, 0, start, min(start + 5_000, KEYS // 2) - 1)
        names = [key for key in client.scan_iter(count=1000) if b":expires:" not in key]
        pages = [names[start : start + PAGE] for start in range(0, len(names), PAGE)]
        for method, one, other in (("pipeline", ours, theirs), ("script", ours_by_script, theirs_by_script)):
            figures: dict[str, list[float]] = {"ours": [], "redis-py": [], "scan": []}
            for _ in range(ROUNDS):
                figures["ours"].append(spent(lambda: one(server, pages)))  # noqa: B023 -- called at once
                figures["redis-py"].append(spent(lambda: other(server, pages)))  # noqa: B023
                figures["scan"].append(spent(lambda: scan(server, method)))  # noqa: B023
            mine, their, whole = (median(figures[name]) for name in ("ours", "redis-py", "scan"))
            print(
                f"{method:9} ours {mine:.2f} s, redis-py with hiredis {their:.2f} s ({their / mine:.2f} x);"
                f" the scan {whole:.2f} s: redis-py adds {(their - mine) / whole:.0%}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
