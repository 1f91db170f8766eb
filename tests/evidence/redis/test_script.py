"""The script is made of what the user may say; its text passes the gate in every combination."""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.evidence.redis.page import KeyWords
from necropsy.evidence.redis.permissions import WISHES, Permission, Permissions
from necropsy.evidence.redis.script import ScriptWay, read_reply
from necropsy.evidence.redis.script_text import compose
from necropsy.model.errors import UnreadableSource
from necropsy.sessions.keyspace import Projection
from necropsy.wire.redis.connection import Connection, PackedCommand
from necropsy.wire.redis.gate import Gate, script_commands
from necropsy.wire.redis.replies import ServerError

ALL = frozenset(wish.name for wish in WISHES)
RICH = Projection(string_bytes=9, hash_fields=((b"f", 3),), members_of=(b"m",))


def permissions(granted: frozenset[str]) -> Permissions:
    return Permissions({name: Permission.GRANTED if name in granted else Permission.FORBIDDEN for name in ALL})


def said(script: str) -> set[str]:
    return {b" ".join(words).decode() for words in script_commands(script)}


@given(st.frozensets(st.sampled_from(sorted(ALL))), st.booleans())
def test_nothing_is_in_it_that_is_forbidden_and_the_gate_admits_it(granted: frozenset[str], lfu: bool) -> None:
    granted |= {"scan", "type"}
    script = compose(permissions(granted), RICH, lfu=lfu)
    Gate().admit(script)
    assert "@" not in script
    words = {
        wish.name: " ".join(word for word in wish.words[:2] if word.isupper() and word.isalpha()) for wish in WISHES
    }
    for name in ALL - granted:
        assert words[name] not in said(script), name


class Declaring:
    """As Dragonfly answers, which no package brings: a script may touch no key that it was not given by name."""

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []

    def send_with(self, words: list[bytes], *rest: PackedCommand) -> None:
        assert rest[0].words > 0
        self.asked.append(words)

    def receive(self, count: int) -> list[ServerError]:
        return [ServerError("ERR script tried accessing undeclared key")] * count


def test_a_server_that_lets_a_script_touch_no_key_it_finds_is_told_before_the_scan() -> None:
    server = Declaring()
    with pytest.raises(UnreadableSource, match=r"scripts cannot be used: .*undeclared key"):
        ScriptWay(server, Gate(), permissions(ALL), RICH, KeyWords(), lfu=False)  # type: ignore[arg-type]
    assert {command[3] for command in server.asked} == {b"0"}, "it was tried out on keys that it finds"
    assert "'undeclared'" in compose(permissions(ALL), RICH, lfu=False), "the script hands this error on"


def test_nothing_is_in_it_that_is_not_wanted() -> None:
    script = compose(permissions(ALL), Projection(), lfu=False)
    assert not said(script) & {"HMGET", "GETRANGE", "OBJECT FREQ", "PTTL"}


def test_no_value_is_read_before_its_idle_time() -> None:
    for lfu, wanted in itertools.product((False, True), (RICH,)):
        script = compose(permissions(ALL), wanted, lfu=lfu)
        loop = script[script.index("for i = 1, #names do") :]
        asked = loop.index("'OBJECT', 'FREQ'" if lfu else "'OBJECT', 'IDLETIME'")
        for value in ("at_once(key)", "careful(key)", "'SMEMBERS'", "'ZRANGE'", "'GETRANGE'"):
            assert asked < loop.index(value)


def reply(
    keys: Sequence[bytes], *, cursor: bytes = b"7", left: Sequence[bytes] = (), sizes: bytes | None = None
) -> list[Any]:
    """Return what the script returns of strings that were asked everything."""
    told = sizes if sizes is not None else b"".join(len(key).to_bytes(4, "little") for key in keys)
    many = len(keys)
    dense: list[list[Any]] = [[None] * many, [1] * many, [1] * many, [2] * many, [2] * many, [None] * many, [60] * many]
    return [cursor, list(left), [], 0, 0, 0, 5, [b"string", b"embstr"], b"".join(keys), told, bytes(many), *dense,
            [], [], [], [], [], [], [], [], [], []]  # fmt: skip


def packed(reply: Any) -> bytes:
    if isinstance(reply, list):
        return b"*%d\r\n" % len(reply) + b"".join(map(packed, reply))
    if isinstance(reply, bytes):
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    return b"$-1\r\n" if reply is None else b":%d\r\n" % reply


@given(st.lists(st.binary(max_size=300), max_size=9))
def test_keys_that_come_as_one_text_come_apart_again(keys: list[bytes]) -> None:
    answer = read_reply(reply(keys), KeyWords())
    assert (answer.unpack().keys, answer.keys) == (keys, len(keys))


@pytest.mark.parametrize("sizes", [b"", b"\1\0\0", b"\1\0\0\0\2\0\0\0", b"\4\0\0\0"])
def test_lengths_that_are_not_those_of_the_keys_are_odd(sizes: bytes) -> None:
    with pytest.raises(ValueError, match="keys"):
        read_reply(reply([b"abc"], sizes=sizes), KeyWords()).unpack()


@pytest.mark.parametrize("left", [[], [b"k"]])
def test_the_next_slice_is_asked_for_as_soon_as_its_cursor_is_known_and_nothing_was_left(left: list[bytes]) -> None:
    ours, servers = socket.socketpair()
    with ours, servers:
        ours.settimeout(5)
        servers.settimeout(5)
        servers.sendall(packed(reply([])) * 2)  # to the trial
        gate = Gate()
        way = ScriptWay(Connection(ours, gate), gate, permissions(ALL), Projection(), KeyWords(), lfu=False)
        data = packed(reply([b"a", b"bc"], cursor=b"12", left=left))
        rest = data[60:]
        servers.sendall(data[:60])
        gone_on = []

        def go_on(cursor: bytes) -> None:
            gone_on.append(cursor)
            servers.sendall(rest)  # it comes after that, and not before

        if left:
            servers.sendall(rest)
        answer = way.answer(go_on)
        assert (gone_on, answer.cursor, answer.left) == ([] if left else [b"12"], b"12", left)
        assert answer.unpack().keys == [b"a", b"bc"]
        asked = servers.recv(1 << 20)
        assert re.findall(rb"EVALSHA_RO", asked)
