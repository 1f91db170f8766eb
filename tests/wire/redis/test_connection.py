"""Connections to real servers: let in, kept out, through TLS, and how each failure says what to do."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import UnreadableSource
from necropsy.wire.redis import connection as wire
from necropsy.wire.redis.address import Endpoint, parse_address
from necropsy.wire.redis.connection import Connection, Questions
from necropsy.wire.redis.replies import ConnectionLost, ServerError
from servers import NAMES, Server, free_port, running
from strangers import stranger
from wire.redis.nodes import ask

some = st.lists(st.binary(min_size=1, max_size=9), max_size=3)
words = st.tuples(some, some).map(lambda around: [*around[0], b"", *around[1]])


@given(st.lists(words, min_size=1, max_size=3), st.lists(st.binary(max_size=9), max_size=5))
def test_questions_are_packed_as_a_server_parses_them(commands: list[list[bytes]], keys: list[bytes]) -> None:
    import hiredis

    reader = hiredis.Reader()
    reader.feed(Questions([tuple(command) for command in commands]).packed(keys))
    asked = [reader.gets() for _ in range(len(keys) * len(commands))]
    assert asked == [[word or key for word in command] for key in keys for command in commands]
    assert not reader.has_data()


@pytest.mark.integration
@pytest.mark.parametrize("name", NAMES)
def test_answers_come_as_values_and_errors_where_they_belong(name: str) -> None:
    with running(name) as server, Connection.open(parse_address(server.url, environ={})) as connection:
        ask(server, "SET", "key", "value")
        asked = [("STRLEN", "key"), ("HLEN", "key"), ("TYPE", "none"), ("SCAN", 0)]
        length, wrong, kind, scanned = connection.pipeline(asked)
        assert (length, kind, scanned) == (5, b"none", [b"0", [b"key"]])
        assert isinstance(wrong, ServerError)
        assert wrong.kind == "WRONGTYPE"
        with pytest.raises(ServerError):
            connection.command("HLEN", "key")
        listed = ask(server, "CLIENT", "LIST").decode()
        assert "name=necropsy" in listed
        assert connection.keeps_idle_times == (name in {"redis-8.2", "valkey-8", "valkey-9"})


@pytest.mark.integration
def test_who_knows_the_password_is_let_in_and_who_does_not_is_told_where_it_goes() -> None:
    with running("redis-7.0") as server:
        ask(server, "CONFIG", "SET", "requirepass", "s3cret")
        with Connection.open(parse_address(server.url, password="s3cret", environ={})) as connection:
            assert connection.command("DBSIZE") == 0
        with Connection.open(parse_address(server.url, environ={"REDISCLI_AUTH": "s3cret"})) as connection:
            assert connection.command("DBSIZE") == 0
        for password in (None, "wr0ng"):
            with pytest.raises(UnreadableSource) as raised:
                Connection.open(parse_address(server.url, password=password, environ={}))
            assert "NECROPSY_REDIS_PASSWORD" in raised.value.hint
            assert "wr0ng" not in str(raised.value) + raised.value.hint


@pytest.mark.integration
@pytest.mark.parametrize("name", NAMES)
def test_a_user_of_the_access_list_is_let_in(name: str) -> None:
    with running(name, tcp=True) as server:
        ask(server, "ACL", "SETUSER", "reader", "on", ">pass word", "~*", "+@read", "+ping", "+client")
        url = f"redis://reader:pass%20word@127.0.0.1:{server.port}"
        with Connection.open(parse_address(url, environ={})) as connection:
            assert connection.command("SCAN", 0) == [b"0", []]
            with pytest.raises(ServerError) as raised:
                connection.command("CONFIG", "GET", "maxmemory")
            assert raised.value.forbidden


def test_a_closed_port_is_unreachable() -> None:
    with pytest.raises(UnreadableSource, match="cannot be reached") as raised:
        Connection.open(parse_address(f"redis://127.0.0.1:{free_port()}", environ={}))
    assert raised.value.hint


def test_a_socket_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="No such file"):
        Connection.open(parse_address(f"unix://{tmp_path}/none.sock", environ={}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak the protocol"),
        (b"", "closed the connection"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "LOADING"),
        (b"-DENIED Redis is running in protected mode because\r\n", "protected mode"),
    ],
)
def test_a_stranger_behind_the_port_is_recognised(text: bytes, message: str) -> None:
    with stranger(text) as port, pytest.raises(UnreadableSource, match=message) as raised:
        Connection.open(parse_address(f"redis://127.0.0.1:{port}", environ={}))
    assert raised.value.hint


def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ANSWER_TIMEOUT_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(UnreadableSource, match=r"does not answer within 0\.2 s"),
    ):
        Connection.open(parse_address(f"redis://127.0.0.1:{listener.getsockname()[1]}", environ={}))


@pytest.mark.integration
def test_a_lost_connection_is_said_so() -> None:
    with running("redis-7.0") as server, Connection.open(parse_address(server.url, environ={})) as connection:
        ask(server, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        with pytest.raises(ConnectionLost):
            connection.command("PING")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a server that it vouches for, a client, and another authority that nobody knows."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for authority in ("ca", "stranger"):
        subject = f"/CN={authority}"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject,
                "-keyout", f"{authority}.key", "-out", f"{authority}.crt")  # fmt: skip
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            f"/CN={name}",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
        )
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", f"{name}.crt")  # fmt: skip
    return folder


@pytest.fixture(scope="module", params=["redis-7.0"])
def secured(request: pytest.FixtureRequest, certificates: Path) -> Iterator[tuple[Server, int, Path]]:
    """A server that speaks TLS and wants a certificate of its clients; the wheels are built without it."""
    port = free_port()
    files = {name: str(certificates / file) for name, file in
             {"cert": "server.crt", "key": "server.key", "ca-cert": "ca.crt"}.items()}  # fmt: skip
    options = [word for name, file in files.items() for word in (f"--tls-{name}-file", file)]
    with running(request.param, "--tls-port", str(port), *options, "--tls-auth-clients", "yes") as server:
        yield server, port, certificates


@pytest.mark.integration
def test_tls_with_a_client_certificate(secured: tuple[Server, int, Path]) -> None:
    _, port, folder = secured
    files = f"ssl_ca_certs={folder}/ca.crt&ssl_certfile={folder}/client.crt&ssl_keyfile={folder}/client.key"
    address = parse_address(f"rediss://127.0.0.1:{port}?{files}", environ={})
    with Connection.open(address) as connection:
        assert connection.command("DBSIZE") == 0
    assert address.masked == f"rediss://127.0.0.1:{port}"


@pytest.mark.integration
@pytest.mark.parametrize(
    "options",
    [
        "",
        "ssl_ca_certs={f}/stranger.crt",
        "ssl_ca_certs={f}/ca.crt",
        "ssl_ca_certs={f}/none.crt",
        "ssl_ca_certs={f}/ca.key",
    ],
)
def test_tls_that_is_not_trusted_on_either_side_names_its_options(
    secured: tuple[Server, int, Path], options: str
) -> None:
    _, port, folder = secured
    with pytest.raises(UnreadableSource) as raised:
        Connection.open(parse_address(f"rediss://127.0.0.1:{port}?{options.format(f=folder)}".rstrip("?"), environ={}))
    assert "ssl_" in raised.value.hint


@pytest.mark.integration
def test_a_server_may_be_believed_without_proof_when_somebody_insists(secured: tuple[Server, int, Path]) -> None:
    _, port, folder = secured
    files = f"ssl_cert_reqs=none&ssl_certfile={folder}/client.crt&ssl_keyfile={folder}/client.key"
    with Connection.open(parse_address(f"rediss://127.0.0.1:{port}?{files}", environ={})) as connection:
        assert connection.command("DBSIZE") == 0


@pytest.mark.integration
def test_the_name_in_the_certificate_counts_unless_told_otherwise(secured: tuple[Server, int, Path]) -> None:
    _, port, folder = secured
    files = f"ssl_ca_certs={folder}/ca.crt&ssl_certfile={folder}/client.crt&ssl_keyfile={folder}/client.key"
    with pytest.raises(UnreadableSource, match="localhost"):
        Connection.open(parse_address(f"rediss://localhost:{port}?{files}", environ={}))
    lenient = parse_address(f"rediss://localhost:{port}?{files}&ssl_check_hostname=no", environ={})
    with Connection.open(lenient) as connection:
        assert connection.command("DBSIZE") == 0


@pytest.mark.integration
def test_a_plain_address_for_a_port_that_wants_tls_is_told_so(secured: tuple[Server, int, Path]) -> None:
    _, port, _ = secured
    with pytest.raises(UnreadableSource) as raised:
        Connection.open(parse_address(f"redis://127.0.0.1:{port}", environ={}))
    assert "rediss://" in raised.value.hint


def test_a_node_is_reached_with_the_credentials_of_the_address() -> None:
    port = free_port()
    with pytest.raises(UnreadableSource, match=str(port)):
        Connection.open(parse_address("redis://h", environ={}), Endpoint("127.0.0.1", port))
