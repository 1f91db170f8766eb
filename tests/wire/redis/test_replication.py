"""The replication stream: exactly the dump comes out, however it is framed, cut into pieces, or broken."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from necropsy.wire.redis.address import parse_address
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.gate import Gate
from necropsy.wire.redis.replication import ReplicationStream, StreamRefused, open_stream
from necropsy.wire.redis.topology import RedisNode
from servers import NAMES, running
from wire.redis.nodes import ask, info

MARK = b"0123456789abcdef0123456789abcdef01234567"


@contextmanager
def sending(*pieces: bytes) -> Iterator[tuple[Connection, socket.socket]]:
    """A connection at whose other end somebody sends these pieces and hangs up."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs, suppress(OSError):  # who has the whole dump hangs up
            for piece in pieces:
                theirs.sendall(piece)

    thread = threading.Thread(target=send)
    thread.start()
    with ours:
        yield Connection(ours, Gate(replication=True)), ours
    thread.join()


def cut(data: bytes, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    places = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(6)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@settings(max_examples=60)
@given(st.binary(max_size=3000), st.integers(0, 99), st.booleans(), st.integers(1, 200), st.binary(max_size=40))
def test_the_dump_comes_out_whatever_the_frame_and_the_pieces(
    dump: bytes, seed: int, marked: bool, wanted: int, after: bytes
) -> None:
    header = b"$EOF:" + MARK if marked else b"$%d" % len(dump)
    data = dump + (MARK if marked else b"") + after
    with sending(*cut(data, seed)) as (connection, channel):
        stream = ReplicationStream(connection, channel, header)
        taken = bytearray()
        buffer = bytearray(wanted)
        while count := stream.readinto(buffer):
            taken += buffer[:count]
    assert bytes(taken) == dump
    assert stream.why_not == ""


@pytest.mark.parametrize("header", [b"$EOF:" + MARK, b"$4000"])
def test_a_stream_that_breaks_off_gives_what_came_and_says_why(header: bytes) -> None:
    with sending(b"x" * 100, MARK[:17]) as (connection, channel):
        stream = ReplicationStream(connection, channel, header)
        assert stream.readall() == b"x" * 100 + MARK[:17]
        assert "closed the connection" in stream.why_not


@pytest.mark.parametrize("header", [b"$EOF:short", b"$", b"$-1", b"$12x"])
def test_a_frame_that_is_none_is_refused(header: bytes) -> None:
    with sending() as (connection, channel), pytest.raises(StreamRefused):
        ReplicationStream(connection, channel, header)


@pytest.mark.integration
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("diskless", ["yes", "no"])
def test_a_server_sends_the_dump_that_it_would_save(name: str, diskless: str) -> None:
    options = ("--repl-diskless-sync", diskless, "--repl-diskless-sync-delay", "0")
    with running(name, *options, tcp=True) as server:
        for number in range(500):
            ask(server, "SET", f"key:{number}", random.Random(number).randbytes(200))
        with open_stream(
            parse_address(server.url, environ={}), RedisNode(parse_address(server.url, environ={}).endpoint)
        ) as stream:
            data = stream.readall()
        assert data.startswith((b"REDIS", b"VALKEY"))
        assert data[-9] == 255  # the end, and its checksum
        assert stream.why_not == ""
        assert info(server, "stats")["sync_full"] == "1"
        assert info(server, "replication")["connected_slaves"] == "0"


@pytest.mark.integration
@pytest.mark.parametrize("name", NAMES)
def test_a_user_without_the_right_is_refused_before_anything_begins(name: str) -> None:
    with running(name, tcp=True) as server:
        ask(server, "ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+ping", "+client")
        address = parse_address(f"redis://reader:pw@127.0.0.1:{server.port}", environ={})
        with pytest.raises(StreamRefused, match="permissions"):
            open_stream(address, RedisNode(address.endpoint))
        ask(server, "ACL", "SETUSER", "reader", "+replconf")
        with pytest.raises(StreamRefused, match="permissions"):
            open_stream(address, RedisNode(address.endpoint))
        assert info(server, "stats")["sync_full"] == "0"


@pytest.mark.integration
def test_a_server_that_renamed_the_command_is_no_error() -> None:
    with running("redis-7.0", "--rename-command", "SYNC", "", tcp=True) as server:
        address = parse_address(server.url, environ={})
        with pytest.raises(StreamRefused, match="unknown command"):
            open_stream(address, RedisNode(address.endpoint))
