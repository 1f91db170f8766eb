from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .running import run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_of_a_shell_is_printed_and_no_file_is_changed(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    said = run("completion", shell)
    assert said.code == 0
    assert "_NECROPSY_COMPLETE" in said.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_a_shell_is_answered_with_what_could_come_next() -> None:
    asked = {"_NECROPSY_COMPLETE": "complete_bash", "COMP_WORDS": "necropsy exa", "COMP_CWORD": "1"}
    command = [sys.executable, "-c", "from necropsy.cli.main import main; main()"]
    said = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert said.stdout.split() == ["examine"]
