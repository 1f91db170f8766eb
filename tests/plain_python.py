"""A package as it runs without a compiler: the same sources, loaded as plain Python beside the compiled modules."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

_loaded: dict[str, dict[str, ModuleType]] = {}


class _SourcesOnly(MetaPathFinder):
    """Finds the modules of a package by their .py files, and no Cython."""

    def __init__(self, package: ModuleType) -> None:
        self._name = package.__name__
        self._folder = Path(package.__file__ or "").parent

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "cython":
            raise ModuleNotFoundError("No module named 'cython'", name="cython")
        if fullname.startswith(f"{self._name}."):
            path_of_it = self._folder.joinpath(*fullname.removeprefix(f"{self._name}.").split("."))
            if path_of_it.is_dir():
                inside = [str(path_of_it)]
                return spec_from_file_location(fullname, path_of_it / "__init__.py", submodule_search_locations=inside)
            return spec_from_file_location(fullname, path_of_it.with_suffix(".py"))
        return None


@contextmanager
def uncompiled(package: ModuleType) -> Iterator[None]:
    """Inside, whatever is imported of the package is plain Python."""

    def taken_out() -> dict[str, ModuleType]:
        names = [name for name in sys.modules if name == "cython" or name.startswith(f"{package.__name__}.")]
        return {name: sys.modules.pop(name) for name in names}

    kept = taken_out()
    attributes = dict(vars(package))
    sys.modules.update(_loaded.get(package.__name__, {}))
    finder = _SourcesOnly(package)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _loaded[package.__name__] = taken_out()
        sys.modules.update(kept)
        vars(package).clear()
        vars(package).update(attributes)


def module_at(path: Path, name: str) -> ModuleType:
    """Load a file as a module of this name, which nobody else can import."""
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def is_compiled(module: str) -> bool:
    """Tell whether a module of this interpreter is."""
    return not str(importlib.import_module(module).__file__).endswith(".py")
