"""Who uses a session between plan and deletion keeps it, however little of that the session says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from necropsy.treat.purge import plan as plans
from necropsy.treat.purge.judge import READ, UNKNOWN, UNTIMED, USED
from necropsy.treatment import purging
from servers import Server, running
from treat.purge.population import (
    HOUR,
    SAVED_REQUEST,
    SPRING,
    apply,
    express,
    integer,
    leave_alone,
    long,
    make_plan,
    spring,
    string,
    write_spring,
)

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


def test_where_reads_leave_no_trace_nobody_goes_before_the_server_has_run_for_as_long(
    client: redis.Redis, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = _as_koa_writes(client, 3)
    leave_alone(client, dict.fromkeys(keys, (int(time.time() * 1000) + 22 * HOUR, 0)))
    _, path = make_plan(server.url, tmp_path, unknown_is_anonymous=True)
    monkeypatch.setattr("necropsy.treat.purge.judge.LOADED_S", 1 << 40)  # as if it had started a moment ago
    done = apply(path, tmp_path / "journal")
    assert (done.deleted, done.kept) == (0, {UNTIMED: 3})


@pytest.mark.parametrize("name", ["redis-8.2", "valkey-9"])
def test_after_a_switch_from_lfu_the_idle_time_of_a_cart_in_use_is_no_proof(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("necropsy.treat.purge.judge.LOADED_S", -1)
    with running(name, "--repl-diskless-sync-delay", "0") as switched:
        client = switched.client()
        keys = _as_koa_writes(client, 4)
        client.config_set("maxmemory-policy", "volatile-lfu")
        client.get(keys[0])  # a customer, now
        client.config_set("maxmemory-policy", "noeviction")
        assert int(client.object("idletime", keys[0]) or 0) > 2 * 3600
        plan, path = make_plan(switched.url, tmp_path, unknown_is_anonymous=True)
        assert plan.sessions == 4
        done = apply(path, tmp_path / "journal")
        assert (done.deleted, done.kept) == (3, {UNTIMED: 1})
        assert client.exists(keys[0])


@pytest.mark.parametrize(
    ("name", "policy"), [("redis-6.2", "noeviction"), ("redis-7.0", "noeviction"), ("redis-8.2", "allkeys-lfu")]
)
def test_where_no_server_tells_of_reads_a_session_goes_only_if_uses_leave_a_trace(
    name: str, policy: str, tmp_path: Path
) -> None:
    with running(name, "--maxmemory", "200mb", "--maxmemory-policy", policy) as blind:
        client = blind.client()
        koa = _as_koa_writes(client, 3) if policy == "noeviction" else []
        ids = express(client, anonymous=4, recent=0, users=0, aged=policy == "noeviction")
        plan, path = make_plan(blind.url, tmp_path, unknown_is_anonymous=True)
        assert (plan.sessions, dict(plan.kept)) == (0, {UNTIMED: 4 + len(koa)})
        assert any("does not tell when a key was last read" in note for note in plan.notes)
        # A clock that is late by a minute is no use, if it is late for all of them.
        for identifier in ids.anonymous:
            client.pexpire(f"sess:{identifier}", 60_000 + client.pttl(f"sess:{identifier}"))
        assert make_plan(blind.url, tmp_path, unknown_is_anonymous=True)[0].sessions == 0
        # Somebody came back to the shop, and it touched the session: so would anybody else's use have done.
        client.pexpire(f"sess:{ids.anonymous[0]}", 24 * HOUR)
        plan, path = make_plan(blind.url, tmp_path, unknown_is_anonymous=True)
        assert dict(plan.kept) == {USED: 1} | ({UNTIMED: 3} if koa else {})
        for by in ("dump", "snapshot"):
            client.config_set("repl-diskless-sync", "yes")
            client.config_set("repl-diskless-sync-delay", "0")
            assert apply(path, tmp_path / by, by=by).deleted == 3
            assert purging.undo(tmp_path / by, redis=None, journal_key=None).codes[1] == 3
        assert client.exists(*koa) == len(koa) if koa else True


def test_who_used_a_session_since_the_plan_keeps_it_though_it_is_idle_again(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    now = int(time.time() * 1000)
    for number in range(3):
        write_spring(client, f"old-{number}", now - 30 * HOUR, lifetime_s=30 * 86_400)
    plan, path = make_plan(server.url, tmp_path)
    whole, key = plans.load(path)
    plans.save(replace(whole, judged_ms=now - 20 * HOUR, hashes=whole.hashes), path, key)  # of yesterday
    write_spring(client, "old-1", now - 3 * HOUR, lifetime_s=30 * 86_400)
    done = apply(path, tmp_path / "journal")
    assert (plan.sessions, done.deleted, done.kept) == (3, 2, {USED: 1})


@pytest.mark.parametrize("by", ["dump", "snapshot"])
@pytest.mark.parametrize("ends", ["never", "at its own time"])
def test_where_the_expiry_is_no_witness_the_server_tells_who_used_a_session(
    ends: str, by: str, client: redis.Redis, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spring without an expiry, or with EXPIREAT: its application's clock is late, and all of its times with it."""
    monkeypatch.setattr("necropsy.treat.purge.judge.LOADED_S", -1)
    late = int(time.time() * 1000) - 3 * HOUR
    keys = [f"{SPRING}:sessions:00000000-0000-4000-8000-00000000000{number}" for number in range(4)]
    until = late + 24 * HOUR if ends != "never" else 0
    for key in keys:
        lifetime = -1 if ends == "never" else 86_400
        client.hset(key, mapping={"creationTime": long(late), "lastAccessedTime": long(late),
                                  "maxInactiveInterval": integer(lifetime), SAVED_REQUEST: string(b"/")})  # fmt: skip
    leave_alone(client, dict.fromkeys(keys, (until, 3 * 3600)))
    plan, path = make_plan(server.url, tmp_path)
    assert plan.sessions == 4
    client.hset(keys[1], "lastAccessedTime", long(late))  # used now
    if until:
        client.pexpireat(keys[1], until)
    done = apply(path, tmp_path / "journal", by=by)
    assert (done.deleted, done.kept) == (3, {READ: 1})
    assert client.exists(keys[1])


def test_a_login_of_the_application_s_own_beside_spring_security_is_kept(
    client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    ids = spring(client, anonymous=4, recent=0, users=1)
    for identifier, name in zip(ids.anonymous, ("loginUser", "memberId", "cart"), strict=False):
        client.hset(f"{SPRING}:sessions:{identifier}", f"sessionAttr:{name}", string(b"anna"))
    _, path = make_plan(server.url, tmp_path)
    done = apply(path, tmp_path / "journal")
    assert (done.deleted, done.kept) == (2, {UNKNOWN: 2})
    assert client.exists(*(f"{SPRING}:sessions:{identifier}" for identifier in ids.anonymous[:2])) == 2


@pytest.mark.parametrize("where", ["another database", "another prefix"])
@pytest.mark.parametrize("by", ["dump", "snapshot"])
def test_the_same_id_in_another_place_that_was_not_chosen_stays(
    where: str, by: str, client: redis.Redis, server: Server, tmp_path: Path
) -> None:
    ids = express(client, anonymous=6, recent=0, users=0)
    other = server.client(1) if where == "another database" else client
    prefix = "sess" if where == "another database" else "shop"
    for identifier in ids.anonymous:
        value, left = client.dump(f"sess:{identifier}"), client.pttl(f"sess:{identifier}")
        other.restore(f"{prefix}:{identifier}", left, value, idletime=7200)
    for place, chosen in (
        (client, [f"sess:{one}" for one in ids.anonymous[:3]]),
        (other, [f"{prefix}:{ids.anonymous[3]}"]),
    ):
        leave_alone(place, dict.fromkeys(chosen, (0, 7200)))
    plan, path = make_plan(f"unix://{server.socket}", tmp_path, ("anonymous", "immortal"))
    assert plan.sessions == 4
    done = apply(path, tmp_path / "journal", by=by)
    assert (done.deleted, done.kept.total()) == (4, 0)
    assert sorted(client.keys("sess:*")) == sorted(f"sess:{one}".encode() for one in ids.anonymous[3:])
    left = [one for one in ids.anonymous if one != ids.anonymous[3]]
    assert sorted(other.keys(f"{prefix}:*")) == sorted(f"{prefix}:{one}".encode() for one in left)


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
