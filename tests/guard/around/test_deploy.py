"""The unit for systemd, given to systemd's own tools; its command is one that necropsy has."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.checkout


@pytest.fixture
def unit(checkout: Path) -> Path:
    return checkout / "deploy" / "systemd" / "necropsy-guard.service"


def analyzer() -> str:
    """Return the program; without it the test is skipped, but in CI that is a failure."""
    return shutil.which("systemd-analyze") or pytest.skip("systemd-analyze is not here: apt-get install systemd")


def test_the_unit_is_exposed_to_little(unit: Path) -> None:
    command = [analyzer(), "security", "--offline=true", "--threshold=20", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_systemd_finds_no_fault_in_the_unit(unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/usr/local/bin/necropsy", sys.executable))
    done = subprocess.run([analyzer(), "verify", str(here)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert unit.name not in done.stderr


def test_the_command_of_the_unit_exists(unit: Path) -> None:
    (words,) = re.findall(r"^ExecStart=/usr/local/bin/necropsy (guard run) \S+\.toml$", unit.read_text(), re.MULTILINE)
    command = [sys.executable, "-m", "necropsy.cli.main", *words.split(), "--help"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
