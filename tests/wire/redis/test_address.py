"""Addresses say where and how; their passwords are nowhere else."""

from __future__ import annotations

import pickle
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import NecropsyError, UnreadableSource, UsageError
from necropsy.wire.redis.address import Endpoint, Secret, is_address, parse_address

PASSWORD = "correct horse/battery#staple?@:%"


def test_an_address_says_host_port_database_and_user() -> None:
    address = parse_address(f"redis://reader:{quote(PASSWORD, safe='')}@cache.internal:6380/3", environ={})
    assert address.endpoint == Endpoint("cache.internal", 6380)
    assert (address.db, address.username, address.tls) == (3, "reader", None)
    assert address.password is not None
    assert address.password.reveal() == PASSWORD


def test_what_is_left_out_has_defaults() -> None:
    address = parse_address("redis://", environ={})
    assert (str(address.endpoint), address.db, address.password) == ("127.0.0.1:6379", None, None)


def test_a_socket_has_a_path_and_its_database_in_an_option() -> None:
    address = parse_address("unix:///run/redis/redis.sock?db=2", environ={})
    assert (str(address.endpoint), address.db, address.masked) == (
        "/run/redis/redis.sock",
        2,
        "unix:///run/redis/redis.sock?db=2",
    )


def test_an_address_of_version_six_keeps_its_brackets() -> None:
    assert parse_address("redis://[2001:db8::1]:6390/0", environ={}).masked == "redis://[2001:db8::1]:6390/0"


def test_tls_has_its_files_and_its_doubts() -> None:
    tls = parse_address(
        "rediss://h?ssl_ca_certs=ca.pem&ssl_certfile=c.pem&ssl_keyfile=k.pem&ssl_check_hostname=no", environ={}
    ).tls
    assert tls is not None
    assert (tls.ca_certificates, tls.certificate, tls.key, tls.verify, tls.check_hostname) == (
        "ca.pem",
        "c.pem",
        "k.pem",
        True,
        False,
    )
    doubtful = parse_address("rediss://h?ssl_cert_reqs=none", environ={}).tls
    assert doubtful is not None
    assert not doubtful.verify


def test_the_password_comes_from_the_nearest_place(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("of the file\n")
    environ = {"REDISCLI_AUTH": "of the client", "NECROPSY_REDIS_PASSWORD": "of necropsy"}
    given_ = [
        parse_address("redis://:of-the-address@h", password="given", environ=environ),
        parse_address(f"redis://:of-the-address@h?password_file={file}", environ=environ),
        parse_address(f"redis://h?password_file={file}", environ=environ),
        parse_address("redis://h", environ=environ),
        parse_address("redis://h", environ={"REDISCLI_AUTH": "of the client"}),
    ]
    revealed = [address.password.reveal() for address in given_ if address.password]
    assert revealed == ["given", "of-the-address", "of the file", "of necropsy", "of the client"]


def test_a_password_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="No such file") as raised:
        parse_address(f"redis://h?password_file={tmp_path / 'none'}", environ={})
    assert raised.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "cache:6379",
        "http://h",
        "redis://h:port",
        "redis://h:99999",
        "redis://h/zero",
        "redis://h?timeout=5",
        "redis://h?from=anywhere",
        "unix://?db=1",
        "redis://h?db=-1",
    ],
)
def test_what_is_no_address_ends_in_something_to_do(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_address(url, environ={})
    assert raised.value.hint


def test_files_are_not_addresses() -> None:
    assert not any(map(is_address, ("dump.rdb", "redis", "redis:6379", "-", "a://b", "/tmp/redis://x")))  # noqa: S108


@given(
    st.text(min_size=8, max_size=40),
    st.sampled_from(["{p}@h", "u:{p}@h:1/0", ":{p}@h:x", "u:{p}@h?y=1", "{p}", "h:{p}"]),
)
def test_no_message_and_no_representation_holds_a_password(password: str, form: str) -> None:
    secret = "S3CR3T" + password
    try:
        shown = repr(parse_address("redis://" + form.format(p=secret), environ={}).password)
        address = parse_address("redis://u@h", password=secret, environ={"REDISCLI_AUTH": secret})
        shown += repr(address) + address.masked + str(address.endpoint)
    except NecropsyError as error:
        shown = error.message + error.hint + repr(error) + repr(error.__cause__)
    if "@" in form:
        assert "S3CR3T" not in shown


def test_a_secret_is_not_written_anywhere() -> None:
    secret = Secret(PASSWORD)
    assert PASSWORD not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
