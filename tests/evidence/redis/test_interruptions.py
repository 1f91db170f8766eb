"""Servers that die, hang up, restart, lose keys or are busy while they are read."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from evidence.redis.live import options, read, rows
from necropsy.evidence.redis import scan
from necropsy.model.errors import UnreadableSource
from necropsy.sessions.keyspace import Projection
from servers import Server, running
from waiting import wait_until
from wire.redis.nodes import ask

pytestmark = pytest.mark.integration

KEYS = 6_000
PLAIN = Projection()
SLOWLY: dict[str, Any] = {"max_impact_s": 0.0002, "batch_rows": 200}
"""Small slices and small batches, so that there is a middle to break."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "PATIENCE_S", (0.05, 0.1))


def strings(server: Server, size: int = 20, keys: int = KEYS) -> None:
    client = server.client()
    pipeline = client.pipeline(transaction=False)
    for number in range(keys):
        pipeline.set(f"s:{number}", random.Random(number).randbytes(size), px=10_000_000)
    pipeline.execute()


@pytest.mark.parametrize("way", ["script", "pipeline"])
def test_a_server_that_is_killed_leaves_what_was_read_and_the_share_of_it(way: str) -> None:
    with running("redis-7.0", tcp=True) as server:
        strings(server)
        live = read(server.url, way, PLAIN, **SLOWLY)
        found = rows(live, PLAIN, after=lambda batches: server.process.kill() if batches == 3 else None)
        assert 600 <= len(found) < KEYS
        (blemish,) = live.blemishes
        assert f"{len(found):,} keys of about 6,000 ({100 * len(found) // KEYS} %)" in blemish.why
        assert "does not come back" in blemish.why
        assert live.keys_read == len(found) == len({row["key"] for row in found})


def test_a_server_that_is_killed_while_it_streams_leaves_what_came(monkeypatch: pytest.MonkeyPatch) -> None:
    with running("redis-7.0", *options("redis-7.0"), tcp=True) as server:
        strings(server, size=2_000, keys=20_000)
        live = read(server.url, "stream", PLAIN, max_impact_s=0.1)
        server.process.kill()
        found = rows(live, PLAIN)
        # What is left in the sockets' buffers may be all of it or a part; never is a part taken for all.
        assert len(found) == 20_000 or any("of about 20,000" in blemish.why for blemish in live.blemishes)


@pytest.mark.parametrize("way", ["script", "pipeline"])
@pytest.mark.parametrize("name", ["redis-6.2", "redis-7.0", "valkey-9"])
def test_a_connection_that_is_cut_is_opened_again_and_the_scan_goes_on(name: str, way: str) -> None:
    with running(name, tcp=True) as server:
        strings(server)
        live = read(server.url, way, PLAIN, **SLOWLY)
        cut = lambda batches: ask(server, "CLIENT", "KILL", "TYPE", "normal") if batches in {2, 5} else None  # noqa: E731
        found = rows(live, PLAIN, after=cut)
        assert len(found) == len({row["key"] for row in found}) == KEYS
        assert live.blemishes == []
        assert int(live.facts["scan-resumed"]) >= 1
        assert "the scan continued" in live.note


def test_another_process_at_the_same_address_ends_the_scan() -> None:
    with running("redis-7.0", tcp=True) as first:
        strings(first)
        live = read(first.url, "script", PLAIN, **SLOWLY)
        successor: list[Any] = []

        def replace(batches: int) -> None:
            if batches == 2:
                first.process.kill()
                first.process.wait()
                other = running("redis-7.0", "--port", str(first.port), tcp=True)
                strings(other.__enter__(), keys=10)
                successor.append(other)

        try:
            found = rows(live, PLAIN, after=replace)
        finally:
            for other in successor:
                other.__exit__(None, None, None)
        assert 400 <= len(found) < KEYS
        assert "was restarted meanwhile" in live.blemishes[0].why


@pytest.mark.parametrize("way", ["script", "pipeline"])
@pytest.mark.parametrize("name", ["redis-6.2", "redis-8.2", "valkey-9"])
def test_keys_that_come_and_go_are_no_error_and_none_is_counted_twice(name: str, way: str) -> None:
    """The table grows and shrinks under the scan; keys that were there all the time are all found, once."""
    with running(name, tcp=True) as server:
        strings(server)
        client = server.client()
        stay = {f"s:{number}".encode() for number in range(0, KEYS, 10)}
        leave = [f"s:{number}" for number in range(KEYS) if number % 10]
        random.Random(1).shuffle(leave)

        def stir(batches: int) -> None:
            if batches <= 8:
                client.unlink(*leave[(batches - 1) * 600 : batches * 600])
            if batches in {3, 4}:
                client.mset({f"new:{batches}:{number}": "x" for number in range(6_000)})
            if batches == 6:
                for wave in (3, 4):
                    client.unlink(*[f"new:{wave}:{number}" for number in range(6_000)])

        live = read(server.url, way, PLAIN, **SLOWLY)
        keys = [row["key"] for row in rows(live, PLAIN, after=stir)]
        assert len(keys) == len(set(keys))
        assert stay <= set(keys)
        assert live.blemishes == []


def test_keys_that_expire_between_scan_and_read_are_gone() -> None:
    with running("redis-7.0", tcp=True) as server:
        strings(server, keys=3_000)
        client = server.client()
        live = read(server.url, "pipeline", PLAIN, **SLOWLY)
        stop = threading.Event()

        def expire() -> None:
            while not stop.is_set():
                pipeline = client.pipeline(transaction=False)
                for number in random.sample(range(3_000), 200):
                    pipeline.pexpire(f"s:{number}", 1)
                pipeline.execute()

        thread = threading.Thread(target=expire)
        thread.start()
        try:
            found = rows(live, PLAIN)
        finally:
            stop.set()
            thread.join()
        assert live.blemishes == []
        assert len(found) == len({row["key"] for row in found}) <= 3_000


def test_a_server_that_loads_its_dump_is_not_read() -> None:
    loading = ("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")
    with running("redis-7.0", "--enable-debug-command", "local", *loading, tcp=True) as server:
        strings(server, keys=3_000)
        thread = threading.Thread(target=ask, args=(server, "DEBUG", "RELOAD"))
        thread.start()
        wait_until(lambda: b"loading:1" in ask(server, "INFO", "persistence"), "it loads")
        with pytest.raises(UnreadableSource, match="loading") as raised:
            read(server.url, "auto", PLAIN)
        assert raised.value.hint
        thread.join()


def test_closing_in_the_middle_hangs_up() -> None:
    with running("redis-7.0", tcp=True) as server:
        strings(server)
        live = read(server.url, "script", PLAIN, **SLOWLY)
        next(iter(live))
        live.close()
        wait_until(lambda: b"name=necropsy" not in ask(server, "CLIENT", "LIST"), "nobody of ours is connected")
