"""What a server of 32 bits answers of its keys, recorded, and what the reader says of its dump.

No test machine can be relied upon to run one, so its dump and its answers are kept in ``tests/assets/rdb32``. They come from
Debian's redis-server of the architecture i386, unpacked with the packages that it depends on and called through its own
dynamic linker::

    PYTHONPATH=tests python -m evidence.rdb.test_thirty_two_bits COMMAND     # records them again
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import servers
from evidence.rdb.minting import rows
from evidence.rdb.populate import populate
from necropsy.evidence.rdb.reader import open_dump
from necropsy.sessions.keyspace import Projection

FOLDER = Path(__file__).parents[2] / "assets" / "rdb32"
DUMP, ANSWERS = FOLDER / "redis-7.0.rdb", FOLDER / "redis-7.0.json"
ALLOCATOR = "jemalloc-16"
"""As Debian builds it."""
LARGEST = 20_000
"""Bytes of a key that is kept."""


def _said() -> dict[bytes, dict[str, Any]]:
    return {row["key"]: row for row in rows(open_dump(str(DUMP), Projection(), allocator=ALLOCATOR))}


def test_the_recorded_server_has_32_bits() -> None:
    dump = open_dump(str(DUMP), Projection(), allocator=ALLOCATOR)
    assert len(rows(dump)) == len(json.loads(ANSWERS.read_text()))
    assert dump.facts["redis-bits"] == "32"
    assert dump.blemishes == []


def test_types_encodings_and_elements_are_the_servers() -> None:
    said, answers = _said(), json.loads(ANSWERS.read_text())
    found = {key.hex(): [row["type"], row["encoding"], row["elements"]] for key, row in said.items()}
    assert found == {key: answer[:3] for key, answer in answers.items()}
    assert any(answer[1:3] == ["embstr", 13] for answer in answers.values()), "a number of more than 32 bits among them"


def test_memory_is_what_the_server_reckons() -> None:
    """Median within 5 % of MEMORY USAGE, per encoding; and so is all of it."""
    said, answers = _said(), json.loads(ANSWERS.read_text())
    errors, ours, theirs = defaultdict(list), 0, 0
    for key, (kind, encoding, _, usage) in answers.items():
        row = said[bytes.fromhex(key)]
        if kind != "stream" and row["expires_at"] is None:
            errors[kind, encoding].append(abs(row["bytes"] - usage) / usage)
            ours, theirs = ours + row["bytes"], theirs + usage
    medians = {name: median(found) for name, found in errors.items()}
    assert {name: error for name, error in medians.items() if error > 0.05} == {}
    assert len(medians) >= 10
    assert abs(ours / theirs - 1) < 0.05


def record(command: str) -> None:
    """Start a server of 32 bits, fill it, and keep its dump and its answers."""
    servers.BUILDS = (servers.Build("redis-32", "REDIS0010", lambda: command, ""),)
    lengths = {"hash": "HLEN", "set": "SCARD", "zset": "ZCARD", "list": "LLEN", "stream": "XLEN", "string": "STRLEN"}
    FOLDER.mkdir(exist_ok=True)
    with servers.running("redis-32", "--enable-debug-command", "yes") as server:
        client = server.client()
        populate(client, keys=200, seed=32)
        for key in list(client.scan_iter()):
            if client.memory_usage(key, samples=0) > LARGEST:
                client.delete(key)
        client.set(b"more-than-32-bits", b"1099511627776")
        client.execute_command("DEBUG", "RELOAD")
        keys = {}
        for key in sorted(client.keys()):
            kind = client.type(key).decode()
            encoding, elements = client.object("encoding", key).decode(), client.execute_command(lengths[kind], key)
            keys[key.hex()] = [kind, encoding, elements, client.memory_usage(key, samples=0)]
        (server.folder / "dump.rdb").rename(DUMP)
    ANSWERS.write_text(json.dumps(keys, indent=0) + "\n")


if __name__ == "__main__":
    record(sys.argv[1])
