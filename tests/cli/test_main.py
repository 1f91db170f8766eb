"""What a shell sees of the whole program: signals, full disks, encodings, outputs that cannot be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from necropsy.model.errors import UsageError

from .running import run

_NECROPSY = [sys.executable, "-m", "necropsy.cli.main"]
_DUMP = b"REDIS0011\xfa\x09redis-ver\x067.0.15"


def _start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts jobs in the background has them ignore Ctrl-C; so may whatever runs these tests.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 -- no threads here
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_stops_an_examination_is_told_so_and_finds_nothing_half_written(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    pipe, case = tmp_path / "dump.rdb", tmp_path / "cases" / "incident.case"
    case.parent.mkdir()
    os.mkfifo(pipe)
    process = _start(*_NECROPSY, "examine", "--rdb", str(pipe), "--case", str(case))
    with process, pipe.open("wb") as dump:  # opens as soon as the other side reads
        dump.write(_DUMP)
        dump.flush()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert said == "stopped: no report was written, and no case was kept\n"
    assert list(case.parent.iterdir()) == []


_COUNT_FOR_EVER = """
from necropsy.cli import main

def app():
    import duckdb
    connection = duckdb.connect()
    print("counting", flush=True)
    connection.execute("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 1")

main.app = app
main.main()
"""


def test_a_long_query_is_stopped_like_everything_else() -> None:
    with _start(sys.executable, "-c", _COUNT_FOR_EVER) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "counting\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "stopped: no report was written, and no case was kept\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_behind_standard_output_is_an_error_with_a_next_step() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*_NECROPSY, "explain"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: standard output: cannot write: ")
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_without_a_sign_for_it_shows_an_escape(configuration: list[str], folder: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [*_NECROPSY, "probes", *configuration],
        capture_output=True, timeout=60, check=False, env=environment, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Go-http-client/\\u2026" in done.stdout


def test_an_output_that_cannot_be_is_refused_before_anything_is_read(folder: Path) -> None:
    for place, reason in ((folder, "is a folder"), (folder / "nowhere" / "report.html", "no folder")):
        said = run("examine", "--rdb", "missing.rdb", "--format", "html", "--output", str(place))
        assert isinstance(said.error, UsageError)
        assert reason in said.error.message
        assert "--output" in said.error.hint


@pytest.mark.parametrize("option", ["--output", "--case"])
def test_a_source_is_never_written_over(folder: Path, option: str) -> None:
    before = (folder / "services.json").read_bytes()
    said = run("examine", "--consul", "10.0.0.1=services.json", option, str(folder / "services.json"))
    assert isinstance(said.error, UsageError)
    assert "not written over" in said.error.message
    assert (folder / "services.json").read_bytes() == before
