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


def damaged(name: str, folder: Path, inputs: int, most_mb: int, *corpus: str) -> str:
    """Read so many inputs that are damaged at random; return what is said of them."""
    said = run(name, folder, "--blind", str(inputs), "--seed", "7", *corpus)
    assert said.startswith(f"{inputs:,} inputs from ")
    assert int(said.rpartition("at most ")[2].split()[0]) < most_mb
    assert not list(folder.glob("failing-*"))
    return said


def needs_atheris() -> None:
    if importlib.util.find_spec("atheris") is None:
        if os.environ.get("CI") and sys.version_info[:2] == (3, 11):
            pytest.fail("atheris is not installed")
        pytest.skip("atheris is not installed: pip install atheris")


@pytest.mark.integration
def test_thousands_of_damaged_dumps_end_in_no_error_and_in_little_memory(tmp_path: Path) -> None:
    damaged("rdb", tmp_path, 20_000, 300, str(DUMPS))


@pytest.mark.integration
def test_dumps_that_reach_something_new_are_read_alike_with_and_without_the_compiler(tmp_path: Path) -> None:
    needs_atheris()
    (tmp_path / "found").mkdir()
    said = run("rdb", tmp_path, "-max_len=4096", "-runs=1500", "-seed=7", str(tmp_path / "found"), str(DUMPS))
    assert "DONE" in said


@pytest.mark.integration
def test_a_thousand_damaged_logs_end_in_no_error_and_lose_no_line(tmp_path: Path) -> None:
    damaged("logs", tmp_path, 1_000, 600)


@pytest.mark.integration
def test_logs_that_reach_something_new_are_read_alike_with_and_without_the_compiler(tmp_path: Path) -> None:
    needs_atheris()
    run("logs", tmp_path, "--seeds", str(tmp_path / "found"))
    said = run("logs", tmp_path, "-max_len=4096", "-runs=300", "-seed=7", str(tmp_path / "found"))
    assert "DONE" in said


@pytest.mark.integration
def test_a_server_that_answers_whatever_it_likes_ends_in_no_error_and_in_little_memory(tmp_path: Path) -> None:
    said = damaged("replies", tmp_path, 3_000, 300, str(FOLDER.parent / "assets" / "replies"))
    assert said.startswith("3,000 inputs from 10 seeds")


@pytest.mark.integration
def test_answers_that_reach_something_new_are_read_to_their_end(tmp_path: Path) -> None:
    needs_atheris()
    (tmp_path / "found").mkdir()
    corpus = str(FOLDER.parent / "assets" / "replies")
    said = run("replies", tmp_path, "-max_len=16384", "-runs=300", "-seed=7", str(tmp_path / "found"), corpus)
    assert "DONE" in said
