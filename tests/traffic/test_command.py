from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from necropsy.cli.main import command_line
from necropsy.model.errors import NecropsyError, NoEvidence, UsageError

LOG = str(Path(__file__).parents[1] / "assets" / "access_log" / "nginx_json_prober_is_redirected.log")


def run(*arguments: str) -> bytes:
    done = CliRunner().invoke(command_line(["traffic"]), ["traffic", *arguments])
    if isinstance(done.exception, NecropsyError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


@pytest.mark.process
def test_the_suffix_of_the_file_says_what_to_write(tmp_path: Path) -> None:
    for name in ("traffic.parquet", "traffic.csv", "traffic.json", "traffic.html", "traffic.txt"):
        run(LOG, "--quiet", "--output", str(tmp_path / name))
    visits = pq.read_table(tmp_path / "traffic.parquet").column("visits").to_pylist()
    assert visits[0] == 6
    assert (tmp_path / "traffic.csv").read_text().startswith("log,client,user_agent,")
    assert json.loads((tmp_path / "traffic.json").read_text())["schema"] == "necropsy/traffic/1"
    assert (tmp_path / "traffic.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "traffic.txt").read_text().startswith("TRAFFIC")


@pytest.mark.process
def test_a_log_is_summed_up_for_the_output_that_shows_it() -> None:
    source = json.loads(run(LOG, "--format", "json"))["sources"][0]
    content = Path(LOG).read_bytes()
    assert (source["sha256"], source["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
    with mock.patch("necropsy.evidence.access_log.reader.fingerprint_beside", side_effect=AssertionError):
        for kind in ("text", "csv", "parquet", "html"):
            run(LOG, "--format", kind)


@pytest.mark.process
def test_a_log_can_be_piped_in_and_a_table_piped_out() -> None:
    command = [sys.executable, "-m", "necropsy.cli.main", "traffic", "-", "--format", "parquet"]
    done = subprocess.run(command, input=Path(LOG).read_bytes(), capture_output=True, check=True)
    assert pq.read_table(io.BytesIO(done.stdout)).num_rows == 3
    assert done.stderr == b""


def test_colours_are_for_terminals_or_for_who_asks() -> None:
    assert b"\x1b[" in run(LOG, "--color")
    assert b"\x1b[" not in run(LOG)


def test_a_limit_leaves_totals_as_they_are() -> None:
    whole, one = (json.loads(run(LOG, "--format", "json", *more)) for more in ((), ("--limit", "1")))
    assert len(one.pop("visitors")) == 1
    assert len(whole.pop("visitors")) == 3
    assert one == whole
    assert len(run(LOG, "--format", "csv", "--limit", "1").splitlines()) == 2
    assert b"2 more client groups" in run(LOG, "--limit", "1")


def test_nothing_to_read_is_no_evidence_and_an_impossible_place_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(NoEvidence):
        run()
    with pytest.raises(NoEvidence):
        run(str(tmp_path / "missing.log"))
    with pytest.raises(UsageError):
        run(LOG, "--output", str(tmp_path / "missing" / "traffic.json"))


ODD = '{"wann":"2024-02-05T10:00:01Z","was":"/cart","wer":"203.0.113.9","womit":"curl/8.5.0","res":200}\n'


def test_keys_that_mean_nothing_by_themselves_are_named_by_the_option(tmp_path: Path) -> None:
    log = tmp_path / "odd.json"
    log.write_text(ODD * 3)
    with pytest.raises(NoEvidence, match=r"no known key has the requested path \(keys: wann, was, wer, womit, res\)"):
        run(str(log))
    told = run(str(log), "--field", "target=was", "--field", "client=wer", "--field", "agent=womit", "-f", "json")
    (visitor,) = json.loads(told)["visitors"]
    assert (visitor["client"], visitor["user_agent"], visitor["path"]) == ("203.0.113.9", "curl/8.5.0", "/cart")
    with pytest.raises(UsageError, match="visitor=wer: not FIELD=KEY"):
        run(str(log), "--field", "visitor=wer")


def test_a_format_that_does_not_fit_is_named_with_the_line(tmp_path: Path) -> None:
    log = tmp_path / "odd.log"
    log.write_text("203.0.113.9|2024-02-05|GET /\n" * 3)
    with pytest.raises(NoEvidence, match=r"--log-format fits no line: behind \$remote_addr it expects"):
        run(str(log), "--log-format", '$remote_addr [$time_iso8601] "$request"')
