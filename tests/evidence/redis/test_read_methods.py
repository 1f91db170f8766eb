"""Stream, script and plain commands say the same of every key, and it is what the server itself answers."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from unittest import mock

import pytest

from evidence.redis.live import SMALL_DATABASES, WANTED, fill, idle, options, read, rows, without
from necropsy.evidence.redis.scanning import heard_from_others
from necropsy.evidence.redis.script_text import SAMPLES
from necropsy.model.errors import UnreadableSource, UsageError
from necropsy.sessions.keyspace import Projection
from necropsy.wire.redis.address import parse_address
from necropsy.wire.redis.connection import Connection
from servers import NAMES, Server, running
from wire.redis.nodes import ask, info

pytestmark = pytest.mark.integration

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module", params=NAMES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param, *options(request.param), tcp=True) as started:
        fill(started)
        yield started


@pytest.fixture(scope="module")
def seen(server: Server) -> dict[str, Rows]:
    """What each way says."""
    found = {}
    for way in ("pipeline", "script", "stream"):
        live = read(server.url.removesuffix("/0"), way)
        found[way] = rows(live)
        assert not live.blemishes or way != "stream"
        assert live.keys_read == len(found[way])
        assert f"by {way}" in live.note
    return found


def near(one: datetime | None, other: datetime | None, within_ms: int) -> bool:
    """Before Redis 7 there is only PTTL: a plain command cannot tell which millisecond it was answered in."""
    if one is None or other is None:
        return one == other
    return abs(one - other) <= timedelta(milliseconds=within_ms)


def test_script_and_stream_and_commands_agree_key_for_key(server: Server, seen: dict[str, Rows]) -> None:
    # What memory is for each: MEMORY USAGE for the scans, arithmetic for the stream. Idle times go on between the readings.
    apart = ["idle_s", "freq", "bytes", "expires_at", "field:creationTime"]
    assert without(seen["script"], *apart) == without(seen["pipeline"], *apart)
    apart += ["encoding"] if server.build.name == "valkey-9" else []  # embedded or not: depends on the key there
    assert without(seen["script"], *apart) == without(seen["stream"], *apart)
    # A plain command's answer waits for its reader, however busy the machine. A script asks for the time before and after,
    # which tells the millisecond as long as the clock is not set back in between: seen once, on a virtual machine.
    asked, scripted = (50, 1) if server.build.name == "redis-6.2" else (0, 0)
    for script, pipeline, stream in zip(seen["script"], seen["pipeline"], seen["stream"], strict=True):
        assert near(script["expires_at"], pipeline["expires_at"], asked), script["key"]
        assert near(script["expires_at"], stream["expires_at"], scripted), script["key"]
        # A table that grows has two sets of buckets until it was asked often enough. Of a larger one, the server looks
        # at a sample, and not at the same one each time.
        if script["elements"] <= SAMPLES:
            assert abs(script["bytes"] - pipeline["bytes"]) <= 64, script["key"]


def test_each_key_is_as_the_server_says(server: Server, seen: dict[str, Rows]) -> None:
    found = {(row["db"], row["key"]): row for row in seen["script"]}
    for db in SMALL_DATABASES:
        client = server.client(db)
        assert client.dbsize() == sum(1 for at, _ in found if at == db)
        for key in client.scan_iter(count=1000):
            row = found[db, key]
            assert row["type"] == client.type(key).decode()
            assert row["encoding"] == client.object("encoding", key).decode()
            left, now = client.pttl(key), client.time()
            if left < 0:
                assert row["expires_at"] is None
            else:
                moment = datetime.fromtimestamp(now[0], UTC).replace(tzinfo=None) + timedelta(microseconds=now[1])
                assert abs(row["expires_at"] - moment - timedelta(milliseconds=left)) < timedelta(milliseconds=100)


def test_values_come_in_the_parts_that_were_asked_for(server: Server, seen: dict[str, Rows]) -> None:
    client = server.client()
    found = {row["key"]: row for row in seen["script"] if row["db"] == 0}
    for key, row in found.items():
        if row["type"] == "string":
            assert row["head"] == client.getrange(key, 0, 49)
            assert row["elements"] == client.strlen(key)
        if row["type"] == "hash" and key != b"long-fields":
            assert row["elements"] == client.hlen(key)
            for name, keep in WANTED.hash_fields:
                value = client.hget(key, name)
                assert row[f"field:{name.decode()}"] == (None if value is None else value[:keep])
                assert row[f"length:{name.decode()}"] == (None if value is None else len(value))
        if row["type"] == "set":
            assert row["members"] == sorted(client.smembers(key))
        if row["type"] == "zset":
            assert row["members"] == sorted(client.zrange(key, 0, -1))
    assert {row["type"] for row in found.values()} == {"string", "hash", "set", "zset", "list", "stream"}
    assert any(len(row["members"] or ()) > 512 for row in found.values()), "a set that is read in pieces"


def test_a_field_too_long_to_be_fetched_is_known_by_its_length(server: Server, seen: dict[str, Rows]) -> None:
    for way in ("script", "pipeline"):
        (row,) = [row for row in seen[way] if row["key"] == b"long-fields"]
        assert (row["field:creationTime"], row["length:creationTime"]) == (b"", 3_000_000)
        assert (row["field:f1"], row["length:f1"]) == (b"fffff", 40_000)
        assert (row["field:3"], row["length:3"], row["field:attribute:2"]) == (b"", 0, None)
        live = read(server.url, way)
        rows(live)
        assert ["longer than 1 MiB" in blemish.why for blemish in live.blemishes] == [True]
    (streamed,) = [row for row in seen["stream"] if row["key"] == b"long-fields"]
    assert streamed["length:creationTime"] == 3_000_000


def test_what_a_dump_reckons_is_near_what_the_server_measures(server: Server, seen: dict[str, Rows]) -> None:
    pairs = [
        (script["bytes"], stream["bytes"])
        for script, stream in zip(seen["script"], seen["stream"], strict=True)
        if script["type"] != "stream" and script["elements"] <= SAMPLES  # of more, the server too looks at a part
    ]
    total, reckoned = (sum(column) for column in zip(*pairs, strict=True))
    # Redis 6.2 answers for packed values with their length, not with what their allocation takes.
    assert abs(total - reckoned) / total < (0.12 if server.build.name == "redis-6.2" else 0.05)
    assert median(abs(one - other) / one for one, other in pairs) < 0.05


def test_one_database_is_read_when_the_address_names_it(server: Server) -> None:
    idle(server)
    for way in ("script", "pipeline", "stream"):
        found = rows(read(f"redis://127.0.0.1:{server.port}/3", way))
        assert {row["db"] for row in found} == {3}
        assert len(found) == ask_db(server, 3)


def ask_db(server: Server, db: int) -> int:
    return int(server.client(db).dbsize())


def test_a_database_that_is_empty_is_no_error(server: Server) -> None:
    idle(server)
    for way in ("script", "pipeline", "stream"):
        live = read(f"redis://127.0.0.1:{server.port}/9", way)
        assert rows(live) == []
        assert live.blemishes == []


def test_nothing_is_asked_of_values_when_nothing_is_wanted(server: Server) -> None:
    ask(server, "CONFIG", "RESETSTAT")
    nothing = Projection()
    for way in ("script", "pipeline"):
        found = rows(read(server.url, way, nothing), nothing)
        assert {row["head"] for row in found} == {None}
    calls = {name.removeprefix("cmdstat_"): text for name, text in info(server, "commandstats").items()}
    for command in ("hmget", "getrange", "smembers", "zrange", "sscan"):
        assert calls[command].startswith("calls=2,"), "each is tried out once in a reading, on a key that is not there"


def test_the_server_says_what_it_is(server: Server) -> None:
    live = read(server.url, "script")
    rows(live)
    facts = live.facts
    assert facts["redis-ver"] == info(server, "server")["redis_version"]
    assert int(facts["used-mem"]) > 1_000_000
    assert facts["maxmemory_policy"] == facts["config:maxmemory-policy"] == "noeviction"
    assert facts["config:repl-diskless-sync"] == "yes"
    assert int(facts["memory:peak.allocated"]) > 0
    assert int(facts["scan-slices"]) > 1
    assert live.absent == []
    assert live.taken_at is not None
    assert abs(live.taken_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert live.locator == f"redis://127.0.0.1:{server.port}/0"


def test_the_machine_of_a_server_is_seen_from_there(server: Server) -> None:
    with running("redis-7.0"):
        live = read(server.url, "script")
        rows(live)
    facts = {name: int(value) for name, value in live.facts.items() if name.startswith("host:")}
    assert facts["host:memory-total"] == int(info(server, "memory")["total_system_memory"])
    assert 0 < facts["host:memory-available"] < facts["host:memory-total"]
    assert facts["host:swap-total"] >= facts["host:swap-free"] >= 0
    assert facts["host:server-swapped"] < facts["host:memory-total"]
    assert facts["host:neighbours"] >= 1
    assert facts["host:neighbours-resident"] > 1_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="priorities are those of a process elsewhere")
def test_on_the_servers_own_machine_a_scan_stands_back(server: Server) -> None:
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before, during = nice(), []
    rows(read(server.url, "script", batch_rows=50), after=lambda _: during.append(nice()))
    assert set(during) == {10}
    assert nice() == (before if os.geteuid() == 0 else 10)


def test_what_others_send_is_told_from_what_a_scan_sends(server: Server) -> None:
    with Connection.open(parse_address(server.url)) as connection:
        before = heard_from_others(connection)
        for _ in range(50):
            connection.command("TYPE", b"x" * 1_000)
        assert heard_from_others(connection) == before
        server.client().set("of-others", b"x" * 100_000, px=1)
        now = heard_from_others(connection)
    assert before is not None
    assert now is not None
    assert 100_000 < now - before < 102_000


def test_a_scan_that_is_alone_takes_longer_slices_than_one_among_others(server: Server) -> None:
    fewer = {}
    for others in (False, True):
        told = (lambda _connection: 0) if not others else (lambda _connection: None)
        with (
            mock.patch("necropsy.evidence.redis.scanning.heard_from_others", told),
            mock.patch("necropsy.evidence.redis.rate_control.HEARD_EVERY_S", 0.0),
        ):
            live = read(server.url, "script", max_impact_s=0.0005)
            rows(live)
        fewer[others] = int(live.facts["scan-slices"])
    assert fewer[False] < fewer[True]


def test_the_stream_brings_the_facts_of_the_dump(server: Server) -> None:
    idle(server)
    live = read(server.url, "stream")
    rows(live)
    assert live.facts["checksum"] in {"verified", "absent"}
    assert live.facts["magic"] in {"REDIS", "VALKEY"}
    assert float(live.facts["stream-waited-s"]) >= 0


def test_the_scan_leaves_idle_times_alone_where_the_server_lets_it(server: Server) -> None:
    name = server.build.name
    live = read(server.url, "script")
    found = rows(live)
    assert all(row["idle_s"] is not None and row["freq"] is None for row in found)
    assert ("NO-TOUCH" in live.note) == (name in {"redis-6.2", "redis-7.0"})


def test_uses_are_counted_where_the_server_counts_them(server: Server) -> None:
    ask(server, "CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    try:
        for way in ("script", "pipeline"):
            found = rows(read(server.url, way))
            assert all(row["freq"] is not None and row["idle_s"] is None for row in found)
    finally:
        ask(server, "CONFIG", "SET", "maxmemory-policy", "noeviction")


def test_small_stores_are_scanned_and_it_is_said_why(server: Server) -> None:
    live = read(server.url, "auto")
    live.close()
    assert "by script" in live.note
    assert "a scan is faster" in live.note or "with a child" in live.note


def test_progress_ends_at_one(server: Server) -> None:
    told: list[float | None] = []
    rows(read(server.url, "script", progress=told.append, batch_rows=100))
    assert told == sorted(told, key=lambda share: share or 0)
    assert told[-1] == 1.0


def test_a_way_or_a_budget_that_is_none_is_refused(server: Server) -> None:
    for more in ({"way": "magic"}, {"way": "script", "max_impact_s": 0.0}, {"way": "script", "max_impact_s": 60.0}):
        with pytest.raises(UsageError):
            read(server.url, **more)  # type: ignore[arg-type]


def test_a_stream_that_would_be_unsafe_is_refused_with_the_reason(server: Server) -> None:
    idle(server)
    used = int(info(server, "memory")["used_memory"])
    ask(server, "CONFIG", "SET", "maxmemory", used + used // 2)
    try:
        with pytest.raises(UnreadableSource, match="maxmemory") as raised:
            read(server.url, "stream")
        assert "auto" in raised.value.hint
        live = read(server.url, "auto")
        live.close()
        assert "by script: not by its replication stream" in live.note
    finally:
        ask(server, "CONFIG", "SET", "maxmemory", 0)
