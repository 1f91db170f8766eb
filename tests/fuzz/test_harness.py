"""The fuzzing harness itself, for a short run: what it finds in longer ones is in ``RECORD.md``."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
DUMPS = FOLDER.parent / "assets" / "rdb"


def run(harness: str, folder: Path, *arguments: str) -> str:
    words = [sys.executable, str(FOLDER / f"{harness}_atheris.py"), *arguments]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def needs_atheris() -> None:
    if importlib.util.find_spec("atheris") is None:
        if os.environ.get("CI") and sys.version_info[:2] == (3, 11):
            pytest.fail("atheris is not installed")
        pytest.skip("atheris is not installed: pip install atheris")


@pytest.mark.integration
def test_thousands_of_damaged_dumps_end_in_no_error_and_in_little_memory(tmp_path: Path) -> None:
    said = run("rdb", tmp_path, "--blind", "20000", "--seed", "7", str(DUMPS))
    assert said.startswith("20,000 inputs from ")
    assert int(said.rpartition("at most ")[2].split()[0]) < 300
    assert not list(tmp_path.glob("failing-*"))


@pytest.mark.integration
def test_dumps_that_reach_something_new_are_read_alike_with_and_without_the_compiler(tmp_path: Path) -> None:
    needs_atheris()
    (tmp_path / "found").mkdir()
    said = run("rdb", tmp_path, "-max_len=4096", "-runs=1500", "-seed=7", str(tmp_path / "found"), str(DUMPS))
    assert "DONE" in said


@pytest.mark.integration
def test_a_thousand_damaged_logs_end_in_no_error_and_lose_no_line(tmp_path: Path) -> None:
    said = run("logs", tmp_path, "--blind", "1000", "--seed", "7")
    assert said.startswith("1,000 inputs from ")
    assert int(said.rpartition("at most ")[2].split()[0]) < 600
    assert not list(tmp_path.glob("failing-*"))


@pytest.mark.integration
def test_logs_that_reach_something_new_are_read_alike_with_and_without_the_compiler(tmp_path: Path) -> None:
    needs_atheris()
    run("logs", tmp_path, "--seeds", str(tmp_path / "found"))
    said = run("logs", tmp_path, "-max_len=4096", "-runs=300", "-seed=7", str(tmp_path / "found"))
    assert "DONE" in said


@pytest.mark.integration
def test_a_server_that_answers_whatever_it_likes_ends_in_no_error_and_in_little_memory(tmp_path: Path) -> None:
    said = run("replies", tmp_path, "--blind", "3000", "--seed", "7", str(FOLDER.parent / "assets" / "replies"))
    assert said.startswith("3,000 inputs from 10 seeds")
    assert int(said.rpartition("at most ")[2].split()[0]) < 300
    assert not list(tmp_path.glob("failing-*"))


@pytest.mark.integration
def test_answers_that_reach_something_new_are_read_to_their_end(tmp_path: Path) -> None:
    needs_atheris()
    (tmp_path / "found").mkdir()
    corpus = str(FOLDER.parent / "assets" / "replies")
    said = run("replies", tmp_path, "-max_len=16384", "-runs=300", "-seed=7", str(tmp_path / "found"), corpus)
    assert "DONE" in said
