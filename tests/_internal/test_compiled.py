"""Compiled units: all of them are used or none, and an uncompiled run says so."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from cli.running import run
from necropsy._internal import compiled

SUFFIX = EXTENSION_SUFFIXES[0]
DUMP = Path(__file__).parents[1] / "assets" / "spring" / "spring_3_indexed_jdk.rdb"
HASH = r'"hash": "\w+"'
"""Of the name of a key, with another secret in each run."""
PROGRAM = """
import json, sys
from necropsy._internal import compiled
import importlib
files = [importlib.import_module(unit).__file__ for unit in compiled.UNITS]
print(json.dumps({"why": compiled.why_uncompiled(), "sources": sum(file.endswith(".py") for file in files)}))
"""


@pytest.mark.checkout
def test_the_units_are_the_modules_with_types_beside_them(checkout: Path) -> None:
    source = checkout / "src"
    typed = {".".join(path.relative_to(source).with_suffix("").parts) for path in source.rglob("*.pxd")}
    assert set(compiled.UNITS) == typed
    assert list(compiled.UNITS) == sorted(compiled.UNITS)


def _needs_a_compiled_installation() -> None:
    if compiled.missing():
        if os.environ.get("CI"):
            pytest.fail("this installation is not compiled: is there a C compiler?")
        pytest.skip("this installation is not compiled: no C compiler when it was installed")


@pytest.fixture
def installation(tmp_path: Path) -> Callable[[str], Path]:
    """Copy the installed package without the compiled units whose names hold a text."""
    house = Path(compiled.__file__).parents[1]

    def copy(without: str) -> Path:
        shutil.copytree(house, tmp_path / "necropsy", ignore=shutil.ignore_patterns("__pycache__"))
        for unit in compiled.UNITS:
            if without in unit:
                (tmp_path / (unit.replace(".", "/") + SUFFIX)).unlink()
        return tmp_path

    return copy


def _run(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(where)}
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        cwd=where,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _keys(where: Path) -> subprocess.CompletedProcess[str]:
    program = "from necropsy.cli.main import main; main()"
    return _run(where, "-c", program, "keys", str(DUMP), "--format", "json", "--now", "2026-01-01T00:00:00Z")


@pytest.mark.process
def test_an_installation_that_lost_one_unit_runs_uncompiled_and_says_which(
    installation: Callable[[str], Path], tmp_path: Path
) -> None:
    _needs_a_compiled_installation()
    whole = _keys(Path(compiled.__file__).parents[2])
    where = installation("rdb.columns")
    said = _run(where, "-c", PROGRAM)
    assert said.returncode == 0, said.stderr
    assert f'"sources": {len(compiled.UNITS)}' in said.stdout
    keys = _keys(where)
    assert keys.returncode == 0, keys.stderr
    assert "1 of its 19 compiled units is missing (necropsy.evidence.rdb.columns)" in keys.stderr
    assert "several times as long" in keys.stderr
    assert re.sub(HASH, "", keys.stdout) == re.sub(HASH, "", whole.stdout)
    assert "uncompiled" not in whole.stderr


@pytest.mark.process
def test_an_installation_without_compiled_units_says_so(installation: Callable[[str], Path]) -> None:
    _needs_a_compiled_installation()
    where = installation("necropsy")
    keys = _keys(where)
    assert keys.returncode == 0, keys.stderr
    program = "from necropsy.cli.main import main; main()"
    followed = _run(where, "-c", program, "traffic", "-", "--follow")
    assert followed.returncode == 0, followed.stderr
    for said in (keys, followed):
        assert said.stderr.count("it runs uncompiled, as it was installed") == 1
        assert f"hint:  {compiled.HINT}" in said.stderr


UNCOMPILED = {
    "examine --access-log": ("examine", "--access-log", "access.log"),
    "examine --app-log": ("examine", "--app-log", "app.log"),
    "examine --rdb": ("examine", "--rdb", str(DUMP)),
    "keys": ("keys", str(DUMP)),
    "traffic": ("traffic", "access.log"),
    "treat": ("treat", "incident.toml"),
    "purge": ("purge", "--redis", "redis://127.0.0.1:1", "--where", "anonymous"),
    "cap-ttl": ("cap-ttl", "--redis", "redis://127.0.0.1:1", "--max", "7d"),
    "watch": ("watch", "incident.toml", "--once", "--case", "kept.case"),
    "guard run, of a file that is not there": ("guard", "run", "none.toml"),
}


@pytest.mark.process
@pytest.mark.parametrize("name", UNCOMPILED)
def test_each_command_that_reads_dumps_or_logs_says_that_it_is_not_compiled(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("access.log").write_text('10.0.0.1 - - [24/May/2019:19:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/7"\n')
    Path("app.log").write_text("2019-05-24 19:00:00 ERROR a.B RedisCommandTimeoutException: Command timed out\n")
    Path("incident.toml").write_text(f'[[store]]\nname = "a"\nrdb = {json.dumps(str(DUMP))}\n')
    monkeypatch.setattr(compiled, "missing", lambda: compiled.UNITS)
    said = run(*UNCOMPILED[name])
    told = f"note: it runs uncompiled, as it was installed; reading dumps and logs takes several times as long\nhint:  {compiled.HINT}\n"
    assert said.err.count(told) == 1
    assert "uncompiled" not in said.out
    monkeypatch.setattr(compiled, "missing", tuple)
    assert "uncompiled" not in run(*UNCOMPILED[name]).err
