"""Whole investigations: each folder beside this file is one story.

``command`` holds the arguments of necropsy, one line; ``expected.txt`` what it prints (standard output, then standard error,
then the exit code). Inputs lie beside them. Volatile text is scrubbed to ``@@X@@``. After an intended change of the output:
``NECROPSY_GOLDEN=1 make process``, and read the diff.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

_HERE = Path(__file__).parent
_STORIES = sorted(path.parent.name for path in _HERE.glob("*/command"))
_SCRUB = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?"), "@@TIME@@"),
    (re.compile(r"necropsy \d+\.\d+\.\d+"), "necropsy @@VERSION@@"),
)


def _run(story: Path) -> str:
    arguments = shlex.split((story / "command").read_text())
    done = subprocess.run(
        [sys.executable, "-m", "necropsy.cli.main", *arguments],
        cwd=story,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "80"},
    )
    text = f"{done.stdout}--- stderr\n{done.stderr}--- exit {done.returncode}\n"
    for pattern, instead in _SCRUB:
        text = pattern.sub(instead, text)
    return text


@pytest.mark.parametrize("name", _STORIES)
def test_the_story_is_told_as_expected(name: str) -> None:
    story = _HERE / name
    told = _run(story)
    expected = story / "expected.txt"
    if os.environ.get("NECROPSY_GOLDEN"):
        expected.write_text(told)
    assert told == expected.read_text()


def test_there_are_stories() -> None:
    assert len(_STORIES) >= 8
