"""A census of real stores: what it counts, what it leaves untouched, and what happens when it fails."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import servers
from necropsy.cli.census import COMMAND
from necropsy.cli.exporter import _whole, addresses, troubles
from necropsy.guard.census import worker
from necropsy.guard.census.schedule import CensusSchedule
from necropsy.guard.census.worker import Asked, Taken, decode, encode
from necropsy.guard.exposition import Family, Sample, text_of

pytestmark = pytest.mark.integration

SESSION = {
    "cookie": {"originalMaxAge": 86_400_000, "expires": "2030-01-01T00:00:00.000Z", "httpOnly": True, "path": "/"}
}


def populate(server: servers.Server, anonymous: int, users: int) -> None:
    client = server.client()
    for number in range(anonymous):
        client.set(f"sess:{number:032x}", _written(SESSION), ex=86_400 - number)
    for number in range(users):
        client.set(f"sess:{number + 10_000:032x}", _written({**SESSION, "passport": {"user": "1"}}), ex=80_000)


def _written(session: dict[str, object]) -> str:
    return json.dumps(session, separators=(",", ":"))  # as JSON.stringify writes it


def samples(census: CensusSchedule) -> dict[str, float]:
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in text_string_to_metric_families(text_of(census.families()))
        for sample in family.samples
    }


def test_sessions_are_counted_by_login_and_no_key_is_a_label() -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        populate(server, 300, 20)
        census = CensusSchedule(COMMAND, Asked((("A", f"redis://127.0.0.1:{server.port}"),)), 600)
        census.take()
        assert not census.error
        found = samples(census)
        counted = {name: value for name, value in found.items() if name.startswith("necropsy_sessions{")}
        assert sum(counted.values()) == 320
        assert [value for name, value in counted.items() if '"auth": "yes"' in name] == [20]
        text = text_of(census.families())
        assert "sess:" not in text
        assert f"{1:032x}" not in text
        assert found["necropsy_census_up{}"] == 1


def test_sessions_that_lack_one_of_their_two_keys_are_counted() -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        client, now = server.client(), int(time.time() * 1000)
        for number in range(60):
            name = f"{number:08x}-3f1c-4b8e-9c2a-{number:012x}"
            client.hset(f"spring:session:sessions:{name}", mapping={
                "creationTime": now, "lastAccessedTime": now, "maxInactiveInterval": 86_400})  # fmt: skip
            client.expire(f"spring:session:sessions:{name}", 86_700)
            if number >= 15:
                client.set(f"spring:session:sessions:expires:{name}", "", ex=86_400)
            client.sadd("spring:session:expirations:1559000000000", f"expires:{name}")
        census = CensusSchedule(COMMAND, Asked((("A", f"redis://127.0.0.1:{server.port}"),)), 600)
        census.take()
        assert samples(census)['necropsy_session_halves{"store": "A"}'] == 15


def test_a_look_for_which_little_memory_is_too_little_is_taken_with_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        populate(server, 300, 20)
        asked, tried = Asked((("A", f"redis://127.0.0.1:{server.port}"),)), []

        def noted(one: Asked, memory: str) -> Taken:
            tried.append(memory)
            return taking(one, memory)

        taking = worker._take
        monkeypatch.setattr(worker, "_MEMORY", ("1MB", "160MB"))
        monkeypatch.setattr(worker, "_take", noted)
        families = worker.take(asked).families
    assert tried == ["1MB", "160MB"]
    assert sum(sample.value for sample in families[0].samples) == 320


def long_unused(server: servers.Server) -> str:
    """Fill a store, and return a key that was not used for 500 seconds."""
    populate(server, 30, 0)
    client = server.client()
    key = f"sess:{5:032x}"
    payload = client.dump(key)
    client.unlink(key)
    client.execute_command("RESTORE", key, "86400000", payload, "IDLETIME", "500")
    return key


@pytest.mark.parametrize("policy", ["allkeys-lru", "noeviction"])
@pytest.mark.parametrize("name", servers.NAMES)
def test_a_census_makes_no_session_look_used(name: str, policy: str) -> None:
    at_once = ("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0")
    with servers.running(name, "--maxmemory-policy", policy, *at_once, tcp=True) as server:
        key = long_unused(server)
        census = CensusSchedule(COMMAND, Asked((("A", f"redis://127.0.0.1:{server.port}"),)), 600)
        census.take()
        assert not census.error
        assert server.client().object("idletime", key) >= 500


def test_an_old_server_that_saves_by_itself_is_read_by_its_dump() -> None:
    with servers.running("redis-6.2", "--maxmemory-policy", "allkeys-lru", tcp=True) as server:
        server.client().config_set("save", "3600 1000000")
        key = long_unused(server)
        census = CensusSchedule(COMMAND, Asked((("A", f"redis://127.0.0.1:{server.port}"),)), 600)
        census.take()
        assert not census.error
        assert server.client().object("idletime", key) >= 500


def test_a_store_that_cannot_be_counted_without_blinding_its_eviction_is_not_and_it_is_said_what_to_do() -> None:
    with servers.running("redis-6.2", "--maxmemory-policy", "allkeys-lru", tcp=True) as server:
        key = long_unused(server)
        census = CensusSchedule(COMMAND, Asked((("A", f"redis://127.0.0.1:{server.port}"),)), 600)
        census.take()
        assert "would make every key look recently used to allkeys-lru" in census.error
        assert server.client().object("idletime", key) >= 500


def test_a_store_that_is_gone_leaves_the_last_census_with_its_age_and_says_why() -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        populate(server, 10, 0)
        census = CensusSchedule(COMMAND, Asked((("A", f"redis://127.0.0.1:{server.port}"),)), 600)
        census.take()
    time.sleep(0.1)
    census.take()
    assert "127.0.0.1" in census.error
    found = samples(census)
    assert found["necropsy_census_up{}"] == 0
    assert found["necropsy_census_failures_total{}"] == 1
    assert found["necropsy_census_age_seconds{}"] > 0
    assert sum(value for name, value in found.items() if name.startswith("necropsy_sessions{")) == 10


def test_a_store_that_a_census_cannot_read_is_not_passed_over_in_silence() -> None:
    with servers.running("redis-7.0", tcp=True) as server, servers.running("redis-7.0", tcp=True) as other:
        populate(server, 10, 0)
        other.client().execute_command("ACL SETUSER exporter on >hunter2 +ping +info")
        stores = {"A": f"redis://127.0.0.1:{server.port}", "B": f"redis://exporter:hunter2@127.0.0.1:{other.port}"}
        told: list[str] = []
        census = CensusSchedule(COMMAND, Asked(tuple(stores.items())), 600, troubles(told.append))
        census.take()
        found = samples(census)
        assert found["necropsy_census_up{}"] == 1
        assert found['necropsy_census_store_up{"store": "A"}'] == 1
        assert found['necropsy_census_store_up{"store": "B"}'] == 0
        census.take()
        (said,) = told
        assert said.startswith("the sessions in store B are not counted: ")
        assert "hunter2" not in said + text_of(census.families())
    census.take()
    assert {value for name, value in samples(census).items() if name.startswith("necropsy_census_store_up{")} == {0.0}
    assert len(told) == 2


def test_before_the_first_census_nothing_is_shown_as_zero() -> None:
    census = CensusSchedule(COMMAND, Asked((("A", "redis://127.0.0.1:1"),)), 600)
    text = text_of(census.families())
    assert "necropsy_census_up 0" in text
    assert "necropsy_sessions" not in text
    assert "necropsy_census_age_seconds" not in text


def test_each_census_has_the_password_that_the_file_has_then(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first")
    with servers.running("redis-7.0", "--requirepass", "second", tcp=True) as server:
        ((name, address),) = addresses([f"redis://127.0.0.1:{server.port}"], file)
        url = f"redis://127.0.0.1:{server.port}"
        census = CensusSchedule(COMMAND, Asked(), 600, stores=lambda: ((name, _whole(address, url)),))
        census.take()
        assert "refused the login" in census.error
        file.write_text("second")
        census.take()
        assert samples(census)[f'necropsy_census_store_up{{"store": "{name}"}}'] == 1


def test_what_the_process_writes_is_read_back_the_same() -> None:
    families = [Family("a", "gauge", "A.", [Sample((("le", "1"), ("x", 'q"')), 1.5, "_bucket"), Sample((), 2.0)])]
    taken = Taken(families, page=b"\x00packed", unread=(("B", "refused"),))
    assert decode(encode(taken)) == taken


def test_a_store_of_many_keys_is_counted_by_its_replication_stream_at_no_cost_for_each_key() -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        client = server.client()
        pipeline = client.pipeline(transaction=False)
        for number in range(25_000):
            pipeline.set(f"sess:{number:032x}", _written(SESSION), ex=86_400)
        pipeline.execute()
        census = CensusSchedule(COMMAND, Asked((("A", f"redis://127.0.0.1:{server.port}"),)), 600)
        census.take()
        assert not census.error
        assert sum(value for name, value in samples(census).items() if name.startswith("necropsy_sessions{")) == 25_000
        asked = client.info("commandstats")
        assert asked.get("cmdstat_scan", {"calls": 0})["calls"] <= 2, "tried whether it may, no more"
        assert asked["cmdstat_sync"]["calls"] == 1
