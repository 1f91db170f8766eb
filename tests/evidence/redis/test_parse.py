"""What a server says of itself is kept as counts, times and names; never an argument, never a password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.redis.live import read, rows
from necropsy.evidence.redis.parse import client_facts, latency_facts, pairs_facts, slowlog_facts
from necropsy.sessions.keyspace import Projection
from servers import NAMES, running
from wire.redis.nodes import ask


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9), st.integers(0, 1 << 32), st.integers(), st.lists(st.binary(min_size=8), min_size=2)
        )
    )
)
def test_arguments_of_slow_commands_are_not_kept(entries: list[tuple[int, int, int, list[bytes]]]) -> None:
    told = slowlog_facts(
        [[at, when, took, [b"GET", b"SECRET " + words[0]], b"", b""] for at, when, took, words in entries]
    )
    assert "SECRET" not in repr(told)
    assert all(value.endswith(" GET") for value in told.values())


@given(st.lists(st.text(alphabet="abcdef=: 0123456789\n", max_size=60)))
def test_no_list_of_clients_is_too_strange(lines: list[str]) -> None:
    told = client_facts("\n".join(lines), "necropsy")
    assert int(told["clients"]) >= 0


def test_clients_are_counted_by_what_they_are_not_by_who_they_are() -> None:
    listing = "\n".join(
        f"id={n} addr=10.0.0.{n % 3}:{n} name=app-{n:08x} age=9 idle={n} flags=N cmd=hgetall user=owner"
        for n in range(50)
    )
    told = client_facts(listing + "\nid=99 name=necropsy cmd=client|list flags=N idle=0", "necropsy")
    assert told == {
        "clients": "50",
        "clients:idle-most-s": "49",
        "clients:name=app-*": "50",
        "clients:cmd=hgetall": "50",
        "clients:flags=N": "50",
    }


def test_nested_answers_are_flat_facts() -> None:
    assert pairs_facts("memory", [b"a", 1, b"db.0", [b"b", b"2"]]) == {"memory:a": "1", "memory:db.0.b": "2"}


def test_an_event_of_latency_has_its_history() -> None:
    told = latency_facts([[b"command", 0, 5, 9, b"more", 1]], {"command": [[0, 5], [60, 9]]})
    assert told["latency-history:command"] == "1970-01-01T00:00:00Z=5 1970-01-01T00:01:00Z=9"


@pytest.mark.integration
@pytest.mark.parametrize("name", NAMES)
def test_real_servers_tell_their_slow_moments_and_no_secret(name: str) -> None:
    settings = ("--slowlog-log-slower-than", "0", "--latency-monitor-threshold", "1", "--enable-debug-command", "local")
    with running(name, *settings[: 4 if name == "redis-6.2" else 6], tcp=True) as server:
        ask(server, "SET", "session:6f1d2c-secret-id", "secret-value")
        ask(server, "DEBUG", "SLEEP", "0.02")
        ask(server, "CONFIG", "SET", "requirepass", "secret-password")
        live = read(f"redis://:secret-password@127.0.0.1:{server.port}", "script", Projection())
        found = rows(live, Projection())
        assert len(found) == 1
        facts = live.facts
        assert any(value.endswith(" us SET") for name_, value in facts.items() if name_.startswith("slowlog:"))
        assert "ms at" in facts["latency:command"]
        assert facts["latency-history:command"]
        assert "secret" not in repr((facts, live.note, live.absent, live.blemishes))
