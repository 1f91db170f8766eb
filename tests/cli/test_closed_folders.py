"""A folder that the user may not enter, as /var/log/nginx is to ordinary users on Debian, is told and crashes nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ASSETS = Path(__file__).parents[1] / "assets"
DUMP = ASSETS / "spring" / "spring_3_indexed_jdk.rdb"
# Root may enter every folder, unless it gives up the capabilities for it (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH).
_AS_A_USER = """
import ctypes, os, sys
if os.geteuid() == 0:
    drop = ctypes.CDLL(None).prctl
    assert drop(24, 1, 0, 0, 0) == 0 and drop(24, 2, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-m", "necropsy.cli.main", *sys.argv[1:]])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "file").write_text("x")
    (tmp_path / "closed").chmod(0)
    yield tmp_path
    (tmp_path / "closed").chmod(0o700)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _AS_A_USER, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "command",
    [
        *(f"examine {option} closed/file" for option in ("--rdb", "--access-log", "--app-log", "--nginx", "--consul")),
        "examine --access-log closed/*.log",
        "examine --prober kubernetes=closed/file",
        "keys closed/file",
        "traffic closed/file",
        "traffic closed/*.log",
        "report closed/file",
        "verify closed/file --rdb a.rdb",
        "treat closed/file",
        "lint closed",
        "lint closed/file",
        "probes --prometheus closed/file",
        "cost --consul closed",
        "watch closed/file",
        "lab status --folder closed/file",
        "lab up --folder closed/file",
    ],
)
def test_no_command_breaks_on_a_closed_folder_and_each_says_why(folder: Path, command: str) -> None:
    done = run(folder, *command.split())
    assert done.returncode in {1, 2, 3}
    assert "closed" in done.stderr
    assert "Permission denied" in done.stderr or "not readable" in done.stderr
    assert "no such file" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_source_beside_a_dump_is_absent_and_ends_nothing(folder: Path) -> None:
    done = run(folder, "examine", "--rdb", str(DUMP), "--prometheus", "closed/file", "--quiet")
    assert done.returncode in {4, 11, 12, 13}
    assert "closed/file  Permission denied. Make it readable" in done.stdout


def test_a_closed_folder_below_one_that_is_linted_is_not_passed_over(folder: Path) -> None:
    (folder / "prometheus.yml").write_text(
        "scrape_configs:\n  - job_name: a\n    static_configs: [{targets: [a:80]}]\n"
    )
    done = run(folder, "lint", ".")
    assert "closed" in done.stdout
    assert "Permission denied" in done.stdout
