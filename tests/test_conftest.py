"""The rule that a skipped test is a failure in CI, tried on a suite that skips."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

SKIPPING = {
    "in a test": "import pytest\ndef test_server():\n    pytest.skip('no server')\n",
    "by a mark": "import pytest\n@pytest.mark.skipif(True, reason='no server')\ndef test_server(): pass\n",
    "as a whole module": "import pytest\npytest.skip('no server', allow_module_level=True)\n",
    "in a fixture": "import pytest\n@pytest.fixture\ndef server(): pytest.skip('no')\ndef test_server(server): pass\n",
}


FINE = {"fine": "def test_fine(): pass\n"}


def _run(folder: Path, suite: dict[str, str], *options: str, ci: str | None) -> subprocess.CompletedProcess[str]:
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    for name, text in suite.items():
        (folder / f"test_{name.replace(' ', '_')}.py").write_text(text)
    environment = {name: value for name, value in os.environ.items() if name != "CI" and "PYTEST" not in name}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if ci is not None:
        environment["CI"] = ci
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", *options, "."]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_skip_of_any_kind_fails_the_run_in_ci_and_the_summary_says_so(tmp_path: Path) -> None:
    run = _run(tmp_path, FINE | SKIPPING, ci="true")
    assert run.returncode == 1, run.stdout
    assert f"{len(SKIPPING)} skipped, and a skipped test is a failure here" in run.stdout


def test_a_skip_elsewhere_is_listed_with_its_reason_and_fails_nothing(tmp_path: Path) -> None:
    run = _run(tmp_path, FINE | SKIPPING, ci=None)
    assert run.returncode == 0, run.stdout
    assert "no server" in run.stdout


def test_a_suite_without_skips_passes_in_ci(tmp_path: Path) -> None:
    assert _run(tmp_path, FINE, ci="1").returncode == 0


def test_skips_of_parallel_workers_count_too(tmp_path: Path) -> None:
    suite = FINE | {"skipping": SKIPPING["in a test"]}
    assert _run(tmp_path, suite, "-p", "xdist", "-n", "1", ci="true").returncode == 1
