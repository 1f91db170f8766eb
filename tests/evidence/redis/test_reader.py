"""Stores of several nodes are one keyspace: a Cluster, its replicas, a replica alone, a Sentinel's master."""

from __future__ import annotations

import pytest

from evidence.redis.live import options, read, rows
from necropsy.sessions.keyspace import Projection
from servers import running
from waiting import wait_until
from wire.redis.nodes import ask, cluster, replica_of, sentinel_of, write_to_cluster

pytestmark = pytest.mark.integration

PLAIN = Projection(string_bytes=10)


@pytest.mark.parametrize("name", ["redis-7.0", "valkey-9"])
def test_a_cluster_is_read_whole_by_every_way(name: str) -> None:
    written = {b"key:%d" % number: b"value %d" % number for number in range(900)}
    with cluster(name) as nodes:
        write_to_cluster(nodes, written)
        for way in ("script", "pipeline", "stream"):
            live = read(nodes[0].url.removesuffix("/0"), way, PLAIN, max_impact_s=0.1, batch_rows=50)
            found = rows(live, PLAIN)
            assert {row["key"]: row["head"] for row in found} == {key: value[:10] for key, value in written.items()}
            assert len(found) == 900
            assert live.blemishes == []
            assert live.facts["nodes"] == "3"
            assert live.facts[f"127.0.0.1:{nodes[2].port}/redis-ver"] == live.facts["redis-ver"]
            assert "3 primaries side by side" in live.note
        nodes[1].process.kill()
        live = None
        with pytest.raises(Exception, match=str(nodes[1].port)):
            live = read(nodes[0].url, "script", PLAIN)
        assert live is None


def test_a_cluster_of_which_a_node_dies_gives_the_others() -> None:
    with cluster("valkey-9") as nodes:
        write_to_cluster(nodes, {b"key:%d" % number: b"v" for number in range(900)})
        live = read(nodes[0].url, "script", PLAIN, max_impact_s=0.0002, batch_rows=20)
        sizes = {node.port: ask(node, "DBSIZE") for node in nodes}
        found = rows(live, PLAIN, after=lambda batches: nodes[1].process.kill() if batches == 1 else None)
        assert len(found) >= 900 - sizes[nodes[1].port]
        for blemish in live.blemishes:
            assert str(nodes[1].port) in blemish.why
        assert len(found) == 900 or live.blemishes


@pytest.mark.parametrize("way", ["script", "pipeline", "stream"])
def test_a_replica_serves_as_its_primary_does(way: str) -> None:
    with running("redis-7.0", *options("redis-7.0"), tcp=True) as primary:
        for number in range(300):
            ask(primary, "SET", f"k:{number}", "v", "PX", 1_000_000)
        with replica_of(primary, "redis-7.0", *options("redis-7.0")) as replica:
            wait_until(lambda: ask(replica, "DBSIZE") == 300, "the replica has all keys")
            live = read(replica.url, way, PLAIN, max_impact_s=0.1)
            assert len(rows(live, PLAIN)) == 300
            assert live.facts["role"] == "slave"


def test_a_sentinel_leads_to_the_keys() -> None:
    with running("redis-7.0", tcp=True) as primary, sentinel_of({"m": primary}, "redis-7.0") as port:
        ask(primary, "SET", "key", "value")
        live = read(f"redis://127.0.0.1:{port}", "auto", PLAIN)
        assert [row["key"] for row in rows(live, PLAIN)] == [b"key"]
        assert "Sentinel" in live.note


@pytest.mark.parametrize("way", ["script", "pipeline"])  # it has no memory for a stream
def test_a_full_store_that_evicts_while_it_is_read_is_said_to(way: str) -> None:
    with running("redis-7.0", "--maxmemory-policy", "allkeys-lru") as server:
        client = server.client()
        client.mset({f"session:{number}": "x" * 100 for number in range(2000)})
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 20_000)
        opened = read(server.url, way)
        assert len(rows(opened)) < 2000
        assert "evicts" in opened.note
        client.config_set("maxmemory", 100 << 20)
        opened = read(server.url, way)
        rows(opened)
        assert "evicts" not in opened.note
