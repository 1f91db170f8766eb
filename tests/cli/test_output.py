from __future__ import annotations

from pathlib import Path

import pytest

from necropsy.cli.options import Format
from necropsy.cli.output import Estimate, chosen, width
from necropsy.model.errors import UsageError

from .running import run

LINE = '203.0.113.7 - - [24/May/2019:19:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/7.64.0"\n'


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", Format.HTML),
        ("A.HTML", Format.HTML),
        ("a.json", Format.JSON),
        ("a.md", Format.MARKDOWN),
        ("a.sarif", Format.SARIF),
        ("a.txt", Format.TEXT),
        ("-", Format.TEXT),
    ],
)
def test_the_suffix_decides_the_format_unless_somebody_names_one(name: str, kind: Format) -> None:
    assert chosen(None, Path(name)) is kind
    assert chosen(Format.JSON, Path(name)) is Format.JSON


@pytest.mark.parametrize(
    ("name", "begins"), [("a.html", "<!doctype html>"), ("a.json", "{"), ("a.md", "#"), ("a.txt", "NO VERDICT")]
)
def test_examine_and_report_follow_the_suffix(name: str, begins: str, tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(LINE * 3)
    kept, first, second = tmp_path / "kept.case", tmp_path / name, tmp_path / f"again-{name}"
    run("examine", "--access-log", str(tmp_path / "access.log"), "--case", str(kept), "-o", str(first))
    run("report", str(kept), "-o", str(second))
    for made in (first, second):
        assert made.read_text().lower().startswith(begins.lower())


def test_a_case_that_is_there_is_not_written_over_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(LINE * 3)
    case = tmp_path / "incident.case"
    given = ("examine", "--access-log", str(tmp_path / "access.log"), "--case", str(case))
    assert run(*given).error is None
    before = case.read_bytes()
    said = run(*given)
    assert isinstance(said.error, UsageError)
    assert "--force" in said.error.hint
    assert case.read_bytes() == before
    assert run(*given, "--force").error is None


@pytest.mark.parametrize(("columns", "expected"), [("50", 50), ("20", 40), ("300", 120), ("80", 80)])
def test_columns_are_obeyed_within_reason(columns: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert width() == expected


def test_a_stage_says_how_far_it_is_and_how_long_the_rest_takes() -> None:
    now = [0.0]
    estimate = Estimate(lambda: now[0])
    assert estimate.rest("reading a.rdb: 1 key", None) == ""
    assert estimate.rest("reading a.rdb: 1 key", 0.0) == "0 %"
    now[0] = 10.0
    assert estimate.rest("reading a.rdb: 90 keys", 0.25) == "25 %, 0:00:30 left"
    now[0] = 20.0
    assert estimate.rest("reading b.rdb: 1 key", 0.5) == "50 %"  # another stage has a pace of its own


def test_a_moment_needs_the_host_that_it_depends_on(folder: Path) -> None:
    assert folder.is_dir()
    said = run("probes", "--prometheus", "prometheus.yml", "--at", "2019-05-24T19:00:00Z")
    assert isinstance(said.error, UsageError)
    assert "--prometheus-host" in said.error.message


@pytest.mark.parametrize("command", [["probes"], ["cost", "--ttl", "1d"]])
def test_what_is_read_without_being_named_is_said(command: list[str], folder: Path) -> None:
    assert folder.is_dir()
    said = run(*command)
    assert "reading the configuration recognised in this folder: blackbox.yml, nginx.conf, prometheus.yml" in said.err


def test_a_prometheus_that_was_refused_fails_though_others_ask(folder: Path) -> None:
    (folder / "prometheus.yml").write_text("scrape_configs: [{}]\n")
    said = run("probes", "--prometheus", "prometheus.yml", "--consul", "10.0.0.1=services.json")
    assert said.code == 1


@pytest.mark.parametrize("folder_name", ["/proc/nothing", "/dev/null", "/dev/null/demo"])
def test_a_demo_that_has_no_place_says_where_to_choose_one(folder_name: str) -> None:
    said = run("demo", "--folder", folder_name)
    assert isinstance(said.error, UsageError)
    assert "--folder" in said.error.hint


@pytest.mark.parametrize("command", ["report", "traffic", "keys", "purge"])
def test_no_command_writes_over_what_it_reads(command: str, tmp_path: Path) -> None:
    log, kept = tmp_path / "access.log", tmp_path / "kept.case"
    log.write_text(LINE * 3)
    run("examine", "--access-log", str(log), "--case", str(kept))
    dump = tmp_path / "dump.rdb"
    dump.write_bytes(b"REDIS0009\xff" + bytes(8))
    read = {"report": kept, "traffic": log, "keys": dump, "purge": kept}[command]
    before = read.read_bytes()
    more = ["--redis", "redis://127.0.0.1:1", "--where", "anonymous", "--plan"] if command == "purge" else ["-o"]
    done = run(command, str(read), *more, str(tmp_path / "." / read.name))
    assert isinstance(done.error, UsageError)
    assert "is one of the sources" in str(done.error)
    assert read.read_bytes() == before
