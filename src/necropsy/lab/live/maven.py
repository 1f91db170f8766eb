"""Java programs of the lab: each is built once by Maven from its folder under ``lab/``, then started by Java."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from necropsy._internal.paths import is_file
from necropsy.model.errors import NecropsyError

SOURCES: Final = Path(__file__).parents[4] / "lab"
"""Only a checkout has them."""
CACHE: Final = "NECROPSY_LAB_CACHE"
"""Environment variable: where what was built is kept; by default ``.tools/lab`` here."""
_BUILD_S: Final = 900


def _built(name: str) -> Path:
    return Path(os.environ.get(CACHE, ".tools/lab")).resolve() / name


def build(name: str, maven: Path, *, to: str = "", options: Sequence[str] = ()) -> None:
    """Build one, if that was not done before or the source is newer.

    Parameters
    ----------
    to
        Name under which it is kept, where one source is built in several ways; empty: its own.
    options
        More options of Maven.

    Raises
    ------
    NecropsyError
        There is no source, or Maven failed.
    """
    source, home = SOURCES / name, _built(to or name)
    if not is_file(source / "pom.xml"):
        raise NecropsyError(f"the source of {name} is not here", hint="It comes with a checkout; or do without it.")
    newest = max(path.stat().st_mtime for path in source.rglob("*") if is_file(path))
    mark = home / "built"
    if is_file(mark) and mark.stat().st_mtime > newest:
        return
    home.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, home, dirs_exist_ok=True)
    command = [str(maven), "-q", "-B", *options, "package", "dependency:copy-dependencies", "-DoutputDirectory=lib"]
    done = subprocess.run(  # noqa: S603 -- Maven, arguments of ours
        command, cwd=home, capture_output=True, text=True, timeout=_BUILD_S, check=False
    )
    if done.returncode != 0:
        said = " ".join((done.stdout + done.stderr).split())[-400:]
        raise NecropsyError(f"Maven could not build {name}: {said}", hint=f"cd {home} && mvn package")
    mark.touch()


def java_options(name: str) -> tuple[str, ...]:
    """Options of Java that all have, up to the main class, for what is kept under a name."""
    home = _built(name)
    return ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{home}/target/classes:{home}/lib/*")
