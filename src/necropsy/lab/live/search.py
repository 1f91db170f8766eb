"""OpenSearch in the lab: built once by Maven from ``lab/opensearch``, and who ships the error logs into it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from necropsy.lab.live import maven
from necropsy.lab.live.plan import LabPlan

INDEX: Final = "app-errors"
_MEMORY: Final = "-Xmx384m"


def build(binary: Path) -> None:
    """Build it, if that was not done before or the source is newer; raises as ``maven.build``."""
    maven.build("opensearch", binary)


def java_options() -> tuple[str, ...]:
    """Options of Java, up to the main class; HOST, HTTP-PORT, TRANSPORT-PORT and HOME come after it."""
    return (_MEMORY, *maven.java_options("opensearch"), "search.Search")


def address(plan: LabPlan) -> str:
    """Return where the error logs of a lab are, as ``--app-log`` takes it."""
    return f"opensearch://{plan.at('opensearch')}/{INDEX}"
