"""Errors of a server are told apart, and hold nothing of what was asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from necropsy.wire.redis.info import databases, number, parse_info
from necropsy.wire.redis.replies import ServerError


def test_what_is_forbidden_is_told_from_what_is_forbidden_on_this_key() -> None:
    for text in (
        "NOPERM this user has no permissions to run the 'memory' command or its subcommand",
        "NOPERM User u has no permissions to run the 'memory|usage' command",
    ):
        assert (ServerError(text).forbidden, ServerError(text).about_keys) == (True, False)
    for text in (
        "NOPERM this user has no permissions to access one of the keys used as arguments",
        "NOPERM No permissions to access a key",
    ):
        assert (ServerError(text).forbidden, ServerError(text).about_keys) == (False, True)


def test_an_unknown_command_is_recognised() -> None:
    for text in (
        "ERR unknown command 'X'",
        "ERR unknown subcommand 'X'. Try MEMORY HELP.",
        "ERR Unknown subcommand or wrong",
    ):
        assert ServerError(text).unknown
    assert not ServerError("ERR An LFU maxmemory policy is not selected").unknown


@given(st.text(alphabet=st.characters(blacklist_characters="'"), max_size=30))
def test_arguments_are_cut_off(argument: str) -> None:
    error = ServerError(f"ERR unknown command 'X', with args beginning with: 'id-4711{argument}' ")
    quoted = ServerError(f"WRONGTYPE something about 'id 4711{argument}' here")
    assert "4711" not in str(error) + repr(error) + str(quoted)


@given(st.binary(max_size=300))
def test_no_info_is_too_strange_to_be_read(answer: bytes) -> None:
    fields = parse_info(answer)
    assert all(isinstance(count, int) for count in databases(fields).values())
    assert isinstance(number(fields, "maxmemory"), int)


def test_info_has_the_keys_of_each_database() -> None:
    info = parse_info(b"# Keyspace\r\ndb0:keys=7,expires=7,avg_ttl=1\r\ndb2:keys=1,expires=0,avg_ttl=0\r\n")
    assert databases(info) == {0: 7, 2: 1}
