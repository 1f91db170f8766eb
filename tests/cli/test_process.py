from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ASKS = "import sys; from necropsy.cli import process; {tune}process.refuse_pandas(); import importlib.util as u; {ask}"


@pytest.mark.parametrize(("tune", "said"), [("process.tune(); ", "refused"), ("", "let in")])
def test_only_a_process_of_a_commands_own_does_without_pandas(tune: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "pandas.py").touch()  # an installation of ours has none
    around = os.environ | {"PYTHONPATH": str(tmp_path)}
    ask = "\ntry:\n import pandas\n print('let in')\nexcept ModuleNotFoundError: print('refused')"
    program = _ASKS.format(tune=tune, ask=ask)
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=around).stdout
        == f"{said}\n"
    )
