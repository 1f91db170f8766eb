"""The same server scraped by the real redis_exporter (Debian 14's) and by ours: same names, labels, types and values."""

from __future__ import annotations

import re
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import servers
from exporters import redis_exporter
from necropsy.guard.exporter.target import ExporterTarget, Options
from necropsy.guard.exposition import text_of
from necropsy.wire.redis.address import parse_address

pytestmark = pytest.mark.integration

MISNAMED = "redis_db_keys_cached"
"""redis_exporter 1.86 calls the fourth field of a database so, whatever it counts; ours names it: findings/."""
OURS = "redis_db_keys_with_expiring_items"
VOLATILE = re.compile(
    r"redis_(commands_(total|duration|latencies|processed|failed|rejected)|latency_percentiles|exporter_|cpu_|net_|memory_|"
    r"mem_|allocator_|connected_clients|connections_received|errors_total|total_(reads|writes|error)|eventloop|"
    r"instantaneous|slowlog|db_avg_ttl|client_recent|uptime|start_time|instance_info|expire_cycle|rdb_saves|reply_buffer|"
    r"last_slow|connected_slave_lag|master_last_io|sentinel_master_last_ok|target_scrape|unexpected)"
)
"""Values that a scrape itself moves, or the time between two."""


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def samples(text: str) -> dict[str, str]:
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: value for name, value in rows if name.startswith("redis_") and "build_info" not in name}


def types(text: str) -> dict[str, str]:
    return dict(re.findall(r"# TYPE (redis_\S+) (\S+)", text))


def compare(port: int) -> None:
    with redis_exporter(port) as url, ThreadPoolExecutor(2) as pool:
        target = ExporterTarget("a", parse_address(f"redis://127.0.0.1:{port}", environ={}), Options(), pool)
        for _ in range(2):  # what one exporter asks, the other's INFO counts: both have asked everything then
            target.scrape(5)
            theirs = read(url)
        ours = text_of(target.scrape(5))
        target.close()
    a, b = samples(theirs), samples(ours)
    bounds = re.compile(
        r'redis_commands_latencies_usec_bucket\{cmd="[^"]+",le="\d+"\}'
    )  # come with each call's latency
    missing = {name for name in a.keys() - b.keys() if not bounds.match(name) and not name.startswith(MISNAMED)}
    extra = {name for name in b.keys() - a.keys() if not bounds.match(name) and not name.startswith(OURS)}
    assert not missing
    assert not extra
    wrong = {
        name: (kind, types(ours)[name]) for name, kind in types(theirs).items() if types(ours).get(name, kind) != kind
    }
    assert not wrong
    differing = {
        name: (a[name], b[name]) for name in a.keys() & b.keys() if a[name] != b[name] and not VOLATILE.match(name)
    }
    assert not differing


def busy(server: servers.Server) -> None:
    client = server.client()
    for number in range(50):
        client.set(f"key:{number}", "value", ex=1000 if number % 2 else None)
    client.get("key:1")
    with pytest.raises(Exception, match="not an integer"):
        client.execute_command("INCR", "key:1")


@pytest.mark.parametrize("name", ["redis-6.2", "redis-7.0", "redis-8.2", "valkey-9"])
def test_a_server_is_shown_as_redis_exporter_shows_it(name: str) -> None:
    with servers.running(name, "--latency-monitor-threshold", "100", tcp=True) as server:
        busy(server)
        compare(server.port)


def test_a_server_with_an_append_only_file_a_replica_and_its_primary(tmp_path: Path) -> None:
    with servers.running("redis-7.0", "--appendonly", "yes", "--dir", str(tmp_path), tcp=True) as primary:
        busy(primary)
        with servers.running("redis-7.0", "--replicaof", f"127.0.0.1 {primary.port}", tcp=True) as replica:
            for _ in range(100):
                if replica.client().info("replication")["master_link_status"] == "up":
                    break
                time.sleep(0.1)
            compare(primary.port)
            compare(replica.port)


def test_a_node_of_a_cluster(tmp_path: Path) -> None:
    bus = str(servers.free_port())  # by default 10,000 above the port, which may be too high
    cluster = ("--cluster-enabled", "yes", "--cluster-port", bus, "--dir", str(tmp_path))
    with servers.running("redis-7.0", *cluster, tcp=True) as node:
        compare(node.port)
