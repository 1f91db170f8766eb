from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from necropsy.model.errors import UsageError

from .running import Said, run

_BY_NAME = """
scrape_configs:
- job_name: pages
  metrics_path: /probe
  params: {module: [http_2xx]}
  static_configs: [{targets: [desk.example]}]
  relabel_configs:
  - {source_labels: [__address__], target_label: __param_target}
  - {target_label: __address__, replacement: 'prober:9115'}
"""


def reckon(configuration: list[str], *more: str) -> Any:
    return run("cost", *configuration, *more, "--format", "json").json


def test_the_sum_of_the_incident_is_written_out(configuration: list[str]) -> None:
    said = run("cost", *configuration, "--ttl", "1d", "--keys-per-session", "2", "--minute-sets")
    assert said.code == 0
    assert "3 x 8,640/d x 2 keys + 1,440 expirations sets = 53,280 keys" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_a_narrow_terminal_is_obeyed(configuration: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    said = run("cost", *configuration, "--ttl", "1d", "--interval", "20s")
    assert max(map(len, said.out.splitlines())) <= 40


def test_a_redirect_without_its_cookie_counts_twice(configuration: list[str]) -> None:
    said = run("cost", *configuration, "--ttl", "1d", "--sessions-per-request", "2")
    assert "3 x 8,640/d x 2 sessions x 1 key = 51,840 keys" in said.out


@pytest.mark.parametrize(
    ("location", "go", "sessions"),
    [
        ("/login", (), 1),
        ("login?next=/", (), 1),
        ("http://10.0.0.1:8080/login", (), 1),
        ("https://admin.example.com/login", (), 2),
        ("https://admin.example.com/login", ("--exporter-go", "go1.27.0"), 2),
    ],
)
def test_sessions_of_a_redirect_are_those_of_its_requests_without_a_cookie(
    configuration: list[str], location: str, go: tuple[str, ...], sessions: int
) -> None:
    lines = reckon(configuration, "--redirect", location, *go)["lines"]
    there = [line for line in lines if line["url"].startswith("http://10.0.0.1:8080/")]
    assert [line["sessions_per_request"] for line in there] == [sessions]


@pytest.mark.parametrize(("go", "sessions"), [("1.24.4", 2), ("1.25.5", 2), ("go1.26.0", 1), ("1.27", 1)])
def test_an_exporter_of_a_newer_go_keeps_the_cookie_of_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go: str, sessions: int
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("prometheus.yml").write_text(_BY_NAME)
    location = "http://desk.example/login"
    made = reckon(["--prometheus", "prometheus.yml"], "--redirect", location, "--exporter-go", go, "--ttl", "1d")
    assert [line["sessions_per_request"] for line in made["lines"]] == [sessions]
    assert made["total"]["sessions"] == sessions * 1_440


def test_what_says_nothing_about_a_redirect_is_refused(configuration: list[str]) -> None:
    for more in (("--exporter-go", "1.27"), ("--redirect", "/login", "--sessions-per-request", "2")):
        assert "--redirect" in str(refused(run("cost", *configuration, *more)))


def test_sessions_keys_and_bytes_are_told_a_day_and_at_the_steady_state(configuration: list[str]) -> None:
    more = ("--ttl", "12h", "--keys-per-session", "3", "--bytes-per-session", "1kB")
    total = reckon(configuration, *more)["total"]
    assert total == {
        "sessions_per_day": 25_920.0,
        "keys_per_day": 77_760.0,
        "bytes_per_day": 25_920_000.0,
        "sessions": 12_960.0,
        "keys": 38_880.0,
        "bytes": 12_960_000.0,
    }
    assert "A day: 25,920 sessions, 77,760 keys, 26 MB" in run("cost", *configuration, *more).out


def test_lines_add_up_to_the_total(configuration: list[str]) -> None:
    made = reckon(configuration, "--ttl", "1d")
    assert sum(line["amount"]["sessions"] for line in made["lines"]) == made["total"]["sessions"]
    assert made["harmless"] == 2


@pytest.mark.parametrize(
    ("what_if", "sessions"),
    [
        (("--interval", "60s"), 3 * 1_440),
        (("--replicas", "2"), 2 * 25_920),
        (("--fixed", "10.0.0.1:8080"), 2 * 8_640),
        (("--fixed", "10.0.0.1"), 0),
        (("--replicas", "2", "--interval", "20"), 25_920),
    ],
)
def test_what_if(configuration: list[str], what_if: tuple[str, ...], sessions: int) -> None:
    made = reckon(configuration, "--ttl", "1d", *what_if)
    assert made["total"]["sessions"] == sessions
    assert made["before"]["sessions"] == 25_920
    text = run("cost", *configuration, "--ttl", "1d", *what_if).out
    assert "BEFORE" in text
    assert "AFTER" in text


def test_without_a_lifetime_there_is_a_rate_and_no_steady_state(configuration: list[str]) -> None:
    made = reckon(configuration)
    assert made["total"]["sessions_per_day"] == 25_920
    assert made["total"]["sessions"] is None
    assert "Add --ttl" in run("cost", *configuration).out


def test_immortal_sessions_have_no_steady_state(configuration: list[str]) -> None:
    assert reckon(configuration, "--ttl", "2147483647")["total"]["sessions"] is None
    assert "68 years never expire in practice" in run("cost", *configuration, "--ttl", "2147483647").out


@pytest.mark.parametrize(
    "text",
    [
        "scrape_configs: [",
        "scrape_configs: [{job_name: vms, ec2_sd_configs: [{region: eu-west-1}]}]",
        "scrape_configs: [{job_name: shop, scrape_intervall: 5s}]",
    ],
    ids=["not YAML", "targets that nobody knows", "a field that there is none of"],
)
def test_a_cost_of_what_could_not_be_read_is_unknown_and_not_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("prometheus.yml").write_text(text)
    said = run("cost", "--prometheus", "prometheus.yml", "--ttl", "1d")
    assert said.code == 3
    assert "unknown" in said.out
    assert "No probe starts sessions" not in said.out
    assert run("cost", "--prometheus", "prometheus.yml", "--fixed", "10.0.0.1").code == 3


def test_what_nobody_answers_costs_nothing_and_is_said(configuration: list[str]) -> None:
    made = reckon(configuration, "--nginx", "nginx.conf", "--ttl", "1d")
    answered = {line["url"] for line in made["lines"]}
    assert made["idle"] + len(answered) == 3


def refused(said: Said) -> UsageError:
    assert isinstance(said.error, UsageError)
    assert said.error.hint
    return said.error


def test_a_what_if_about_a_host_that_nobody_asks_is_refused(configuration: list[str]) -> None:
    assert "10.0.0.1" in refused(run("cost", *configuration, "--fixed", "10.0.0.9")).hint


@pytest.mark.parametrize("text", ["soon", "0", "-1d", "1 day"])
def test_what_is_no_duration_is_refused(configuration: list[str], text: str) -> None:
    refused(run("cost", *configuration, "--ttl", text))
