"""The table [guard]: what it says, and what is wrong in it, by file and line."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from necropsy.autopsy.incident_file import load
from necropsy.guard.configuration import GuardConfig, read_guard, require_stores
from necropsy.guard.notify.plan import ReceiverRules, parse_quiet
from necropsy.guard.running import Given, Guard
from necropsy.guard.web import Request
from necropsy.model.errors import ConfigurationError, NecropsyError, NoEvidence

WHOLE = """\
access-log = []

[[store]]
name = "A"
redis = "redis://127.0.0.1:6379"

[guard]
every = "5m"
share = 0.3
full-within = "2d"
quiet = "22:00-07:00"
repeat = "never"
session = ["http_2xx=forbid"]
births = false

[[guard.tell]]
alertmanager = "http://127.0.0.1:9093"

[[guard.tell]]
slack-env = "SLACK_URL"
severity = "warning"
repeat = "1h"

[[guard.tell]]
slack-file = "slack.url"
"""


def test_everything_that_the_table_says_is_read(tmp_path: Path) -> None:
    path = tmp_path / "guard.toml"
    path.write_text(WHOLE)
    (tmp_path / "slack.url").write_text("https://hooks.example/2\n")
    config = read_guard(str(path), {"SLACK_URL": "https://hooks.example/1"})
    assert (config.every_s, config.limits.share, config.limits.full_within_s) == (300.0, 0.3, 172_800.0)
    assert config.case == str(tmp_path / "guard.watch.case")
    assert (config.session, config.births) == ({"http_2xx": "forbid"}, False)
    house, first, second = config.channels
    assert (house.rules.quiet, house.rules.repeat_s, house.holds_s) == (None, None, 1_800.0), (
        "it has silences of its own"
    )
    assert first.rules == ReceiverRules("warning", parse_quiet("22:00-07:00"), "critical", 3_600.0)
    assert second.rules.repeat_s is None
    assert [channel.name for channel in config.channels] == [
        "alertmanager (127.0.0.1:9093)",
        "slack (hooks.example)",
        "slack 2 (hooks.example)",
    ]
    assert [channel.address.reveal() for channel in config.channels[1:]] == [
        "https://hooks.example/1",
        "https://hooks.example/2",
    ]
    assert "hooks.example/1" not in repr(config)
    assert [store.name for store in load(str(path)).stores] == ["A"], "the table is no concern of an examination"


def test_a_file_without_the_table_has_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "incident.toml"
    path.write_text("rdb = []\n")
    assert read_guard(str(path), {}) == GuardConfig(case=str(tmp_path / "incident.watch.case"))


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("[guard]\nevry = 1\n", 2, "unknown name 'evry' in [guard]"),
        ('[guard]\nlisten = ""\nevery = "5"\n', 3, "every"),
        ('[guard]\nevery = "1s"\n', 2, "every is less than 10s"),
        ("[guard]\nevery = 5\n", 2, "every is a number without a unit"),
        ('[guard]\ndelegate = "127.0.0.1:9116"\n', 2, "delegate is no http or https address"),
        ("[guard]\nshare = 20\n", 2, "share is 20"),
        ("[guard]\nbirths = 1\n", 2, "births is not true or false"),
        ('[guard]\nquiet = "at night"\n', 2, "not a time span: 'at night'"),
        ('[guard]\nsession = ["http_2xx=keep"]\n', 2, "'http_2xx=keep' is not MODULE=POLICY"),
        ('[guard]\nevent = ["yesterday=deploy"]\n', 2, "not a time: 'yesterday'"),
        ("guard = 1\n", 1, "guard is not a table"),
        ("[guard]\ntell = 1\n", 2, "not a list of channels"),
        ('[[guard.tell]]\nwebhook = "http://a"\n\n[[guard.tell]]\nseverity = "warning"\n', 4, "has exactly one channel"),
        ('[[guard.tell]]\nwebhook = "http://a"\n\n[[guard.tell]]\nwebhook = "http://b"\nseverity = "high"\n', 6, "severity is 'high'"),
        ('[[guard.tell]]\nslack = "hooks.example/secret"\n', 2, "slack is not given an http or https address"),
        ('[[guard.tell]]\nslack-file = "none.url"\n', 2, "No such file"),
        ('[[guard.tell]]\nslack-env = "NOT_SET"\n', 2, "NOT_SET is not in the environment"),
        ("[guard\n", 1, "not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_and_line_and_no_secret(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    path = tmp_path / "guard.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_guard(str(path), {})
    assert raised.value.place == f"{path}:{line}"
    assert reason in raised.value.message
    assert raised.value.hint
    assert "hooks.example/secret" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ('[guard]\nevery = "10m"\n', NoEvidence, "names no store"),
        ('prometheus = ["prometheus.yml"]\n', NoEvidence, "names no store"),
        ("foo = 3\n", ConfigurationError, "unknown name 'foo'"),
        ('[[store]]\nname = "A"\n', ConfigurationError, r"without rdb or redis"),
    ],
)
def test_a_file_that_no_look_could_use_is_refused_before_the_first(
    text: str, error: type[NecropsyError], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "incident.toml"
    path.write_text(text)
    with pytest.raises(error, match=said):
        require_stores(str(path))
    with pytest.raises(error, match=said):
        Guard(path, (), print, print)


def test_before_a_look_no_number_of_notices_is_shown_as_none_are_known(tmp_path: Path) -> None:
    path = tmp_path / "incident.toml"
    path.write_text('[[store]]\nredis = "redis://127.0.0.1:1"\n')
    guard = Guard(path, (), print, print, Given("127.0.0.1:0"))
    try:
        shown = guard.site.routes["/metrics"](Request({}, {})).body
    finally:
        guard.server.server_close()
    assert "necropsy_census_up 0" in shown
    assert "necropsy_notices" not in shown


def test_a_port_that_is_taken_is_a_failure_and_no_misuse(tmp_path: Path) -> None:
    path = tmp_path / "incident.toml"
    path.write_text('[[store]]\nredis = "redis://127.0.0.1:1"\n')
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(NecropsyError, match="Address already in use") as caught:
            Guard(path, (), print, print, Given(f"127.0.0.1:{taken.getsockname()[1]}"))
    assert caught.value.exit_code == 1
