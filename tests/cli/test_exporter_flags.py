"""Command lines and variables that were written for redis_exporter: served as there, or refused by name."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from exporters import CHECKOUT
from necropsy.cli import exporter_flags
from necropsy.cli.exporter import _whole, addresses
from necropsy.cli.exporter_flags import refuse_variables, translated
from necropsy.model.errors import UsageError
from necropsy.wire.redis.address import Tls, parse_address


@pytest.mark.parametrize(("words", "read"), [
    (["-redis.addr", "redis://a"], ["--redis.addr", "redis://a"]),
    (["--redis.addr=redis://a?db=1"], ["--redis.addr", "redis://a?db=1"]),
    (["-include-metrics-for-empty-databases=false"], ["--no-include-metrics-for-empty-databases"]),
    (["-set-client-name=false", "-log-level", "DEBUG", "-namespace", "r"], ["--namespace", "r"]),
    (["-check-search-indexes=.*"], None),
    (["-export-client-list=false"], []),
])  # fmt: skip
def test_a_command_line_of_redis_exporter_is_read(words: list[str], read: list[str] | None) -> None:
    if read is None:
        with pytest.raises(UsageError, match="check-search-indexes"):
            list(translated(words))
    else:
        assert list(translated(words)) == read


@pytest.mark.parametrize(
    "words",
    [
        ["-check-keys", "db0=*"],
        ["--count-keys=a*"],
        ["-redis.password", "p"],
        ["-basic-auth-username", "u"],
        ["-export-client-list"],
    ],
)
def test_a_flag_that_is_not_served_is_refused_by_name_with_what_to_do(words: list[str]) -> None:
    with pytest.raises(UsageError, match=words[0].lstrip("-").partition("=")[0]) as refused:
        list(translated(words))
    assert refused.value.hint


def test_a_variable_that_asks_for_what_is_not_served_is_refused_and_one_that_asks_for_nothing_is_not() -> None:
    refuse_variables(
        {"REDIS_EXPORTER_CHECK_KEYS": "", "REDIS_EXPORTER_EXPORT_CLIENT_LIST": "false", "REDIS_EXPORTER_NAMESPACE": "r"}
    )
    for name in ("CHECK_KEYS", "INCL_CONFIG_METRICS", "TLS_SERVER_KEY_FILE", "BASIC_AUTH_PASSWORD"):
        with pytest.raises(UsageError, match=f"REDIS_EXPORTER_{name}"):
            refuse_variables({f"REDIS_EXPORTER_{name}": "x"})


@pytest.mark.integration
def test_every_flag_of_the_real_one_is_served_or_known_to_be_refused_or_without_effect(
    capsys: pytest.CaptureFixture[str],
) -> None:
    subprocess.run([CHECKOUT / "tools" / "debian-release", "14"], check=True, capture_output=True)
    binary = CHECKOUT / ".tools" / "debian-14" / "usr" / "bin" / "prometheus-redis-exporter"
    said = subprocess.run([binary, "--help"], capture_output=True, text=True, check=False).stderr
    theirs = set(re.findall(r"^  -(\S+)", said, re.MULTILINE)) - {"version"}
    assert len(theirs) > 40
    from necropsy.cli.main import app

    with pytest.raises(SystemExit):
        app(["exporter", "--help"])
    ours = set(re.findall(r"--(?:no-)?([a-z][a-z0-9.-]+)", capsys.readouterr().out))
    refused: Any = exporter_flags._REFUSED
    assert theirs <= ours | set(refused) | exporter_flags._WITHOUT_EFFECT, "nothing is passed over"


def test_a_password_file_of_redis_exporter_has_one_for_each_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "of all")
    file = tmp_path / "passwords"
    file.write_text(json.dumps({"redis://10.0.0.1:6379": "of one"}))
    found = dict(addresses(["A=redis://10.0.0.1", "B=10.0.0.2:6379"], file))
    assert [address.password.reveal() for address in found.values() if address.password] == ["of one", "of all"]
    file.write_text(json.dumps({"redis://10.0.0.1:6379": "newer"}))
    now = [address.current_password for address in found.values()]
    assert [password.reveal() for password in now if password] == ["newer", "of all"]
    file.write_text('{"redis://10.0.0.1": 1}')
    with pytest.raises(UsageError, match="is not JSON with a password for each address"):
        addresses(["redis://10.0.0.1"], file)
    file.write_text("plain\n")
    ((_, address),) = addresses(["rediss://10.0.0.1"], file, "reader", Tls(ca_certificates="ca.pem"))
    assert (address.username, address.tls) == ("reader", Tls(ca_certificates="ca.pem"))


def test_the_process_that_counts_sessions_is_given_user_password_and_tls_of_the_options(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("p@ss/w\n")
    url = "rediss://10.0.0.1:6380/2?from=replicas"
    ((_, address),) = addresses([url], tmp_path / "p", "me", Tls("ca.pem", "c.pem", "k.pem", verify=False))
    read = parse_address(_whole(address, url), environ={})
    assert read.password is not None
    assert (read.username, read.password.reveal(), read.db, read.replicas) == ("me", "p@ss/w", 2, True)
    assert read.tls == address.tls
