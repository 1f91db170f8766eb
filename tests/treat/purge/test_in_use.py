"""Who uses a session between plan and deletion keeps it, however little of that the session says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from necropsy.treat.purge.judge import READ, USED
from necropsy.treatment import purging
from servers import Server, running
from treat.purge.population import HOUR, SPRING, apply, express, leave_alone, long, make_plan, spring, write_spring

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running("redis-8.2", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", tcp=True) as started:
        yield started


@pytest.fixture
def client(server: Server) -> redis.Redis:
    client = server.client()
    client.flushall()
    return client


def test_who_was_to_be_idle_for_a_week_must_still_be_when_the_plan_is_applied(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    now = int(time.time() * 1000)
    for number in range(4):
        write_spring(client, f"old-{number}", now - 8 * 24 * HOUR, lifetime_s=30 * 86_400)
    plan, path = make_plan(server.url, tmp_path, ("anonymous", "idle=7d"))
    assert (plan.sessions, plan.idle_s) == (4, 7 * 86_400)
    client.hset(f"{SPRING}:sessions:old-0", "lastAccessedTime", long(now - 2 * HOUR))
    done = apply(path, tmp_path / "journal")
    assert (done.deleted, done.kept) == (3, {USED: 1})
    assert client.exists(f"{SPRING}:sessions:old-0")


def test_whose_expiry_alone_was_touched_since_the_plan_stays(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    ids, others = (
        spring(client, anonymous=4, recent=0, users=0),
        express(client, anonymous=4, recent=0, users=0),
    )
    _, path = make_plan(server.url, tmp_path)
    client.pexpire(f"{SPRING}:sessions:{ids.anonymous[0]}", 24 * HOUR + 300_000)
    client.pexpire(f"sess:{others.anonymous[0]}", 24 * HOUR)
    done = apply(path, tmp_path / "journal")
    assert (done.deleted, done.kept) == (6, {USED: 2})


def test_an_application_whose_clock_is_late_does_not_make_its_users_look_idle(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    now = int(time.time() * 1000)
    late = now - 3 * HOUR  # Spring sets the expiry as a span, which the server's clock counts from now
    write_spring(client, "guest", late)
    client.pexpire(f"{SPRING}:sessions:guest", 24 * HOUR + 300_000)
    write_spring(client, "idle", late)
    plan, path = make_plan(server.url, tmp_path)
    assert (plan.sessions, dict(plan.kept)) == (1, {USED: 1})
    assert apply(path, tmp_path / "journal").deleted == 1
    assert client.exists(f"{SPRING}:sessions:guest")


def _as_koa_writes(client: redis.Redis, count: int) -> list[str]:
    """Write sessions as koa-session does without ``rolling``: nothing is written when one is only read."""
    used = int(time.time() * 1000) - 2 * HOUR
    value = json.dumps({"cart": [1], "_expire": used + 24 * HOUR, "_maxAge": 24 * HOUR}, separators=(",", ":"))
    keys = [f"koa:0b2479a9-9a6e-4ff2-8293-d64387cea{number:03d}" for number in range(count)]
    for key in keys:
        client.set(key, value, px=22 * HOUR)
    leave_alone(client, dict.fromkeys(keys, (used + 24 * HOUR, 7200)))
    return keys


@pytest.mark.parametrize("by", ["dump", "snapshot"])
def test_a_cart_that_is_read_and_not_written_stays(
    by: str, client: redis.Redis, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("necropsy.treat.purge.judge.LOADED_S", -1)  # the server of a test has not run for long
    keys = _as_koa_writes(client, 5)
    plan, path = make_plan(server.url, tmp_path, unknown_is_anonymous=True)
    assert plan.sessions == 5
    client.get(keys[2])
    done = apply(path, tmp_path / "journal", by=by)
    assert (done.deleted, done.kept) == (4, {READ: 1})
    assert client.exists(keys[2])


def test_a_key_that_was_loaded_with_the_server_was_not_read(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    keys = _as_koa_writes(client, 3)
    leave_alone(client, dict.fromkeys(keys, (int(time.time() * 1000) + 22 * HOUR, 0)))
    _, path = make_plan(server.url, tmp_path, unknown_is_anonymous=True)
    rules: list[Any] = []
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr("necropsy.treat.purge.judge.LOADED_S", 1 << 40)  # as if it had started a moment ago
    try:
        rules.append(apply(path, tmp_path / "journal"))
    finally:
        monkeypatch.undo()
    assert rules[0].deleted == 3


def test_the_same_id_under_another_name_is_another_session(client: redis.Redis, server: Server, tmp_path: Path) -> None:
    ids = express(client, anonymous=3, recent=0, users=0)
    _, path = make_plan(server.url, tmp_path)
    client.rename(f"sess:{ids.anonymous[0]}", f"admin:{ids.anonymous[0]}")
    done = apply(path, tmp_path / "journal")
    assert (done.deleted, done.kept.total()) == (2, 1)
    assert client.exists(f"admin:{ids.anonymous[0]}")


def test_a_plan_made_for_a_copy_is_not_for_the_store_that_was_copied(tmp_path: Path) -> None:
    with running("redis-7.0", "--repl-diskless-sync", "yes", tcp=True) as server:
        spring(server.client())
        dump = server.save()
        folder = tmp_path / "copy"
        folder.mkdir()
        (folder / "dump.rdb").write_bytes(dump.read_bytes())
        with running("redis-7.0", "--dir", str(folder), tcp=True) as copy:
            assert copy.client().dbsize() == server.client().dbsize()
            _, path = make_plan(copy.url, tmp_path)
        with pytest.raises(purging.TreatmentError, match="not the store"):
            apply(path, tmp_path / "journal", redis=purging.parse_address(server.url))
