"""Lifetimes are shortened where they stand, nobody is logged out, and they are given back to whoever was not here since."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from necropsy.evidence.redis.options import LiveOptions
from necropsy.sessions.jdk import INTEGER_HEADER
from necropsy.treat.lifetimes.cap import Cap, GivenBack
from necropsy.treat.purge.batch import Unlinker
from necropsy.treat.purge.journal import Journal
from necropsy.treat.purge.stores import TreatmentError
from necropsy.treat.purge.watch import Watch
from necropsy.treatment import capping
from necropsy.wire.redis.address import parse_address
from servers import NAMES, running
from treat.purge.population import SPRING, express, integer, same, spring, state, write_spring
from wire.redis.nodes import cluster

pytestmark = pytest.mark.integration

FOREVER = 2_147_483_647
DAY = 86_400


@pytest.mark.parametrize("name", NAMES)
def test_what_lives_forever_ends_at_the_limit_and_carries_it(name: str, tmp_path: Path) -> None:
    with running(name) as server:
        client = server.client()
        spring(client, anonymous=5, recent=0, users=0)
        now = int(time.time() * 1000)
        for number in range(6):
            write_spring(client, f"immortal-{number}", now - 5_000_000, user=number < 3, lifetime_s=FOREVER)
        value = {
            "cookie": {"originalMaxAge": FOREVER * 1000, "expires": "2094-01-01T00:00:00.000Z", "path": "/"},
            "a": 1,
        }
        client.set("sess:immortal", json.dumps(value, separators=(",", ":")))
        before = state(client)
        address = parse_address(server.url)
        planned = capping.cap(address, 7 * DAY, LiveOptions(), journal=None)
        assert (planned.too_long, planned.capped) == ({"spring": 6, "express": 1}, 0)
        assert same(before, state(client)) == []
        done = capping.cap(address, 7 * DAY, LiveOptions(), journal=tmp_path / "journal")
        assert (done.capped, done.changed) == (7, 0)
        after = state(client)
        assert after.keys() == before.keys()
        limit = int(time.time() * 1000) + 7 * DAY * 1000
        for number in range(6):
            fields, ends = after[f"{SPRING}:sessions:immortal-{number}".encode()]
            assert fields[b"maxInactiveInterval"] == INTEGER_HEADER + (7 * DAY).to_bytes(4, "big")
            assert abs(ends - limit - 300_000) < 10_000
            assert abs(after[f"{SPRING}:sessions:expires:immortal-{number}".encode()][1] - limit) < 10_000
        session, ends = after[b"sess:immortal"]
        assert abs(ends - limit) < 10_000
        cookie = json.loads(session)["cookie"]
        assert cookie["originalMaxAge"] == 7 * DAY * 1000
        assert not cookie["expires"].startswith("2094")
        assert capping.cap(address, 7 * DAY, LiveOptions(), journal=None).too_long.total() == 0
        used = f"{SPRING}:sessions:immortal-0"
        client.pexpire(used, 7 * DAY * 1000)
        assert capping.undo(tmp_path / "journal", redis=None) == GivenBack(6, used=1)
        again = state(client)
        changed = {key for key in before if same({key: before[key]}, {key: again[key]})}
        assert changed == {used.encode(), f"{SPRING}:sessions:expires:immortal-0".encode()}


def test_sessions_that_do_not_carry_their_lifetime_are_named(tmp_path: Path) -> None:
    with running("redis-8.2") as server:
        client = server.client()
        express(client, anonymous=3, recent=0, users=0)
        client.set("session:fomrsZGapPij08fKg3KYv_Cip6rBI1W-lKJV-zF0MXg", b"\x81\xaa_permanent\xc3", ex=90 * DAY)
        done = capping.cap(parse_address(server.url), 7 * DAY, LiveOptions(), journal=tmp_path / "journal")
        assert done.too_long == done.not_carried == {"flask": 1}
        assert done.capped == 1
        assert client.ttl("session:fomrsZGapPij08fKg3KYv_Cip6rBI1W-lKJV-zF0MXg") <= 7 * DAY


def test_in_a_cluster_markers_end_with_their_hashes(tmp_path: Path) -> None:
    with cluster("redis-7.0") as nodes:
        client = redis.RedisCluster(host="127.0.0.1", port=nodes[0].port, protocol=2)
        now = int(time.time() * 1000)
        for number in range(30):
            write_spring(client, f"immortal-{number}", now - 5_000_000, lifetime_s=FOREVER)
        before = {key: value for node in nodes for key, value in state(node.client()).items()}
        address = parse_address(f"redis://127.0.0.1:{nodes[0].port}")
        assert capping.cap(address, 7 * DAY, LiveOptions(), journal=tmp_path / "journal").capped == 30
        for number in range(30):
            assert client.ttl(f"{SPRING}:sessions:immortal-{number}") <= 7 * DAY + 300
            assert client.ttl(f"{SPRING}:sessions:expires:immortal-{number}") <= 7 * DAY
        assert capping.undo(tmp_path / "journal", redis=None) == GivenBack(30)
        after = {key: value for node in nodes for key, value in state(node.client()).items()}
        assert same(before, after) == []
        client.close()


def test_from_a_snapshot_lifetimes_are_shortened_alike_and_who_writes_meanwhile_keeps_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Watch.write
    with running("redis-7.0", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", tcp=True) as server:
        client = server.client()
        now = int(time.time() * 1000)
        for number in range(6):
            write_spring(client, f"immortal-{number}", now - 5_000_000, lifetime_s=FOREVER)
        value = {"cookie": {"originalMaxAge": FOREVER * 1000, "expires": "2094-01-01T00:00:00.000Z"}, "a": "x" * 2000}
        for name in "ab":
            client.set(f"sess:{name}", json.dumps(value, separators=(",", ":")), ex=FOREVER)

        def written_meanwhile(self: Watch, *asked: Any) -> list[bool]:
            client.hset(f"{SPRING}:sessions:immortal-0", "sessionAttr:X", b"newer")
            client.set("sess:b", json.dumps({**value, "a": "x" * 1999 + "y"}, separators=(",", ":")), keepttl=True)
            return write(self, *asked)

        monkeypatch.setattr(Watch, "write", written_meanwhile)
        before = state(client)
        address = parse_address(server.url)
        done = capping.cap(address, 7 * DAY, LiveOptions(), journal=tmp_path / "journal", by="snapshot")
        assert (done.capped, done.changed) == (6, 2)
        after = state(client)
        assert after[b"sess:b"][0].endswith(b'y"}')
        assert after[b"sess:b"][1] == before[b"sess:b"][1]
        assert after[f"{SPRING}:sessions:immortal-0".encode()][0][b"sessionAttr:X"] == b"newer"
        assert capping.undo(tmp_path / "journal", redis=None) == GivenBack(6)
        back = state(client)
        assert back.keys() == before.keys()
        assert all(abs(back[key][1] - before[key][1]) < 1000 for key in before)


@pytest.mark.parametrize("build", ["redis-6.2", "redis-8.2"])
def test_an_undo_overwrites_nothing_that_was_written_since_without_touching_the_expiry(
    build: str, tmp_path: Path
) -> None:
    with running(build) as server:
        client = server.client()
        now = int(time.time() * 1000)
        write_spring(client, "changed", now - 5_000_000, lifetime_s=FOREVER)
        write_spring(client, "other", now - 5_000_000, lifetime_s=FOREVER)
        value = {"cookie": {"originalMaxAge": FOREVER * 1000, "expires": "2094-01-01T00:00:00.000Z"}}
        for name in ("login", "other"):
            client.set(f"sess:{name}", json.dumps(value, separators=(",", ":")), ex=FOREVER)
        plain = "session:fomrsZGapPij08fKg3KYv_Cip6rBI1W-lKJV-zF0MXg"  # the layout carries no lifetime: the TTL alone is written
        client.set(plain, b"\x81\xaa_permanent\xc3", ex=90 * DAY)
        before = state(client)
        address = parse_address(server.url)
        assert capping.cap(address, 7 * DAY, LiveOptions(), journal=tmp_path / "journal").capped == 5
        client.hset(f"{SPRING}:sessions:changed", "maxInactiveInterval", integer(1800))
        login = client.get("sess:login").replace(b'"}}', b'"},"passport":{"user":7}}')
        client.set("sess:login", login, keepttl=True)
        client.set(plain, b"\x82\xaa_permanent\xc3\xa8_user_id\xa17", keepttl=True)
        assert capping.undo(tmp_path / "journal", redis=None) == GivenBack(3, used=2)
        after = state(client)
        assert after[b"sess:login"][0] == login
        assert after[f"{SPRING}:sessions:changed".encode()][0][b"maxInactiveInterval"] == integer(1800)
        assert after[plain.encode()][0].endswith(b"_user_id\xa17")
        for key in (b"sess:other", f"{SPRING}:sessions:other".encode()):
            assert same({key: before[key]}, {key: after[key]}) == []


def test_what_was_asked_for_and_never_answered_is_given_back_by_an_undo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Cap._call

    def unanswered(self: Cap, *asked: Any) -> Any:
        call(self, *asked)
        raise TreatmentError("the store does not come back", hint="Give the same command again once it is back.")

    with running("redis-8.2") as server:
        client = server.client()
        now = int(time.time() * 1000)
        for number in range(6):
            write_spring(client, f"immortal-{number}", now - 5_000_000, lifetime_s=FOREVER)
        before = state(client)
        with monkeypatch.context() as broken:
            broken.setattr(Cap, "_call", unanswered)
            with pytest.raises(TreatmentError):
                capping.cap(parse_address(server.url), 7 * DAY, LiveOptions(), journal=tmp_path / "journal")
        assert same(before, state(client)) != []
        assert capping.undo(tmp_path / "journal", redis=None) == GivenBack(6)
        assert same(before, state(client)) == []


def test_what_a_killed_run_had_not_come_to_is_not_said_to_have_been_used(tmp_path: Path) -> None:
    with running("redis-7.0") as server:
        client = server.client()
        now = int(time.time() * 1000)
        for number in range(6):
            write_spring(client, f"immortal-{number}", now - 5_000_000, lifetime_s=FOREVER)
        before = state(client)
        capping.cap(parse_address(server.url), 7 * DAY, LiveOptions(), journal=tmp_path / "journal")
        journal = Journal.open(tmp_path / "journal")
        (batch,) = journal.batches()
        journal.close()
        for record in batch.records[3:]:  # as if it had been killed before it came to them
            fields, ends = before[record.key]
            client.hset(record.key, "maxInactiveInterval", fields[b"maxInactiveInterval"])
            client.pexpireat(record.key, ends)
            client.pexpireat(record.marker, before[record.marker][1])
        assert capping.undo(tmp_path / "journal", redis=None) == GivenBack(3)
        assert same(before, state(client)) == []


@pytest.mark.parametrize("watched", [True, False])
def test_what_has_the_name_of_a_marker_and_is_none_keeps_its_life(
    watched: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not watched:
        monkeypatch.setattr(Unlinker, "watch", lambda *_: "not asked")
    with running("redis-7.0") as server:
        client = server.client()
        now = int(time.time() * 1000)
        for number in range(3):
            write_spring(client, f"immortal-{number}", now - 5_000_000, lifetime_s=FOREVER)
        listed, valued = (f"{SPRING}:sessions:expires:immortal-{number}" for number in range(2))
        client.delete(listed, valued)
        client.rpush(listed, "somebody's")
        client.set(valued, "somebody's")
        before = state(client)
        done = capping.cap(parse_address(server.url), 7 * DAY, LiveOptions(), journal=tmp_path / "journal")
        assert done.capped == 3
        assert client.ttl(listed) == client.ttl(valued) == -1
        assert 0 < client.ttl(f"{SPRING}:sessions:expires:immortal-2") <= 7 * DAY
        assert capping.undo(tmp_path / "journal", redis=None) == GivenBack(3)
        assert same(before, state(client)) == []


def test_lifetimes_are_given_back_after_a_restart_that_left_no_identity(tmp_path: Path) -> None:
    """An AOF holds no replication id: nothing tells the store from another but what is in it."""
    with running("redis-7.0") as server, running("redis-7.0") as restarted:
        now = int(time.time() * 1000)
        for number in range(4):
            write_spring(server.client(), f"immortal-{number}", now - 5_000_000, lifetime_s=FOREVER)
        before = state(server.client())
        capping.cap(parse_address(server.url), 7 * DAY, LiveOptions(), journal=tmp_path / "journal")
        for key in server.client().scan_iter():  # what the AOF brings back, in another process
            ends = int(server.client().execute_command("PEXPIRETIME", key))
            restarted.client().restore(key, max(ends, 0), server.client().dump(key), absttl=ends >= 0)
        again = parse_address(restarted.url)
        with pytest.raises(TreatmentError, match="not the store") as refused:
            capping.undo(tmp_path / "journal", redis=again)
        assert "never in an AOF" in str(refused.value.hint)
        restarted.client().delete(f"{SPRING}:sessions:immortal-0", f"{SPRING}:sessions:expires:immortal-0")
        done = capping.undo(tmp_path / "journal", redis=again, other_store=True)
        assert done == GivenBack(3, gone=1), "who is gone was not here since"
        left = {key: value for key, value in before.items() if not key.endswith(b"immortal-0")}
        assert same(left, state(restarted.client())) == []
        assert capping.undo(tmp_path / "journal", redis=again, other_store=True) == GivenBack(before=3)
