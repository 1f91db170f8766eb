"""The reader as it runs without a compiler: the same sources, loaded as plain Python beside the compiled modules."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

import necropsy.evidence.rdb as room

NAME = room.__name__
FOLDER = Path(room.__file__ or "").parent
_loaded: dict[str, ModuleType] = {}


class _SourcesOnly(MetaPathFinder):
    """Finds the modules of the room by their .py files, and no Cython."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "cython":
            raise ModuleNotFoundError("No module named 'cython'", name="cython")
        if fullname.startswith(f"{NAME}."):
            return spec_from_file_location(fullname, FOLDER / f"{fullname.removeprefix(f'{NAME}.')}.py")
        return None


def is_compiled() -> bool:
    """Tell whether the reader of this interpreter is."""
    return not str(importlib.import_module(f"{NAME}.scan").__file__).endswith(".py")


@contextmanager
def uncompiled() -> Iterator[None]:
    """Inside, whatever is imported of the room is plain Python."""
    own = [name for name in sys.modules if name == "cython" or name.startswith(f"{NAME}.")]
    kept = {name: sys.modules.pop(name) for name in own}
    attributes = dict(vars(room))
    sys.modules.update(_loaded)
    finder = _SourcesOnly()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name == "cython" or name.startswith(f"{NAME}.")]:
            _loaded[name] = sys.modules.pop(name)
        sys.modules.update(kept)
        vars(room).clear()
        vars(room).update(attributes)
