"""Which store a plan is for, and what is said when it takes no writes."""

from __future__ import annotations

import random
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from necropsy.evidence.redis.options import LiveOptions
from necropsy.model.errors import NecropsyError, UsageError
from necropsy.treat.purge import plan as plans
from necropsy.treat.purge import stores
from necropsy.treat.purge.batch import Unlinker
from necropsy.treat.purge.control import Knobs
from necropsy.treat.purge.stores import Primary, TreatmentError
from necropsy.treatment import capping, purging
from necropsy.wire.redis.address import parse_address
from servers import Server, free_port, running
from treat.purge.population import (
    HOUR,
    SPRING,
    apply,
    carts,
    make_plan,
    same,
    spring,
    state,
    undo,
    write_spring,
)
from wire.redis.nodes import ask, cluster, info, replica_of, wait_until

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("planned", "said"), [("/0", "database 0"), ("", "all databases")])
def test_a_plan_is_not_applied_to_another_database_than_its_own(planned: str, said: str, tmp_path: Path) -> None:
    """There all of its sessions would seem to be gone."""
    with running("redis-7.0", tcp=True) as server:
        spring(server.client(), anonymous=4)
        base = f"redis://127.0.0.1:{server.port}"
        _, path = make_plan(base + planned, tmp_path)
        with pytest.raises(UsageError, match=f"made for {said}, not for database 3"):
            apply(path, tmp_path / "journal", redis=purging.parse_address(f"{base}/3"))
        assert apply(path, tmp_path / "journal", redis=purging.parse_address(base)).deleted == 4


def test_a_server_that_lacks_replicas_is_said_to_and_the_same_command_goes_on(tmp_path: Path) -> None:
    with running("redis-7.0") as server:
        client = server.client()
        spring(client, anonymous=6)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        client.config_set("min-replicas-to-write", 1)
        with pytest.raises(NecropsyError, match="NOREPLICAS") as refused:
            apply(path, tmp_path / "journal")
        assert "connect them" in str(refused.value.hint)
        assert same(before, state(client)) == []
        client.config_set("min-replicas-to-write", 0)
        assert apply(path, tmp_path / "journal").deleted == 6
        client.config_set("min-replicas-to-write", 1)
        with pytest.raises(NecropsyError, match="NOREPLICAS") as refused:
            undo(tmp_path / "journal")
        assert "connect them" in str(refused.value.hint)
        client.config_set("min-replicas-to-write", 0)
        undo(tmp_path / "journal")
        assert same(before, state(client)) == []


def test_a_master_that_hands_over_is_named_and_the_purge_goes_on_at_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "_PATIENCE_S", (0.1, 0.2))
    with running("redis-7.0", tcp=True) as server, replica_of(server, "redis-7.0") as replica:
        spring(server.client(), anonymous=200, recent=5, users=5)
        before = state(server.client())
        _, path = make_plan(server.url, tmp_path)
        handed: list[Any] = []

        def hand_over(progress: Any) -> None:
            if progress.deleted >= 40 and not handed:
                handed.append(ask(server, "FAILOVER"))
                wait_until(lambda: info(replica, "replication")["role"] == "master", "the replica is a master")

        order = purging.PurgeOrder(path, tmp_path / "journal", knobs=Knobs(batch=20))
        with pytest.raises(TreatmentError, match="replica") as stopped:
            purging.apply_plan(order, LiveOptions(), hand_over, confirm=lambda _plan: True)
        assert handed == [b"OK"]
        assert "master" in str(stopped.value.hint)
        address = purging.parse_address(replica.url)
        done = apply(path, tmp_path / "journal", redis=address)
        assert done.deleted_before + done.deleted == 200
        found = undo(tmp_path / "journal", redis=address)
        assert found.sessions == 200, "who was asked for twice was deleted once"
        assert same(before, state(replica.client())) == []


def test_what_was_asked_for_and_never_done_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running("redis-7.0") as server:
        spring(server.client(), anonymous=30)
        before = state(server.client())
        _, path = make_plan(server.url, tmp_path)

        def lost(self: Unlinker, *_: Any) -> Any:
            raise TreatmentError("the store does not come back", hint="Give the same command again once it is back.")

        with monkeypatch.context() as broken:
            broken.setattr(Unlinker, "delete", lost)
            with pytest.raises(TreatmentError, match="does not come back"):
                apply(path, tmp_path / "journal")
        assert same(before, state(server.client())) == []
        done = apply(path, tmp_path / "journal")
        assert (done.deleted_before, done.deleted) == (0, 30)
        found = undo(tmp_path / "journal")
        assert (found.sessions, found.codes[1]) == (30, 30)
        assert same(before, state(server.client())) == []


def _fill(nodes: list[Server], count: int) -> list[str]:
    """Write sessions to a Cluster, every tenth of them logged in."""
    rng, now, ids = random.Random(7), int(time.time() * 1000), []
    with redis.RedisCluster(host="127.0.0.1", port=nodes[0].port, protocol=2) as client:
        for number in range(count):
            ids.append(str(uuid.UUID(int=rng.getrandbits(128), version=4)))
            write_spring(client, ids[-1], now - 2 * HOUR, user=number % 10 == 0)
    return ids


def _everything(nodes: list[Server]) -> dict[bytes, Any]:
    return {key: value for node in nodes for key, value in state(node.client()).items()}


def _move(source: Server, target: Server, nodes: list[Server], *, empty: bool = False) -> int:
    """Move the keys of a node with their slots to another, ``empty`` slots as well; return how many.

    Some slots stay: who loses the last one becomes a replica.
    """
    names = {node.port: ask(node, "CLUSTER", "MYID") for node in nodes}
    bounds = next((row[0], row[1]) for row in ask(source, "CLUSTER", "SLOTS") if row[2][1] == source.port)
    moved = 0
    for slot in range(bounds[0], bounds[1] - 20):
        keys = ask(source, "CLUSTER", "GETKEYSINSLOT", slot, 1000)
        if keys or empty:
            ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", names[source.port])
            ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", names[target.port])
            if keys:
                ask(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
            for node in (target, source, *nodes):
                ask(node, "CLUSTER", "SETSLOT", slot, "NODE", names[target.port])
            moved += len(keys)
    return moved


def test_slots_that_are_handed_over_meanwhile_leave_no_markers_behind(tmp_path: Path) -> None:
    with cluster("redis-7.0") as nodes:
        ids = _fill(nodes, 200)
        before = _everything(nodes)
        _, path = make_plan(f"redis://127.0.0.1:{nodes[0].port}", tmp_path)
        moved: list[int] = []

        def hand_over(progress: Any) -> None:
            if progress.deleted >= 10 and not moved:
                moved.append(_move(nodes[2], nodes[0], nodes))

        order = purging.PurgeOrder(path, tmp_path / "journal", knobs=Knobs(batch=7))
        first = purging.apply_plan(order, LiveOptions(), hand_over, confirm=lambda _plan: True)
        assert first is not None
        assert moved
        assert moved[0] > 0
        second = apply(path, tmp_path / "journal")
        assert second.deleted_before + second.deleted == 180
        left = _everything(nodes)
        markers = {key for key in left if b":sessions:expires:" in key}
        assert markers == {f"{SPRING}:sessions:expires:{one}".encode() for one in ids[::10]}
        undo(tmp_path / "journal")
        assert same(before, _everything(nodes)) == []


def test_slots_that_are_handed_over_during_an_undo_are_followed(tmp_path: Path) -> None:
    with cluster("redis-7.0") as nodes:
        _fill(nodes, 100)
        before = _everything(nodes)
        _, path = make_plan(f"redis://127.0.0.1:{nodes[0].port}", tmp_path)
        assert apply(path, tmp_path / "journal", knobs=Knobs(batch=15)).deleted == 90
        moved: list[int] = []

        def hand_over(_done: Any) -> None:
            if not moved:
                moved.append(_move(nodes[2], nodes[0], nodes, empty=True))

        done = undo(tmp_path / "journal", report=hand_over)
        assert moved
        assert (done.sessions, done.codes[1]) == (90, 90)
        assert same(before, _everything(nodes)) == []


def test_lifetimes_are_given_back_to_sessions_that_moved_to_another_node(tmp_path: Path) -> None:
    """MIGRATE sends the time that is left: on the new node they end some milliseconds later."""
    with cluster("redis-7.0") as nodes:
        _fill(nodes, 60)
        before = _everything(nodes)
        address = parse_address(f"redis://127.0.0.1:{nodes[0].port}")
        assert capping.cap(address, 3600, LiveOptions(), journal=tmp_path / "journal").capped == 60
        assert _move(nodes[2], nodes[0], nodes) > 0
        assert capping.undo(tmp_path / "journal", redis=None).restored == 60
        assert same(before, _everything(nodes)) == []


def test_a_node_that_joined_a_cluster_since_the_plan_is_of_the_same_store(tmp_path: Path) -> None:
    bus = free_port()
    options = ("--cluster-enabled", "yes", "--cluster-port", str(bus))
    with cluster("redis-7.0") as nodes, running("redis-7.0", *options, tcp=True) as joining:
        _fill(nodes, 60)
        before = _everything(nodes)
        _, path = make_plan(f"redis://127.0.0.1:{nodes[0].port}", tmp_path)
        every = [*nodes, joining]
        ask(nodes[0], "CLUSTER", "MEET", "127.0.0.1", joining.port, bus)
        wait_until(lambda: all(_known(node) == 4 and _ready(node) for node in every), "all know each other")
        assert _move(nodes[2], joining, every) > 0
        wait_until(lambda: len({_slots(node) for node in every}) == 1, "all agree on who serves what")
        done = apply(path, tmp_path / "journal")
        assert (done.deleted, done.kept) == (54, {})
        undo(tmp_path / "journal")
        assert same(before, _everything(every)) == []


def _known(node: Server) -> int:
    return len(ask(node, "CLUSTER", "NODES").splitlines())


def _slots(node: Server) -> tuple[tuple[int, int, int], ...]:
    return tuple(sorted((row[0], row[1], row[2][1]) for row in ask(node, "CLUSTER", "SLOTS")))


def _ready(node: Server) -> bool:
    return b"cluster_state:ok" in ask(node, "CLUSTER", "INFO")


def test_a_node_of_a_cluster_whose_clock_is_ahead_makes_nobody_look_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster("redis-7.0") as nodes:
        ids = _fill(nodes, 40)
        url = f"redis://127.0.0.1:{nodes[0].port}"
        said = Primary.now_ms

        def ahead(self: Primary) -> int:
            return said(self) + (2 * HOUR if self.endpoint.port == nodes[0].port else 0)

        monkeypatch.setattr(Primary, "now_ms", ahead)
        plan, path = make_plan(url, tmp_path)
        assert plan.sessions == 36
        with redis.RedisCluster(host="127.0.0.1", port=nodes[0].port, protocol=2) as client:
            for one in ids[1:10]:  # somebody comes back
                write_spring(client, one, int(time.time() * 1000))
        done = apply(path, tmp_path / "journal")
        assert done.deleted == 27
        left = _everything(nodes)
        assert all(f"{SPRING}:sessions:{one}".encode() in left for one in ids[:10])


def test_a_full_store_that_evicts_while_it_is_read_is_said_to(tmp_path: Path) -> None:
    with running("redis-7.0", "--maxmemory-policy", "allkeys-lru") as server:
        client = server.client()
        spring(client, anonymous=1000, recent=5, users=5)
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 100_000)
        plan, path = make_plan(server.url, tmp_path)
        assert any("evicts" in note for note in plan.notes)
        client.config_set("maxmemory", 0)
        _, path = make_plan(server.url, tmp_path)
        assert not any("evicts" in remark for remark in apply(path, tmp_path / "journal", knobs=Knobs()).remarks)


def test_a_purge_that_is_done_does_not_fail_for_the_count_of_what_was_evicted(tmp_path: Path) -> None:
    with running("redis-7.0", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru", tcp=True) as server:
        spring(server.client(), anonymous=5)
        _, path = make_plan(server.url, tmp_path)

        def demote(progress: Any) -> None:
            if progress.state == "done":
                ask(server, "REPLICAOF", "127.0.0.1", free_port())

        order = purging.PurgeOrder(path, tmp_path / "journal")
        done = purging.apply_plan(order, LiveOptions(), demote, confirm=lambda _plan: True)
        assert done is not None
        assert done.deleted == 5


def test_a_client_whose_clock_is_late_trusts_no_idle_time_of_before_a_failover(tmp_path: Path) -> None:
    """When the plan was made is told by the server's clock, as is the idle time."""
    with running("valkey-9", tcp=True) as server, replica_of(server, "valkey-9") as replica:
        keys = carts(server.client(), 4)
        wait_until(lambda: len(replica.client().keys("sess:*")) == len(keys) + 1, "the replica has all")
        ask(replica, "REPLICAOF", "NO", "ONE")
        plan, path = make_plan(replica.url, tmp_path)
        key = bytes.fromhex(plans.key_file(path).read_text())
        plans.save(replace(plan, made_at="2026-01-01T00:00:00+00:00"), path, key)
        assert apply(path, tmp_path / "journal").deleted == 0
