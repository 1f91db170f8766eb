"""The admin application on Spring Boot: built once by Maven from ``lab/admin-app``, then started by Java.

``spring`` is Spring Boot 3.5, ``spring-4`` the same source on Spring Boot 4.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from necropsy.lab.live import maven

_SOURCE: Final = "admin-app"
_BOOT_4: Final = "spring-4"


def build(binary: Path, application: str = "spring") -> None:
    """Build it, if that was not done before or the source is newer; raises as ``maven.build``."""
    maven.build(_SOURCE, binary, to=_home(application), options=("-Pboot-4",) if application == _BOOT_4 else ())


def java_options(application: str = "spring") -> tuple[str, ...]:
    """Options of Java, up to the main class."""
    return ("-Xmx192m", *maven.java_options(_home(application)), "admin.Admin")


def _home(application: str) -> str:
    return f"{_SOURCE}-boot-4" if application == _BOOT_4 else _SOURCE
