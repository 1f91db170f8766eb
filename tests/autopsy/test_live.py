"""A live store is examined as its dump is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from necropsy import autopsy
from necropsy.autopsy.sources import Sources, stores
from necropsy.model.errors import NoEvidence
from necropsy.report.terminal import document as terminal
from servers import running


def test_a_live_store_is_named_by_its_host_and_its_password_is_never_shown() -> None:
    (store,) = stores(["redis://user:hunter2@sessions.example:6379/1"])
    assert store.name == "sessions.example"
    assert store.locator.masked == "redis://sessions.example:6379/1"


@pytest.mark.parametrize(
    ("addresses", "names"),
    [
        (["redis://127.0.0.1:7001", "redis://127.0.0.1:7002"], ["127.0.0.1:7001", "127.0.0.1:7002"]),
        (["redis://:hunter2@a:6379/0", "redis://:hunter2@a:6379/1"], ["a:6379/0", "a:6379/1"]),
        (["rediss://u:p@a:1?x=2", "redis://b:1", "redis://a"], ["a:1", "b", "a"]),
        (["B=redis://a:1", "redis://a:2"], ["B", "a:2"]),
    ],
)
def test_servers_on_one_host_are_named_by_what_tells_them_apart(addresses: list[str], names: list[str]) -> None:
    assert [store.name for store in stores(addresses)] == names


@pytest.mark.integration
def test_two_servers_on_one_host_are_two_stores_with_their_own_keys() -> None:
    with running("redis-7.0", tcp=True) as one, running("redis-7.0", tcp=True) as other:
        one.client().set("sess:" + "a" * 32, '{"cookie":{"originalMaxAge":60000}}', ex=60)
        other.client().mset({f"sess:{number:032x}": '{"cookie":{"originalMaxAge":60000}}' for number in range(3)})
        named = [f"127.0.0.1:{server.port}" for server in (one, other)]
        report = autopsy.examine(Sources(stores=stores([f"redis://{address}" for address in named])))
        shown = terminal.render(report, width=100, color=False)
    assert [(store.name, store.keys) for store in report.stores] == [(named[0], 1), (named[1], 3)]
    assert all(address in shown for address in named)


@pytest.mark.integration
def test_of_an_empty_database_it_is_said_which_have_keys() -> None:
    with running("redis-7.0", tcp=True) as server:
        server.client(5).set("c", 3)
        with pytest.raises(NoEvidence, match="the store has no keys; database 5 has 1 key"):
            autopsy.examine(Sources(stores=stores([f"{server.url.removesuffix('/0')}/3"])))


def test_a_live_store_that_does_not_answer_is_absent_with_a_next_step() -> None:
    with pytest.raises(NoEvidence) as refused:
        autopsy.examine(Sources(stores=stores(["redis://:hunter2@127.0.0.1:1"])))
    assert "hunter2" not in str(refused.value)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["redis-7.0", "valkey-9"])
def test_a_live_store_and_its_dump_have_one_verdict(name: str) -> None:
    with running(name) as server:
        client = server.client()
        for number in range(400):
            key = f"sess:{number:032x}"
            client.set(
                key,
                '{"cookie":{"originalMaxAge":86400000,"expires":"2087-01-01T00:00:00.000Z","httpOnly":true,"path":"/"}}',
                px=86_400_000 - number,
            )
        dump = server.save()
        live = autopsy.examine(Sources(stores=stores([f"A={server.url}"])))
        dead = autopsy.examine(Sources(stores=stores([f"A={dump}"])))
    assert live.stores[0].sessions == dead.stores[0].sessions == 400
    assert live.stores[0].keys == dead.stores[0].keys == 400
    assert {source.reader for source in live.sources} == {"redis"}
    asked = {"memory/no-limit", "memory/fork-headroom", "memory/shared-host", "latency/persistence-stall"}
    assert {f.slug for f in live.findings} - asked == {f.slug for f in dead.findings}
    assert [cause.slug for cause in live.verdict.causes] == [cause.slug for cause in dead.verdict.causes]


@pytest.mark.integration
@pytest.mark.parametrize("name", ["redis-7.0", "valkey-9"])
def test_errors_of_an_application_are_lined_up_with_what_a_server_remembers(name: str, tmp_path: Path) -> None:
    with running(name, "--latency-monitor-threshold", "50", "--slowlog-log-slower-than", "50000") as server:
        server.client().eval("local t = redis.call('TIME')[1] + 0; while redis.call('TIME')[1] - t < 2 do end", 0)
        log = tmp_path / "error.log"
        log.write_text(
            f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}.000 ERROR a.B : RedisCommandTimeoutException: Command timed out\n"
        )
        examined = autopsy.examine(Sources(stores=stores([f"A={server.url}"]), app_log=(str(log),)))
    (finding,) = (one for one in examined.findings if one.slug == "latency/command-timeouts")
    signs = [exhibit.title for exhibit in finding.supporting]
    assert any(title.startswith("A: latency event command once, ") for title in signs)
    assert any(title.startswith("A: slow command EVAL once, ") for title in signs)
    assert any(title.startswith("A: the server was started at ") for title in signs)


def fill(put: Callable[..., object], session: str) -> None:
    """Put sessions into a store until it refuses one."""
    for number in range(20_000):
        put(f"sess:{number:032x}", session, px=86_400_000)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["redis-7.0", "valkey-9"])
def test_a_store_that_refuses_every_write_is_the_first_line_of_the_report(name: str) -> None:
    session = (
        '{"cookie":{"originalMaxAge":86400000,"expires":"2087-01-01T00:00:00.000Z","path":"/"},"basket":"'
        + "x" * 900
        + '"}'
    )
    with running(name, "--maxmemory", "4mb", "--maxmemory-policy", "noeviction") as server:
        client = server.client()
        with pytest.raises(Exception, match="used memory > 'maxmemory'"):
            fill(client.set, session)
        report = autopsy.examine(Sources(stores=stores([f"A={server.url}"])))
    first = report.verdict.causes[0]
    assert (first.slug, first.severity) == ("memory/near-limit", "critical")
    assert terminal.render(report).startswith("CAUSE  memory/near-limit")
    assert "refuses every write" in first.title
