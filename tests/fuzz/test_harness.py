"""The fuzzing harness itself, for a short run: what it finds in longer ones is in ``RECORD.md``."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("rdb_atheris.py")
CORPUS = Path(__file__).parents[1] / "assets" / "rdb"


def run(folder: Path, *arguments: str) -> str:
    words = [sys.executable, str(HARNESS), *arguments]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.mark.integration
def test_thousands_of_damaged_dumps_end_in_no_error_and_in_little_memory(tmp_path: Path) -> None:
    said = run(tmp_path, "--blind", "20000", "--seed", "7", str(CORPUS))
    assert said.startswith("20,000 inputs from ")
    assert int(said.rpartition("at most ")[2].split()[0]) < 300
    assert not list(tmp_path.glob("failing-*"))


@pytest.mark.integration
def test_inputs_that_reach_something_new_are_read_alike_with_and_without_the_compiler(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        if os.environ.get("CI") and sys.version_info[:2] == (3, 11):
            pytest.fail("atheris is not installed")
        pytest.skip("atheris is not installed: pip install atheris")
    (tmp_path / "found").mkdir()
    said = run(tmp_path, "-max_len=4096", "-runs=1500", "-seed=7", str(tmp_path / "found"), str(CORPUS))
    assert "DONE" in said
