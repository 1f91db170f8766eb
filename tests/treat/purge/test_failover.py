"""After a failover another server answers: what it does not know of the old one speaks for a session, never against it."""

from __future__ import annotations

import random
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
import redis

from necropsy.model.errors import NecropsyError
from necropsy.treat.purge.control import Knobs
from necropsy.treat.purge.judge import UNTIMED
from necropsy.treat.purge.stores import Primary
from necropsy.treatment import purging
from servers import Server, running
from treat.purge.population import HOUR, SPRING, apply, carts, make_plan, same, spring, state, undo, write_spring
from wire.redis.nodes import ask, cluster, info, replica_of, wait_until

pytestmark = pytest.mark.integration

GARBAGE, USERS, RECENT = 240, 12, 12


def _fill(nodes: list[Server]) -> list[str]:
    """Write garbage, and sessions that must stay; return the ids of those."""
    rng, now, stay = random.Random(5), int(time.time() * 1000), []
    with redis.RedisCluster(host="127.0.0.1", port=nodes[0].port, protocol=2) as client:
        for number in range(GARBAGE + USERS + RECENT):
            identifier = str(uuid.UUID(int=rng.getrandbits(128), version=4))
            used = now - (2 * HOUR if number < GARBAGE + USERS else HOUR // 2)
            write_spring(client, identifier, used, user=GARBAGE <= number < GARBAGE + USERS)
            if number >= GARBAGE:
                stay.append(identifier)
    return stay


def _primaries(nodes: list[Server]) -> list[Server]:
    return [node for node in nodes if node.process.poll() is None and info(node, "replication")["role"] == "master"]


def _everything(nodes: list[Server]) -> dict[bytes, Any]:
    return {key: value for node in _primaries(nodes) for key, value in state(node.client()).items()}


@pytest.mark.parametrize("how", ["asked for", "a crash"])
def test_in_a_cluster_a_purge_goes_on_with_the_promoted_replica(how: str, tmp_path: Path) -> None:
    with cluster("redis-7.0", replicas=True) as nodes:
        stay = _fill(nodes)
        before = _everything(nodes)
        plan, path = make_plan(f"redis://127.0.0.1:{nodes[1].port}", tmp_path)
        assert plan.sessions == GARBAGE
        failed: list[Server] = []

        def fail_over(progress: Any) -> None:
            if progress.deleted < 40 or failed:
                return
            failed.append(nodes[1])  # the one that the plan names
            wait_until(lambda: int(info(nodes[1], "replication")["connected_slaves"]) == 1, "its replica is with it")
            if how == "a crash":
                nodes[1].process.kill()
                nodes[1].process.wait()
            else:
                wait_until(lambda: ask(nodes[4], "CLUSTER", "FAILOVER") == b"OK", "a failover begins")
            wait_until(lambda: info(nodes[4], "replication")["role"] == "master", "the replica is promoted")
            alive = [node for node in nodes if node.process.poll() is None]
            wait_until(
                lambda: all(b"cluster_state:ok" in ask(node, "CLUSTER", "INFO") for node in alive),
                "the Cluster is whole",
            )

        order = purging.PurgeOrder(path, tmp_path / "journal", knobs=Knobs(batch=10, rate=400))
        done = purging.apply_plan(order, _options(), fail_over, confirm=lambda _plan: True)
        assert failed
        assert done is not None
        assert done.deleted + done.kept.total() == GARBAGE
        left = _everything(nodes)
        for identifier in stay:
            for key in (f"{SPRING}:sessions:{identifier}", f"{SPRING}:sessions:expires:{identifier}"):
                assert left[key.encode()] == before[key.encode()]
        undo(tmp_path / "journal", redis=purging.parse_address(f"redis://127.0.0.1:{nodes[2].port}"))
        assert same(before, _everything(nodes), slack_ms=1000) == []


def _options() -> Any:
    from necropsy.evidence.redis.options import LiveOptions

    return LiveOptions()


def test_what_was_read_on_the_old_master_may_be_in_use_on_the_new_one(tmp_path: Path) -> None:
    with running("valkey-9", tcp=True) as server, replica_of(server, "valkey-9") as replica:
        keys = carts(server.client(), 4)
        wait_until(lambda: len(replica.client().keys("sess:*")) == 5, "the replica has all")
        plan, path = make_plan(server.url, tmp_path)
        assert plan.sessions == 4
        server.client().get(keys[0])  # somebody looks at a cart: the replica never hears of it
        replica.client().execute_command("REPLICAOF", "NO", "ONE")
        done = apply(path, tmp_path / "journal", redis=purging.parse_address(replica.url))
        assert (done.deleted, done.kept) == (0, {UNTIMED: 4})
        # Nobody knows when it became a master; a plan that was made on it, and is applied at once, says nothing either.
        _, path = make_plan(replica.url, tmp_path)
        assert apply(path, tmp_path / "second").deleted == 0
        done = apply(make_plan(replica.url, tmp_path, idle_s=0)[1], tmp_path / "third")
        assert done.deleted == 5  # nobody is to be kept for a recent use


@pytest.mark.parametrize("name", ["valkey-9", "redis-8.2"])
def test_that_it_was_a_replica_is_known_after_its_backlog_is_freed(name: str, tmp_path: Path) -> None:
    with running(name, tcp=True) as server, replica_of(server, name, "--repl-backlog-ttl", "1") as replica:
        carts(server.client(), 4)
        wait_until(lambda: len(replica.client().keys("sess:*")) == 5, "the replica has all")
        replica.client().execute_command("REPLICAOF", "NO", "ONE")
        wait_until(lambda: not info(replica, "replication")["master_replid2"].strip("0"), "the backlog is freed")
        done = apply(make_plan(replica.url, tmp_path)[1], tmp_path / "journal")
        assert (done.deleted, done.kept) == (0, {UNTIMED: 4})
        ask(replica, "CONFIG", "RESETSTAT")  # nothing is counted any more: nobody can tell
        assert apply(make_plan(replica.url, tmp_path)[1], tmp_path / "second").deleted == 0


def test_idle_times_that_were_loaded_with_the_server_do_not_tell_of_every_use(tmp_path: Path) -> None:
    with running("valkey-9", "--maxmemory-policy", "allkeys-lru", tcp=True) as server:
        carts(server.client(), 4)
        _, path = make_plan(server.url, tmp_path)
        done = apply(path, tmp_path / "journal")
        assert (done.deleted, done.kept) == (0, {UNTIMED: 4})


@pytest.mark.parametrize(("by_s", "which"), [(7200, "forward"), (-7200, "back")])
def test_a_clock_that_is_set_meanwhile_stops_the_purge(
    by_s: int, which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running("redis-7.0", tcp=True) as server:
        spring(server.client(), anonymous=30, recent=10, users=0)
        before = state(server.client())
        _, path = make_plan(server.url, tmp_path)
        said, asked = Primary.now_ms, [0]

        def set_meanwhile(self: Primary) -> int:
            asked[0] += 1
            return said(self) + (1000 * by_s if asked[0] > 4 else 0)

        monkeypatch.setattr(Primary, "now_ms", set_meanwhile)
        with pytest.raises(NecropsyError, match=f"clock was set {which}") as stopped:
            apply(path, tmp_path / "journal")
        assert "run the same command again" in str(stopped.value.hint)
        monkeypatch.undo()
        undo(tmp_path / "journal")
        assert same(before, state(server.client())) == []
