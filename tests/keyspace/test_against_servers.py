"""What a dump and the live server come to, beside what the server itself answers key for key."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from necropsy.keyspace.survey import survey
from necropsy.model.keyspace import GROUPINGS, Keyspace
from necropsy.report.commands import keys as text
from servers import NAMES, Server, running

# These Valkeys are built with libc's malloc, which no dump says: it is weighed as jemalloc, the usual one, would hold it,
# and that takes 5 % more for the one large string here.
WITHIN = dict.fromkeys(NAMES, 0.05) | {"valkey-8": 0.08, "valkey-9": 0.08}
pytestmark = pytest.mark.integration


def _fill(server: Server) -> None:
    rng = random.Random(5)
    for db in (0, 3):
        client = server.client(db)
        for number in range(300):
            client.set(f"cache:page:{number}", "x" * rng.randrange(3000), ex=rng.choice((None, 100_000, 9_000_000)))
            client.hset(f"sess:{rng.randbytes(16).hex()}", mapping={"user": number})
            client.rpush(f"queue:mail:{number % 7}", number)
            client.sadd(f"{{shop:{number}}}:tags", *range(rng.randrange(1, 20)))
            client.zadd("leaderboard", {f"player{number}": number})
    client = server.client()
    client.set("export:blob", "x" * 5_000_000)


def _told(server: Server) -> tuple[Counter[str], Counter[str], int, int]:
    """Databases, types with encodings, keys without a TTL, and the sum of MEMORY USAGE, as the server answers."""
    databases: Counter[str] = Counter()
    types: Counter[str] = Counter()
    without_ttl = memory = 0
    for db in (0, 3):
        client = server.client(db)
        for key in client.scan_iter(count=1000):
            databases[str(db)] += 1
            types[f"{client.type(key).decode()}, {client.object('encoding', key).decode()}"] += 1
            without_ttl += client.pttl(key) == -1
            memory += client.memory_usage(key, samples=0)
    return databases, types, without_ttl, memory


def _named(keyspace: Keyspace, by: str) -> dict[str, int]:
    return {row.name: row.figures.keys for row in keyspace.rows(by)}


@pytest.mark.parametrize("name", NAMES)
def test_a_dump_and_the_live_server_agree_with_what_the_server_answers(name: str) -> None:
    with running(name, tcp=True) as server:
        _fill(server)
        databases, types, without_ttl, memory = _told(server)
        live = survey([server.url.removesuffix("/0")], by=GROUPINGS, show_keys=True)
        dumped = survey([str(server.save())], by=GROUPINGS, show_keys=True)
    for found in (live, dumped):
        assert _named(found, "database") == databases
        assert _named(found, "type") == types
        assert found.total.figures.keys == databases.total()
        assert found.total.figures.without_ttl == without_ttl
        assert found.total.figures.bytes == pytest.approx(memory, rel=WITHIN[name])
        assert (found.biggest[0].name, found.biggest[0].pattern) == ("export:blob", "export:blob")
    assert _named(live, "pattern") == _named(dumped, "pattern")
    assert _named(live, "slot") == _named(dumped, "slot")
    assert _named(dumped, "pattern") == {
        "cache:page:*": 600, "sess:*": 600, "queue:mail:*": 14, "{shop:*}:tags": 600, "leaderboard": 2, "export:blob": 1,
    }  # fmt: skip


def test_a_slot_is_the_one_that_the_server_itself_computes() -> None:
    with running("redis-7.0", "--cluster-enabled", "yes") as server:
        client = server.client()
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        names = [f"key:{number}" for number in range(50)] + ["{a}b", "{}c", "{{d}}e"]
        for _ in range(100):
            if b"cluster_state:ok" in client.execute_command("CLUSTER INFO"):
                break
            time.sleep(0.1)
        for key in names:
            client.set(key, 1)
        slots = Counter(str(client.execute_command("CLUSTER KEYSLOT", key)) for key in names)
        assert _named(survey([str(server.save())], by=["slot"]), "slot") == slots


def test_a_live_server_is_compared_with_its_own_dump_of_before() -> None:
    with running("redis-7.0", tcp=True) as server:
        _fill(server)
        old = str(server.save())
        server.client().delete("export:blob")
        server.client().mset({f"cache:page:{number}": "x" for number in range(1000, 1500)})
        found = survey([server.url.removesuffix("/0")], before=[old])
    grown = {row.name: row.keys_grown for row in found.rows("pattern") if row.keys_grown}
    assert grown == {"cache:page:*": 500, "export:blob": -1}
    assert found.rows("pattern")[0].name == "export:blob"


def test_of_an_empty_database_it_is_said_which_have_keys() -> None:
    with running("redis-7.0", tcp=True) as server:
        server.client(0).mset({"a": 1, "b": 2})
        server.client(5).set("c", 3)
        found = survey([f"{server.url.removesuffix('/0')}/3"])
    assert found.total.figures.keys == 0
    shown = text.render(found)
    assert "database 0 has 2 keys, database 5 has 1 key" in " ".join(shown.split())
    assert "PATTERN" not in shown


def test_idle_times_are_told_where_the_server_keeps_them() -> None:
    with running("redis-7.0", "--maxmemory-policy", "allkeys-lru", "--maxmemory", "1gb") as server:
        _fill(server)
        found = survey([str(server.save())])
    idle = found.total.figures.idle
    assert idle[-1] == 0
    assert sum(idle) == found.total.figures.keys
