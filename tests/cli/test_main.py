"""What a shell sees of the whole program: signals, full disks, encodings, outputs that cannot be."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from children import started
from necropsy.cli.main import app, command_line
from necropsy.model.errors import UsageError

from .running import run

pytestmark = pytest.mark.process

_NECROPSY = [sys.executable, "-m", "necropsy.cli.main"]
_DUMP = b"REDIS0011\xfa\x09redis-ver\x067.0.15"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_stops_an_examination_is_told_so_and_finds_nothing_half_written(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    pipe, case = tmp_path / "dump.rdb", tmp_path / "cases" / "incident.case"
    case.parent.mkdir()
    os.mkfifo(pipe)
    with (
        started("examine", "--rdb", str(pipe), "--case", str(case)) as process,
        pipe.open("wb") as dump,  # opens as soon as the other side reads
    ):
        dump.write(_DUMP)
        dump.flush()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert said == "stopped: no report and no case was written\n"
    assert list(case.parent.iterdir()) == []


_STOPPED_INSIDE = """
import os, signal, time
from necropsy.cli import main

def swallow(prog_name):  # as compiled code does that looks for a module
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    except BaseException:
        pass
    time.sleep(60)

def translate(prog_name):  # as DuckDB does in the middle of a query
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    except BaseException as error:
        raise RuntimeError("Query interrupted") from None

main.app = {way}
main.main()
"""


@pytest.mark.parametrize("name", ["lint", "guard", "lab"])
def test_a_command_is_built_alone_and_has_the_same_help(name: str) -> None:
    alone, all_of_them = get_command(command_line([name, "--help"])), get_command(command_line(["--help"]))
    assert list(alone.commands) == [name]
    assert len(all_of_them.commands) > 20
    help_texts = [CliRunner().invoke(line, [name, "--help"]).output for line in (command_line([name]), app)]
    assert help_texts[0] == help_texts[1]
    assert "Usage: " in help_texts[0]


def test_a_command_that_does_not_exist_is_compared_with_all_that_do() -> None:
    assert command_line(["examin"]) is app
    assert command_line(["--version"]) is app
    assert "Did you mean 'examine'" in run("examin").err.replace("\n", " ")


@pytest.mark.parametrize("way", ["swallow", "translate"])
def test_who_stops_it_is_heard_whatever_the_code_below_makes_of_it(way: str) -> None:
    with started(code=_STOPPED_INSIDE.format(way=way)) as process:
        _, said = process.communicate(timeout=50)
    assert (process.returncode, said) == (130, "stopped\n"), "only examine writes a case"


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
    assert "not overwritten" in said.error.message
    assert (folder / "services.json").read_bytes() == before


def test_a_demo_that_cannot_write_says_where_to_choose(folder: Path) -> None:
    said = run("demo", "--folder", str(folder / "services.json"))
    assert isinstance(said.error, UsageError)
    assert "--folder" in said.error.hint


def test_a_dash_is_standard_output(folder: Path) -> None:
    said = run("examine", "--consul", "10.0.0.1=services.json", "--prometheus", "prometheus.yml", "--output", "-")
    assert "probes/wrong-path" in said.out
    assert not (folder / "-").exists()


def leaves(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the commands below one, each with its words."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, *path, name)
    if not hasattr(command, "commands"):
        yield path, command


COMMANDS = dict(leaves(get_command(app)))


@pytest.mark.parametrize(
    "path", [path for path in COMMANDS if path not in {("lab", "down"), ("lab", "status")}], ids=" ".join
)
def test_examples_in_the_help_can_be_copied(path: tuple[str, ...]) -> None:
    shown = run(*path, "--help").out
    assert "\\b" not in shown
    examples = (COMMANDS[path].help or "").partition("Examples:")[2].partition("\n\n")[0].replace("\\\n", " ")
    written = [part.strip() for line in examples.splitlines() for part in re.split(r"(?<=\s)[|>]\s", line)]
    commands = [shlex.split(part, comments=True)[1:] for part in written if part.startswith("necropsy ")]
    assert any(tuple(words[: len(path)]) == path for words in commands)
    for words in commands:
        depth = next(depth for depth in (1, 2) if tuple(words[:depth]) in COMMANDS)
        command = COMMANDS[tuple(words[:depth])]
        parser = command.make_parser(command.context_class(command))
        _, rest, _ = parser.parse_args(list(words[depth:]))
        assert rest == [], words
