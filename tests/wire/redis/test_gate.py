"""Nothing but reads gets through; and the scripts of the reader are read before they are run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.wire.redis.address import parse_address
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.gate import READS, REPLICATION, CommandRefused, Gate, script_commands
from servers import NAMES, running
from wire.redis.nodes import ask, info

WRITES = [
    "SET",
    "DEL",
    "EXPIRE",
    "FLUSHALL",
    "HSET",
    "SADD",
    "UNLINK",
    "RENAME",
    "MIGRATE",
    "RESTORE",
    "EVAL",
    "SCRIPT",
    "FUNCTION",
    "CONFIG",
    "SHUTDOWN",
    "DEBUG",
]


@pytest.mark.parametrize("command", WRITES)
def test_a_write_is_refused_in_any_spelling(command: str) -> None:
    for spelling in (command, command.lower(), command.title(), command.encode()):
        with pytest.raises(CommandRefused):
            Gate().check([spelling, "key", "value"])


@given(st.lists(st.binary(max_size=12), max_size=4))
def test_whatever_is_not_on_the_list_is_refused(words: list[bytes]) -> None:
    name = words[0].upper() if words else b""
    allowed = READS.get(name)
    second = words[1].upper() if len(words) > 1 else b""
    if allowed is not None and (b"*" in allowed or second in allowed):
        Gate().check(words)
    else:
        with pytest.raises(CommandRefused):
            Gate().check(words)


@given(st.binary(min_size=1, max_size=60))
def test_a_refusal_shows_no_key(key: bytes) -> None:
    with pytest.raises(CommandRefused) as refused:
        Gate().check([b"GETDEL", b"secret:" + key])
    assert "secret" not in str(refused.value)


def test_a_subcommand_that_writes_is_refused_beside_one_that_reads() -> None:
    Gate().check(["CONFIG", "GET", "maxmemory"])
    for words in (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG"], ["CLIENT", "KILL", "x"], ["MEMORY", "PURGE"]):
        with pytest.raises(CommandRefused):
            Gate().check(words)


def test_the_stream_is_only_for_who_was_opened_for_it() -> None:
    for words in (["SYNC"], ["REPLCONF", "capa", "eof"]):
        with pytest.raises(CommandRefused):
            Gate().check(words)
        Gate(replication=True).check(words)
    for words in (["REPLCONF", "ACK", "1"], ["PSYNC", "?", "-1"], ["SET", "a", "b"]):
        with pytest.raises(CommandRefused):
            Gate(replication=True).check(words)


def test_notices_of_writes_are_only_for_who_was_opened_for_them() -> None:
    for words in (["HELLO", "3"], ["CLIENT", "TRACKING", "ON", "BCAST"]):
        with pytest.raises(CommandRefused):
            Gate().check(words)
        Gate(notices=True).check(words)
    for words in (["SET", "a", "b"], ["CLIENT", "KILL", "x"], ["SYNC"]):
        with pytest.raises(CommandRefused):
            Gate(notices=True).check(words)


def test_a_script_is_admitted_by_its_text_alone() -> None:
    gate = Gate()
    text = "return redis.call('TYPE', ARGV[1])"
    digest = gate.admit(text)
    gate.check(["EVAL_RO", text, 0, "key"])
    gate.check(["EVALSHA", digest, 0, "key"])
    for words in (["EVAL", text + " ", 0], ["EVALSHA", b"0" * 40, 0], ["EVAL"], ["FCALL", "f", 0]):
        with pytest.raises(CommandRefused):
            gate.check(words)


@pytest.mark.parametrize(
    "script",
    [
        "return redis.call('DEL', KEYS[1])",
        "return redis.pcall('EXPIRE', KEYS[1], 1)",
        "local c = redis.call; return c('DEL', KEYS[1])",
        "return redis['call']('DEL', KEYS[1])",
        "return redis.call(ARGV[1], KEYS[1])",
        "return redis.call('D' .. 'EL', KEYS[1])",
        "return redis.call('CONFIG', ARGV[1], 'maxmemory')",
        "return redis.call('CONFIG', 'SET', 'maxmemory', '1')",
        "return _G['re' .. 'dis'].call('DEL', KEYS[1])",
        "return loadstring(ARGV[1])()",
        "return getfenv().redis.call('DEL', KEYS[1])",
        'return redis.call("DEL", KEYS[1])',
        "return redis.call([[DEL]], KEYS[1])",
        "return redis.call('TYPE', KEYS[1]) -- redis.call('TYPE', 1)",
        "return redis.call('\\68EL', KEYS[1])",
        "return server.call('DEL', KEYS[1])",
        "redis.setresp(3) return redis.call('TYPE', KEYS[1])",
    ],
)
def test_a_script_that_could_write_is_not_admitted(script: str) -> None:
    with pytest.raises(CommandRefused):
        Gate().admit(script)


def test_every_call_of_a_script_is_found() -> None:
    assert script_commands("redis.call('SCAN', '0') if redis.pcall('OBJECT','FREQ', k) then end") == [
        [b"SCAN"],
        [b"OBJECT", b"FREQ"],
    ]


@pytest.mark.integration
@pytest.mark.parametrize("name", NAMES)
def test_every_command_that_a_real_server_calls_a_write_is_refused(name: str) -> None:
    with running(name) as server:
        table = [*ask(server, "COMMAND")]
        rows = table + [sub for row in table if len(row) > 9 for sub in row[9]]
        writes = [row[0] for row in rows if b"write" in {bytes(flag) for flag in row[2]}]
        reads = [row[0] for row in rows if b"write" not in {bytes(flag) for flag in row[2]}]
        assert len(writes) > 80
        assert b"get" in reads
        with Connection.open(parse_address(server.url, environ={})) as connection:
            for command in writes:
                words = command.split(b"|")
                for gate in (Gate(), Gate(replication=True)):
                    with pytest.raises(CommandRefused):
                        gate.check([*words, b"key", b"1", b"1"])
                with pytest.raises(CommandRefused):
                    connection.command(*words, b"key", b"1", b"1")
                with pytest.raises(CommandRefused):
                    connection.pipeline([(b"PING",), (*words, b"key", b"1")])
        said = {
            field.removeprefix("cmdstat_") for field in info(server, "commandstats") if field.startswith("cmdstat_")
        }
        assert not said & {command.decode() for command in writes}
        assert ask(server, "DBSIZE") == 0


@pytest.mark.integration
@pytest.mark.parametrize("name", NAMES)
def test_every_command_on_the_list_is_a_read_to_a_real_server(name: str) -> None:
    with running(name) as server:
        flags = {row[0].upper(): {bytes(flag) for flag in row[2]} for row in ask(server, "COMMAND")}
        known = [command for command in (*READS, *REPLICATION) if command in flags]
        assert len(known) > 30
        assert not [command for command in known if b"write" in flags[command]]
