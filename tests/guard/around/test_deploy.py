"""The unit for systemd, given to systemd's own tools; its commands start, reload and end a guard."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import servers
from waiting import wait_until

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


@pytest.mark.integration
def test_the_commands_of_the_unit_start_reload_and_end_a_guard(unit: Path, tmp_path: Path) -> None:
    said = dict(re.findall(r"^(ExecStart|ExecReload)=(.+)$", unit.read_text(), re.MULTILINE))
    program, *words = said["ExecStart"].split()
    assert program == "/usr/local/bin/necropsy"
    config = tmp_path / "guard.toml"
    store = '[[store]]\nredis = "redis://127.0.0.1:1"\n\n'  # nobody is there, which a guard outlives
    config.write_text(f'{store}[guard]\ncase = "{tmp_path}/guard.case"\nlisten = "127.0.0.1:{servers.free_port()}"\n')
    start = [word.replace("/etc/necropsy/guard.toml", str(config)) for word in words]
    log = tmp_path / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen([sys.executable, "-m", "necropsy.cli.main", *start], stdout=stream, stderr=stream)
    try:
        wait_until(lambda: "Listening on" in log.read_text(), "it listens")
        reload = said["ExecReload"].replace("$MAINPID", str(process.pid)).split()
        subprocess.run(reload, check=True)
        wait_until(lambda: "Read the configuration again." in log.read_text(), "it reads its file again")
        process.terminate()
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(20)
