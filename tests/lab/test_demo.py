"""Stories staged on real servers."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
import redis

from necropsy.lab import server
from necropsy.lab.demo import stage
from necropsy.lab.life import live
from necropsy.lab.machines import milliseconds
from necropsy.lab.server import BUILDS, Build
from necropsy.lab.spring import SpringKeys, pack
from necropsy.lab.story import ADMIN_A, CRAWLED, HEALTHY, INCIDENT, JUST_FIXED, NAMED, NOW, PARTIAL_FIX
from necropsy.lab.truth import Stage
from necropsy.model.errors import NecropsyError
from servers import running as loaded

pytestmark = pytest.mark.integration

A_DAY_OF_PROBES = 8_640


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return stage(tmp_path_factory.mktemp("incident"))


@contextmanager
def _reloaded(dump: Path, build: str = "valkey-9") -> Iterator[redis.Redis]:
    """A server that has read this dump; as a replica of nobody it keeps what has expired."""
    options = ("--replicaof", "127.0.0.1", "1", "--dir", str(dump.parent), "--dbfilename", dump.name)
    with loaded(build, *options, "--enable-debug-command", "yes") as running:
        yield running.client()


def _digest(dump: Path) -> bytes:
    """What Valkey makes of all keys and values together, in whatever order they come."""
    with _reloaded(dump) as client:
        return client.execute_command("DEBUG", "DIGEST")


def _lines(logs: tuple[Path, ...]) -> list[dict[str, str]]:
    return [
        json.loads(line)
        for log in logs
        for line in (gzip.decompress(log.read_bytes()) if log.suffix == ".gz" else log.read_bytes()).splitlines()
    ]


def test_the_server_counts_the_keys_that_the_story_tells_of(incident: Stage) -> None:
    a, b = incident.stores
    for store in (a, b):
        sets = store.minute_sets + store.principal_sets
        assert store.keys == 2 * store.live + store.grace + sets
    assert (a.from_probes, b.from_probes) == (4 * A_DAY_OF_PROBES, 2 * 3 * A_DAY_OF_PROBES)


def test_the_keys_of_a_are_within_one_percent_of_what_its_configuration_predicts(incident: Stage) -> None:
    a, b = incident.stores
    assert a.predicted_keys == 70_560
    assert abs(a.keys - 70_560) < 705
    assert b.predicted_keys is None


def test_a_day_of_probes_is_complete_and_what_is_older_is_in_grace_or_gone(incident: Stage) -> None:
    a = incident.stores[0]
    creating = [target for target in incident.targets if target.creates]
    assert [(t.address, t.port, t.logged) for t in creating if t.store == "admin-a"] == [
        ("172.12.1.189", 80, True),
        ("172.12.1.189", 8080, False),
        ("172.12.1.190", 80, True),
        ("172.12.1.190", 8080, False),
    ]
    assert {t.sessions for t in creating if t.store == "admin-a"} == {A_DAY_OF_PROBES}
    assert a.grace >= 4 * 30
    assert a.minute_sets == 1_440
    assert 0 < a.authenticated + (a.anonymous - a.from_probes) < 300


def test_a_dump_can_be_read_back_whole_by_another_server(incident: Stage) -> None:
    for store in incident.stores:
        assert store.dump.read_bytes().startswith(b"VALKEY080")
        with _reloaded(store.dump) as client:  # it checks the checksum
            assert client.dbsize() == store.keys


def test_every_key_expires_when_spring_would_have_it(incident: Stage) -> None:
    life = live(INCIDENT, ADMIN_A, seed=1)
    keyspace = SpringKeys(life.all.sessions, ADMIN_A.lifetime_s, milliseconds(NOW))
    with server.running(BUILDS[0]) as store:
        store.feed(keyspace.commands())
        client = redis.Redis(unix_socket_path=str(store.socket))
        client.execute_command("CLIENT", "IMPORT-SOURCE", "ON")
        for session in keyspace.live[:: len(keyspace.live) // 50]:
            expiry = session.written_ms + 86_400_000
            assert client.pexpiretime(f"spring:session:sessions:{session.id}") == expiry + 300_000
            assert client.pexpiretime(f"spring:session:sessions:expires:{session.id}") == expiry
        for session in keyspace.grace:
            assert 0 < client.pexpiretime(f"spring:session:sessions:{session.id}") - milliseconds(NOW) <= 300_000
            assert not client.exists(f"spring:session:sessions:expires:{session.id}")
        probed = next(session for session in keyspace.live if session.id in life.probed["a1", 8080])
        hashed = client.hgetall(f"spring:session:sessions:{probed.id}")
        assert {name: len(value) for name, value in hashed.items()} == {
            b"creationTime": 82,
            b"lastAccessedTime": 82,
            b"maxInactiveInterval": 81,
        }
        index = next(client.scan_iter("*PRINCIPAL_NAME_INDEX_NAME:*", count=100_000))
        assert client.ttl(index) == -1
        client.close()


def test_the_same_seed_gives_the_same_files_and_keys_on_either_server(incident: Stage, tmp_path: Path) -> None:
    again = stage(tmp_path, build=BUILDS[1])
    for one, other in zip(incident.files, again.files, strict=True):
        assert one.relative_to(incident.folder) == other.relative_to(again.folder)
        if one.suffix != ".rdb":
            assert one.read_bytes() == other.read_bytes(), one.name
    assert incident.session_ids == again.session_ids
    for one, other in zip(incident.stores, again.stores, strict=True):
        assert other.dump.read_bytes().startswith(b"REDIS0009")
        assert _digest(one.dump) == _digest(other.dump)


def test_another_seed_gives_other_people_and_the_same_probes(incident: Stage, tmp_path: Path) -> None:
    other = stage(tmp_path, seed=2)
    assert [store.from_probes for store in other.stores] == [store.from_probes for store in incident.stores]
    assert not set(other.session_ids) & set(incident.session_ids)
    assert abs(other.stores[0].keys - 70_560) < 705


def test_a_day_of_log_lines_shows_the_four_kinds_of_visitors(incident: Stage) -> None:
    for store in incident.stores:
        lines = _lines(store.access_logs)
        times = [datetime.fromisoformat(line["@timestamp"]) for line in lines]
        assert (NOW - min(times)).total_seconds() < 86_400 + 1
        assert max(times) <= NOW
        probed = Counter(line["request"] for line in lines if line["http_user_agent"] == "Go-http-client/1.1")
        servers = len(store.nginx)
        assert probed == {
            "GET / HTTP/1.1": A_DAY_OF_PROBES * servers,
            "GET /login HTTP/1.1": A_DAY_OF_PROBES * servers,
        }
        agents = {line["http_user_agent"].split("/")[0] for line in lines}
        assert agents == {"Go-http-client", "ELB-HealthChecker", "Consul Health Check", "Mozilla"}


def test_no_log_and_no_configuration_holds_a_session_id_or_a_principal(incident: Stage) -> None:
    secret = {identifier.encode() for identifier in incident.session_ids}
    for path in incident.files:
        if path.suffix == ".rdb":
            continue
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert b"@corp.example" not in text
        assert not secret.intersection(re.findall(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))


def test_the_incident_file_names_every_source_relative_to_itself(incident: Stage) -> None:
    document = tomllib.loads(incident.incident.read_text())
    assert document.pop("now") == NOW
    stores = document.pop("store")
    assert [store["name"] for store in stores] == ["admin-a", "admin-b"]
    named = [entry.rpartition("=")[2] for entries in document.values() for entry in entries]
    named += [store["rdb"] for store in stores]
    assert {incident.folder / name for name in named} == set(incident.files) - {incident.incident}
    assert str(incident.folder) not in incident.incident.read_text()


def test_real_nginx_accepts_its_configuration(incident: Stage, tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed: apt-get install nginx")
    for path in incident.stores[0].nginx:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        elsewhere = "".join(f"{kind}_temp_path {tmp_path}/{kind}; " for kind in kinds)
        text = path.read_text().replace("/var/log/nginx", str(tmp_path)).replace("listen 80;", "listen 8099;")
        text = text.replace("http {", f"http {{ {elsewhere}", 1)
        changed = tmp_path / "nginx.conf"
        changed.write_text(text)
        answer = subprocess.run(
            [nginx, "-t", "-e", "stderr", "-c", str(changed), "-p", str(tmp_path), "-g", f"pid {tmp_path}/pid;"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr


def test_a_partial_fix_leaves_half(tmp_path: Path) -> None:
    staged = stage(tmp_path, story=PARTIAL_FIX)
    assert staged.stores[0].from_probes == 2 * A_DAY_OF_PROBES
    assert staged.stores[0].predicted_keys == 36_000
    assert abs(staged.stores[0].keys - 36_000) < 500


def test_six_hours_after_the_fix_a_quarter_is_gone(tmp_path: Path) -> None:
    staged = stage(tmp_path, story=JUST_FIXED)
    assert staged.stores[0].from_probes == 4 * A_DAY_OF_PROBES * 3 // 4
    assert not any(target.creates for target in staged.targets)


def test_a_healthy_store_holds_people_alone(tmp_path: Path) -> None:
    staged = stage(tmp_path, story=HEALTHY)
    (store,) = staged.stores
    assert store.from_probes == store.from_bot == 0
    assert store.grace < 10  # those who left at this time yesterday
    assert 300 < store.authenticated < 1_000
    assert store.anonymous < 60


def test_a_crawled_store_has_no_prober_and_no_comb(tmp_path: Path) -> None:
    staged = stage(tmp_path, story=CRAWLED)
    (store,) = staged.stores
    assert staged.targets == ()
    assert staged.prometheus is None
    assert store.from_bot > 0.95 * store.live


def test_sessions_of_the_named_story_hold_the_request_of_the_prober(tmp_path: Path) -> None:
    staged = stage(tmp_path, story=NAMED)
    assert [target.port for target in staged.targets if target.creates] == [8080, 8080]
    assert staged.stores[0].from_probes == 2 * A_DAY_OF_PROBES
    life = live(NAMED, NAMED.admins[0], seed=1)
    keyspace = SpringKeys(life.all.sessions, NAMED.admins[0].lifetime_s, milliseconds(NOW))
    probed = next(session for session in keyspace.live if session.id in life.probed["a1", 8080])
    with server.running(BUILDS[0]) as store:
        store.feed(keyspace.commands())
        client = redis.Redis(unix_socket_path=str(store.socket))
        client.execute_command("CLIENT", "IMPORT-SOURCE", "ON")
        held = client.hget(f"spring:session:sessions:{probed.id}", "sessionAttr:SPRING_SECURITY_SAVED_REQUEST")
        client.close()
    assert b"kube-probe/1.14" in held
    assert b"172.12.1.189:8080" in held


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_each_embedded_server_keeps_what_has_expired(build: Build, tmp_path: Path) -> None:
    dump = tmp_path / "dump.rdb"
    with server.running(build) as store:
        folder = store.socket.parent
        assert store.feed([pack(b"APPEND", b"key", b""), pack(b"PEXPIREAT", b"key", b"1558724400000")]) == 2
        assert store.size() == 1
        store.save(dump)
    assert dump.stat().st_size > 100
    assert not folder.exists()


def test_a_refused_command_is_told_with_the_reason() -> None:
    with server.running() as store, pytest.raises(NecropsyError, match="refused a command: WRONGTYPE"):
        store.feed([pack(b"APPEND", b"key", b""), pack(b"SADD", b"key", b"member")])


def test_without_a_server_there_is_a_hint() -> None:
    missing = Build("none", lambda: "", (), ())
    with (
        pytest.raises(NecropsyError, match="no embedded server: none is not installed") as caught,
        server.running(missing),
    ):
        pass
    assert caught.value.hint == "pip install 'necropsy[demo]'"


def test_a_server_that_does_not_start_says_why() -> None:
    broken = Build("broken", BUILDS[0].locate, ("--no-such-option", "1"), ())
    with pytest.raises(NecropsyError, match="did not start"), server.running(broken):
        pass
