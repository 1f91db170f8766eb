"""The compiled units: all of them are used, or none.

A unit is plain Python with the C types of a ``.pxd`` beside it. The units share C structures, so one that is compiled does
not work with one that is not. An installation in which only some were built, or of which a file was lost, runs uncompiled:
with the same answers, but slower (a dump takes about seven times as long).

``setup.py`` reads ``UNITS`` from here, before anything is installed: this module imports the standard library alone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

UNITS: Final[tuple[str, ...]] = (
    "necropsy.case.siphash",
    "necropsy.evidence.access_log.scanner.byte_loops",
    "necropsy.evidence.access_log.scanner.line_values",
    "necropsy.evidence.access_log.scanner.path_templates",
    "necropsy.evidence.access_log.scanner.scan",
    "necropsy.evidence.rdb.checksum",
    "necropsy.evidence.rdb.columns",
    "necropsy.evidence.rdb.kernels",
    "necropsy.evidence.rdb.packed",
    "necropsy.evidence.rdb.projection",
    "necropsy.evidence.rdb.radix",
    "necropsy.evidence.rdb.read_buffer",
    "necropsy.evidence.rdb.scan",
    "necropsy.evidence.rdb.sizes",
    "necropsy.evidence.rdb.skip",
    "necropsy.evidence.rdb.templates",
    "necropsy.evidence.rdb.values",
    "necropsy.rhythm.kernels",
    "necropsy.sessions.kernels",
)
_ROOT: Final = Path(__file__).parents[2]
HINT: Final = "For large dumps and logs install it compiled: from a wheel, or with a C compiler."


def missing() -> tuple[str, ...]:
    """Return the units that are not compiled in this installation."""
    suffix = EXTENSION_SUFFIXES[0]
    return tuple(unit for unit in UNITS if not (_ROOT / (unit.replace(".", "/") + suffix)).is_file())


def why_uncompiled() -> str:
    """Return why this installation runs uncompiled; empty when it is compiled.

    ``it runs uncompiled: 1 of its 19 compiled units is missing (necropsy.evidence.rdb.columns)``
    """
    gone = missing()
    if not gone:
        return ""
    if len(gone) == len(UNITS):
        return "it runs uncompiled, as it was installed"
    verb = "is" if len(gone) == 1 else "are"
    return f"it runs uncompiled: {len(gone)} of its {len(UNITS)} compiled units {verb} missing ({', '.join(gone)})"


class _SourcesOnly(MetaPathFinder):
    """Finds the units by their ``.py`` files, even where a compiled one lies beside it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname in UNITS:
            return spec_from_file_location(fullname, _ROOT / (fullname.replace(".", "/") + ".py"))
        return None


def use_all_or_none() -> None:
    """Have every unit imported uncompiled where only some are compiled; called when ``necropsy`` is imported."""
    if 0 < len(missing()) < len(UNITS):
        sys.meta_path.insert(0, _SourcesOnly())
