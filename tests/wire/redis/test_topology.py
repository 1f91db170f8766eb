"""One server, its replica, the master behind a Sentinel, a Cluster: an address leads to the nodes that have the keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from necropsy.model.errors import UnreadableSource, UsageError
from necropsy.wire.redis.address import parse_address
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.topology import Topology, discover
from servers import Server, running
from waiting import wait_until
from wire.redis.nodes import ask, cluster, info, replica_of, sentinel_of, write_to_cluster

pytestmark = pytest.mark.integration


def found(url: str, **environ: str) -> Topology:
    return discover(parse_address(url, environ=environ))


def ports(topology: Topology) -> list[int]:
    return sorted(node.endpoint.port for node in topology.nodes)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    """A primary and its replica."""
    with running("redis-7.0", "--repl-diskless-sync-delay", "0", tcp=True) as primary:
        ask(primary, "SET", "key", "value")
        with replica_of(primary, "redis-7.0") as replica:
            yield primary, replica


def test_a_server_is_its_own_node(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    for server in (primary, replica):
        topology = found(server.url)
        assert (topology.kind, ports(topology)) == ("single", [server.port])


def test_a_primary_can_be_spared_by_reading_its_replica(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    wait_until(lambda: "state=online" in info(primary, "replication").get("slave0", ""), "the replica is online")
    topology = found(primary.url + "?from=replicas")
    assert ports(topology) == [replica.port]
    assert str(replica.port) in topology.remarks[0]


def test_without_a_replica_the_primary_is_read_and_it_is_said() -> None:
    with running("redis-6.2", tcp=True) as server:
        topology = found(server.url + "?from=replicas")
        assert ports(topology) == [server.port]
        assert "no replica" in topology.remarks[0]


def test_a_sentinel_leads_to_its_master_and_to_its_replica(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    with sentinel_of({"sessions": primary}, "redis-7.0") as port:
        topology = found(f"redis://127.0.0.1:{port}")
        assert (topology.kind, ports(topology)) == ("sentinel", [primary.port])
        assert "sessions" in topology.remarks[0]
        url = f"redis://127.0.0.1:{port}?from=replicas"
        wait_until(lambda: ports(found(url)) == [replica.port], "the Sentinel knows the replica")


def test_a_sentinel_of_several_masters_wants_to_know_which(pair: tuple[Server, Server]) -> None:
    primary, _ = pair
    with running("redis-7.0", tcp=True) as other, sentinel_of({"a": primary, "b": other}, "redis-7.0") as port:
        for option in ("", "?master=c"):
            with pytest.raises(UsageError) as raised:
                found(f"redis://127.0.0.1:{port}{option}")
            assert "one of: a, b" in raised.value.hint
        assert ports(found(f"redis://127.0.0.1:{port}?master=b")) == [other.port]


def test_store_and_sentinel_may_have_a_password_each_or_one_of_them_none() -> None:
    with running("redis-7.0", tcp=True) as server:
        ask(server, "CONFIG", "SET", "requirepass", "data")
        auth = "sentinel auth-pass m data"
        with sentinel_of({"m": server}, "redis-7.0", auth) as port:
            assert ports(found(f"redis://127.0.0.1:{port}", REDISCLI_AUTH="data")) == [server.port]
        with sentinel_of({"m": server}, "redis-7.0", auth, "requirepass watch") as port:
            url = f"redis://127.0.0.1:{port}"
            with pytest.raises(UnreadableSource) as raised:
                found(url, REDISCLI_AUTH="data")
            assert "PASSWORD" in raised.value.hint
            environ = {"REDISCLI_AUTH": "data", "NECROPSY_SENTINEL_PASSWORD": "watch"}
            assert ports(found(url, **environ)) == [server.port]


@pytest.mark.parametrize("name", ["redis-7.0", "valkey-9"])
def test_a_cluster_is_all_of_its_primaries_or_their_replicas(name: str) -> None:
    with cluster(name, replicas=True) as nodes:
        topology = found(nodes[1].url)
        assert (topology.kind, topology.missing_slots) == ("cluster", 0)
        assert ports(topology) == sorted(node.port for node in nodes[:3])
        assert not any(node.replica for node in topology.nodes)
        from_replicas = found(nodes[1].url + "?from=replicas")
        assert ports(from_replicas) == sorted(node.port for node in nodes[3:])
        assert all(node.replica for node in from_replicas.nodes)
        write_to_cluster(nodes, {b"key:%d" % number: b"v" for number in range(60)})
        wait_until(lambda: sum(ask(node, "DBSIZE") for node in nodes[3:]) == 60, "the replicas have the keys")
        address = parse_address(nodes[0].url, environ={})
        for node in from_replicas.nodes:
            with Connection.open(address, node.endpoint, replica=True) as connection:
                _, keys = connection.command("SCAN", 0, "COUNT", 1000)
                assert all(kind == b"string" for kind in connection.pipeline([("TYPE", key) for key in keys]))


def test_slots_that_nobody_serves_are_counted() -> None:
    with cluster("redis-7.0") as nodes:
        ask(nodes[2], "CLUSTER", "DELSLOTSRANGE", 16000, 16383)
        wait_until(lambda: found(nodes[2].url).missing_slots == 384, "the node knows that it lost its slots")
