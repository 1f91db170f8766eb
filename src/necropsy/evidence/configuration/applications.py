"""Open the sources and settings of applications that were named, or that lie below a folder that was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from necropsy._internal.paths import is_dir, is_file
from necropsy.model.errors import UnreadableSource
from necropsy.sessions.application import SUFFIXES, is_known, settings
from necropsy.sessions.registry import cures
from necropsy.wire.files import expand, read_text

_SKIPPED: Final = frozenset(
    {"node_modules", "vendor", "venv", "dist", "build", "target", "__pycache__", "site-packages"}
)
_MOST_FILES: Final = 10_000
_MOST_BYTES: Final = 1_000_000
"""A longer file was not written by a person."""


def read(names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return rows of ``application_setting`` by file, of every file that is an application's; most have none.

    A file that says of no framework that it uses it is left out: of what stands in it nothing is known.

    What cannot be read is left out here: it is said by who reads configuration.
    """
    frameworks = {layout: cure.framework for layout, cure in cures().items()}
    found: dict[str, list[dict[str, Any]]] = {}
    for name in expand(names):
        for file in map(str, _sources(Path(name))) if is_dir(name) else (name,):
            if Path(file).suffix.lower() not in SUFFIXES:
                continue
            try:
                if Path(file).stat().st_size > _MOST_BYTES:
                    continue
                text = read_text(file)
            except (UnreadableSource, OSError):
                continue
            if not is_known(Path(file).name, text):
                continue
            found[file] = [
                {
                    "file": file,
                    "line": one.line,
                    "layout": one.layout,
                    "framework": frameworks[one.layout],
                    "meaning": one.meaning,
                    "instead": one.instead,
                }
                for one in settings(Path(file).name, text)
            ]
    return found


def _sources(folder: Path) -> Iterator[Path]:
    """Yield what may be sources below a folder; hidden folders and those of packages are left out."""
    found = 0
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if any(part.startswith(".") or part in _SKIPPED for part in inside):
            continue
        if path.suffix.lower() in SUFFIXES and is_file(path):
            found += 1
            if found > _MOST_FILES:
                return
            yield path
