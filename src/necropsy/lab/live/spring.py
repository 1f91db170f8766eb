"""The admin application on Spring Boot: built once by Maven from ``lab/admin-app``, then started by Java."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from necropsy.model.errors import NecropsyError

SOURCE: Final = Path(__file__).parents[4] / "lab" / "admin-app"
"""Only a checkout has it."""
CACHE: Final = "NECROPSY_LAB_CACHE"
"""Environment variable: where what was built is kept; by default ``.tools/lab`` here."""
_BUILD_S: Final = 900


def _built() -> Path:
    return Path(os.environ.get(CACHE, ".tools/lab")).resolve() / "admin-app"


def build(maven: Path) -> None:
    """Build it, if that was not done before or the source is newer.

    Raises
    ------
    NecropsyError
        There is no source, or Maven failed.
    """
    if not (SOURCE / "pom.xml").is_file():
        raise NecropsyError(
            "the source of the Spring application is not here", hint="It comes with a checkout; or use the twin."
        )
    home = _built()
    newest = max(path.stat().st_mtime for path in SOURCE.rglob("*") if path.is_file())
    mark = home / "built"
    if mark.is_file() and mark.stat().st_mtime > newest:
        return
    home.mkdir(parents=True, exist_ok=True)
    shutil.copytree(SOURCE, home, dirs_exist_ok=True)
    command = [str(maven), "-q", "-B", "package", "dependency:copy-dependencies", "-DoutputDirectory=lib"]
    done = subprocess.run(  # noqa: S603 -- Maven, arguments of ours
        command, cwd=home, capture_output=True, text=True, timeout=_BUILD_S, check=False
    )
    if done.returncode != 0:
        said = " ".join((done.stdout + done.stderr).split())[-400:]
        raise NecropsyError(f"Maven could not build the Spring application: {said}", hint=f"cd {home} && mvn package")
    mark.touch()


def java_options() -> tuple[str, ...]:
    """Options of Java, up to the main class."""
    home = _built()
    return ("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{home}/target/classes:{home}/lib/*",
            "admin.Admin")  # fmt: skip
