"""A Cluster, a Sentinel's failover, the one ACL user: where sessions are is not where the purge began."""

from __future__ import annotations

import random
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
import redis

from necropsy.model.errors import NecropsyError
from necropsy.treat.purge.control import Knobs
from necropsy.treat.purge.permissions import acl_line
from necropsy.treatment import purging
from servers import Server, running
from treat.purge.population import HOUR, SPRING, apply, make_plan, same, spring, state, undo, write_spring
from waiting import wait_until
from wire.redis.nodes import ask, cluster, info, replica_of, sentinel_of

pytestmark = pytest.mark.integration


def _cluster_state(nodes: list[Server]) -> dict[bytes, Any]:
    return {key: value for node in nodes for key, value in state(node.client()).items()}


def _fill(nodes: list[Server], count: int) -> tuple[redis.RedisCluster, list[str]]:
    client = redis.RedisCluster(host="127.0.0.1", port=nodes[0].port, protocol=2)
    rng, now, ids = random.Random(3), int(time.time() * 1000), []
    for number in range(count):
        ids.append(str(uuid.UUID(int=rng.getrandbits(128), version=4)))
        write_spring(client, ids[-1], now - 2 * HOUR, user=number % 10 == 0)
    return client, ids


def test_in_a_cluster_sessions_go_from_every_node_with_markers_and_memberships(tmp_path: Path) -> None:
    with cluster("redis-7.0") as nodes:
        client, ids = _fill(nodes, 100)
        before = _cluster_state(nodes)
        plan, path = make_plan(f"redis://127.0.0.1:{nodes[1].port}", tmp_path)
        assert (plan.sessions, plan.total) == (90, 100)
        done = apply(path, tmp_path / "journal")
        assert done.deleted == 90
        left = _cluster_state(nodes)
        for number, identifier in enumerate(ids):
            kept = number % 10 == 0
            for key in (f"{SPRING}:sessions:{identifier}", f"{SPRING}:sessions:expires:{identifier}"):
                assert (key.encode() in left) == kept
        minutes = [value for key, (value, _) in left.items() if b":expirations:" in key]
        assert sum(len(members) for members in minutes) == 10
        undo(tmp_path / "journal")
        assert same(before, _cluster_state(nodes)) == []
        client.close()


def test_in_a_cluster_applications_are_not_told_and_that_is_said(tmp_path: Path) -> None:
    with cluster("redis-7.0") as nodes:
        client, _ = _fill(nodes, 20)
        before = _cluster_state(nodes)
        _, path = make_plan(f"redis://127.0.0.1:{nodes[0].port}", tmp_path)
        done = apply(path, tmp_path / "journal", notify=True)
        assert done.deleted == 18
        assert ["applications were not notified" in remark for remark in done.remarks] == [True]
        undo(tmp_path / "journal")
        assert same(before, _cluster_state(nodes)) == []
        client.close()


def test_a_node_on_which_the_user_may_not_unlink_loses_nothing(tmp_path: Path) -> None:
    with cluster("redis-7.0") as nodes:
        client, _ = _fill(nodes, 100)
        client.close()
        before = _cluster_state(nodes)
        _, path = make_plan(f"redis://127.0.0.1:{nodes[0].port}", tmp_path)
        last = nodes[2]
        kept = state(last.client())
        ask(last, "ACL", "SETUSER", "default", "-unlink")
        with pytest.raises(NecropsyError, match="nothing was deleted") as stopped:
            apply(path, tmp_path / "journal", knobs=Knobs(batch=10))
        assert "ACL SETUSER" in str(stopped.value.hint)
        hashes = {key for key, (value, _) in kept.items() if isinstance(value, dict)}
        assert hashes <= state(last.client()).keys()
        ask(last, "ACL", "SETUSER", "default", "+unlink")
        undo(tmp_path / "journal")
        assert same(before, _cluster_state(nodes)) == []


def test_a_slot_that_moves_meanwhile_is_followed_or_left(tmp_path: Path) -> None:
    with cluster("redis-7.0") as nodes:
        client, ids = _fill(nodes, 60)
        plan, path = make_plan(f"redis://127.0.0.1:{nodes[0].port}", tmp_path)
        key = f"{SPRING}:sessions:{ids[1]}"
        slot = ask(nodes[0], "CLUSTER", "KEYSLOT", key)
        source = next(node for node in nodes if key.encode() in state(node.client()))
        target = next(node for node in nodes if node is not source)
        names = {node.port: ask(node, "CLUSTER", "MYID") for node in nodes}
        ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", names[source.port])
        ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", names[target.port])
        mine = ask(source, "CLUSTER", "GETKEYSINSLOT", slot, 100)
        ask(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *mine)
        done = apply(path, tmp_path / "journal")
        assert done.deleted + done.kept.total() == plan.sessions
        for node in nodes:
            ask(node, "CLUSTER", "SETSLOT", slot, "NODE", names[target.port])
        again = apply(path, tmp_path / "journal")
        assert again.deleted_before + again.deleted == plan.sessions
        assert undo(tmp_path / "journal").codes[1] == plan.sessions
        client.close()


def test_after_a_failover_behind_a_sentinel_the_purge_goes_on_with_the_new_master(tmp_path: Path) -> None:
    with running("redis-7.0", tcp=True) as server, replica_of(server, "redis-7.0") as replica:
        lines = ["sentinel down-after-milliseconds main 1000", "sentinel failover-timeout main 5000"]
        with sentinel_of({"main": server}, "redis-7.0", *lines) as port:
            ids = spring(server.client(), anonymous=400, recent=10, users=10)
            before = state(server.client())
            url = f"redis://127.0.0.1:{port}?master=main"
            wait_until(lambda: _knows_replica(port), "the Sentinel knows the replica")
            _, path = make_plan(url, tmp_path)
            order = {"redis": purging.parse_address(url), "knobs": Knobs(batch=20, rate=200)}

            def fail_over() -> None:
                wait_until(lambda: server.client().dbsize() < len(before) - 40, "some are deleted")
                redis.Redis(port=port).execute_command("SENTINEL", "FAILOVER", "main")

            beside = threading.Thread(target=fail_over)
            beside.start()
            done = apply(path, tmp_path / "journal", **order)
            beside.join()
            assert info(replica, "replication")["role"] == "master"
            assert done.deleted + done.kept.total() == 400
            client = replica.client()
            for identifier in (*ids.recent, *ids.users):
                assert client.exists(f"{SPRING}:sessions:{identifier}") == 1
            undo(tmp_path / "journal", redis=purging.parse_address(url))
            assert same(before, state(client), slack_ms=1000) == []


def _knows_replica(port: int) -> bool:
    client = redis.Redis(port=port)
    return bool(client.execute_command("SENTINEL", "REPLICAS", "main"))


@pytest.mark.parametrize("name", ["redis-6.2", "redis-7.0", "valkey-9"])
def test_a_user_with_the_printed_commands_alone_can_plan_purge_and_undo(name: str, tmp_path: Path) -> None:
    with running(name, tcp=True) as server:
        client = server.client()
        spring(client)
        before = state(client)
        plan, _ = make_plan(server.url, tmp_path)
        line = acl_line(client.info("server")["redis_version"], cluster=False)
        assert any(line in note for note in plan.notes)
        assert client.execute_command(*line.replace("PASSWORD", "hunter2").split()) in (b"OK", True)
        url = f"redis://necropsy:hunter2@127.0.0.1:{server.port}/0"
        made, path = make_plan(url, tmp_path)
        assert "hunter2" not in path.read_bytes().decode("latin-1")
        assert made.address == f"redis://127.0.0.1:{server.port}/0"
        address = purging.parse_address(url)
        assert apply(path, tmp_path / "journal", redis=address).deleted == 20
        assert undo(tmp_path / "journal", redis=address).codes[1] == 20
        assert same(before, state(client)) == []
        denied = {row[row.index(b"object") + 1].split(b"|")[0] for row in client.execute_command("ACL", "LOG")}
        assert denied <= {b"client", b"slowlog", b"latency", b"memory", b"object"}, (
            "what readers ask besides, if they may"
        )
        client.execute_command("ACL", "SETUSER", "necropsy", "-unlink")
        with pytest.raises(NecropsyError, match="nothing was deleted"):
            apply(make_plan(url, tmp_path)[1], tmp_path / "second", redis=address)
        assert same(before, state(client)) == []


def test_without_the_right_to_a_snapshot_values_are_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("necropsy.treatment.snapshot.WORTH_A_FORK", 1)
    with running("redis-8.2", "--repl-diskless-sync", "yes", tcp=True) as server:
        client = server.client()
        spring(client)
        line = acl_line(client.info("server")["redis_version"], cluster=False).replace(" +sync", "")
        client.execute_command(*line.replace("PASSWORD", "hunter2").split())
        address = purging.parse_address(f"redis://necropsy:hunter2@127.0.0.1:{server.port}/0")
        _, path = make_plan(server.url, tmp_path)
        done = apply(path, tmp_path / "journal", redis=address)
        assert (done.deleted, done.dumped) == (20, 20)
        _, path = make_plan(server.url, tmp_path)
        with pytest.raises(NecropsyError, match="sends no snapshot"):
            apply(path, tmp_path / "second", redis=address, by="snapshot")
