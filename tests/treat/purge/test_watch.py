"""What is touched at the last moment stays, however it is touched, and whether or not the server tells of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from necropsy.model.errors import NecropsyError
from necropsy.treat.purge.control import Knobs
from necropsy.treat.purge.judge import CHANGED
from necropsy.treat.purge.permissions import acl_line
from necropsy.treat.purge.watch import Watch
from necropsy.treatment import purging
from servers import NAMES, Server, running
from treat.purge.population import SPRING, apply, long, make_plan, same, spring, state, string, undo

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running("redis-7.0", tcp=True) as started:
        yield started


@pytest.fixture
def client(server: Server) -> redis.Redis:
    client = server.client()
    client.flushall()
    client.execute_command("ACL", "DELUSER", "necropsy")
    return client


def _once_before(name: str, monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Have something happen, once, right before a step of the watch."""
    step = getattr(Watch, name)
    done: list[bool] = []

    def delayed(self: Watch, *arguments: Any) -> Any:
        if not done and (name != "_executed" or arguments[0]):
            done.append(True)
            act()
        return step(self, *arguments)

    monkeypatch.setattr(Watch, name, delayed)


@pytest.mark.parametrize("name", NAMES)
def test_between_watch_and_exec_who_is_written_to_stays_and_the_others_go(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(name) as server:
        client = server.client()
        ids = spring(client, anonymous=10, recent=0, users=0)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        key = f"{SPRING}:sessions:{ids.anonymous[3]}"
        _once_before("_executed", monkeypatch, lambda: client.hset(key, "sessionAttr:X", string(b"newer")))
        done = apply(path, tmp_path / "journal", knobs=Knobs(batch=10))
        assert done.remarks == []
        assert (done.deleted, done.kept) == (9, {CHANGED: 1})
        assert client.hget(key, "sessionAttr:X") == string(b"newer")
        undo(tmp_path / "journal")
        after = state(client)
        assert [wrong for wrong in same(before, after) if ids.anonymous[3] not in wrong] == []


def test_where_the_server_may_not_tell_whole_values_are_compared(
    client: redis.Redis, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from necropsy.treat.purge.batch import Unlinker

    ids = spring(client, anonymous=6, recent=0, users=0)
    line = acl_line(client.info("server")["redis_version"], cluster=False).replace(" +client|tracking", "")
    client.execute_command(*line.replace("PASSWORD", "hunter2").split())
    address = purging.parse_address(f"redis://necropsy:hunter2@127.0.0.1:{server.port}/0")
    _, path = make_plan(server.url, tmp_path)
    run = Unlinker._run

    def delayed(self: Unlinker, *arguments: Any) -> Any:
        client.hset(f"{SPRING}:sessions:{ids.anonymous[0]}", "sessionAttr:X", string(b"z" * 40))
        return run(self, *arguments)

    monkeypatch.setattr(Unlinker, "_run", delayed)
    done = apply(path, tmp_path / "journal", redis=address)
    assert "does not report touched keys" in done.remarks[0]
    assert (done.deleted, done.kept) == (5, {CHANGED: 1})
    assert client.hget(f"{SPRING}:sessions:{ids.anonymous[0]}", "sessionAttr:X") == string(b"z" * 40)


def test_after_a_flush_nothing_newer_is_deleted(
    client: redis.Redis, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spring(client, anonymous=6, recent=0, users=0)
    _, path = make_plan(server.url, tmp_path)
    mine = f"{SPRING}:sessions:0b2479a9-9a6e-4ff2-8293-d64387cea768"

    def act() -> None:
        client.flushall()
        client.hset(mine, mapping={"lastAccessedTime": long(int(time.time() * 1000))})

    _once_before("_guard", monkeypatch, act)
    done = apply(path, tmp_path / "journal")
    assert done.deleted == 0
    assert [*state(client)] == [mine.encode()]


def test_after_databases_were_swapped_the_sessions_of_the_other_stay(
    client: redis.Redis, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = spring(client, anonymous=6, recent=0, users=0)
    _, path = make_plan(server.url, tmp_path)
    other = server.client(db=1)
    for identifier in ids.anonymous:  # the same ids, logged in by now
        other.hset(f"{SPRING}:sessions:{identifier}", "sessionAttr:SPRING_SECURITY_CONTEXT", string(b"erika"))
    _once_before("_guard", monkeypatch, lambda: client.execute_command("SWAPDB", 0, 1))
    done = apply(path, tmp_path / "journal")
    assert done.deleted == 0
    assert all(client.exists(f"{SPRING}:sessions:{identifier}") for identifier in ids.anonymous)


def test_a_server_that_becomes_a_replica_half_way_stops_the_purge_and_nothing_is_lost(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    spring(client, anonymous=60, recent=0, users=0)
    before = state(client)
    _, path = make_plan(server.url, tmp_path)

    def demote(progress: Any) -> None:
        if progress.deleted >= 10:
            client.execute_command("REPLICAOF", "127.0.0.1", "1")

    order = purging.PurgeOrder(path, tmp_path / "journal", knobs=Knobs(batch=10, rate=20))
    try:
        from necropsy.evidence.redis.options import LiveOptions

        with pytest.raises(NecropsyError, match="replica") as stopped:
            purging.apply_plan(order, LiveOptions(), demote, confirm=lambda _plan: True)
        assert stopped.value.hint
    finally:
        client.execute_command("REPLICAOF", "NO", "ONE")
    assert 10 <= len(before) - len(state(client)) < len(before)
    undo(tmp_path / "journal")
    assert same(before, state(client)) == []
