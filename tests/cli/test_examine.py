from __future__ import annotations

import hashlib
from pathlib import Path
from unittest import mock

import pytest

from necropsy.case.store import Case
from necropsy.cli.options import Format
from necropsy.cli.output import WITH_CHECKSUMS

from .running import run

LINE = '203.0.113.7 - - [24/May/2019:18:41:34 +0000] "GET / HTTP/1.1" 200 1 "-" "curl/8"\n'
ASSETS = Path(__file__).parents[1] / "assets"
LOG = str(ASSETS / "access_log" / "nginx_json_prober_is_redirected.log")
DUMP = str(ASSETS / "spring" / "spring_3_indexed_jdk.rdb")


@pytest.mark.process
def test_files_are_summed_up_where_somebody_is_told_what_came_out(tmp_path: Path) -> None:
    given = ("examine", "--rdb", DUMP, "--access-log", LOG, "--app-log", LOG, "--fail-on", "never")
    sums = {file: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in (DUMP, LOG)}
    for kind in Format:
        said = run(*given, "--format", kind.value).out
        assert all(digest[:12] in said for digest in sums.values()) == (kind in WITH_CHECKSUMS), kind
    kept = tmp_path / "kept.case"
    run(*given, "--case", str(kept))
    assert all(digest in run("report", str(kept), "--format", "json").out for digest in sums.values())
    with mock.patch("hashlib.sha256", side_effect=AssertionError):
        run(*given)


def test_addresses_of_logs_are_kept_or_hashed_by_a_flag(tmp_path: Path) -> None:
    log, kept, hashed = (tmp_path / name for name in ("access.log", "kept.case", "hashed.case"))
    log.write_text(LINE * 3)
    for case, flags in ((kept, []), (hashed, ["--hash-clients"])):
        assert run("examine", "--access-log", str(log), "--case", str(case), "--quiet", *flags).error is None
    with Case.open(kept) as case, Case.open(hashed) as other:
        assert case.value("SELECT client FROM visitor_class") == "203.0.113.7"
        assert str(other.value("SELECT client FROM visitor_class")).startswith("#")
    assert b"203.0.113.7" not in hashed.read_bytes()


def test_without_a_known_session_the_command_that_lists_the_keys_is_that_of_the_store(tmp_path: Path) -> None:
    dump = tmp_path / "of cache.rdb"
    dump.write_bytes((ASSETS.parent / "cases" / "unknown-layout" / "dump.rdb").read_bytes())
    said = run("examine", "--rdb", str(dump))
    wanted = f"necropsy keys '{dump}'"
    assert "".join(wanted.split()) in "".join(said.out.split())  # a long folder is broken over lines
    assert "dump.rdb" not in said.out + said.err


def test_a_case_in_the_place_of_an_incident_file_is_named(tmp_path: Path) -> None:
    log, kept = tmp_path / "access.log", tmp_path / "kept.case"
    log.write_text(LINE * 3)
    run("examine", "--access-log", str(log), "--case", str(kept), "--quiet")
    said = run("examine", str(kept))
    assert said.error is not None
    assert said.error.hint == f"If it is a case, it is examined already: necropsy report {kept}"
