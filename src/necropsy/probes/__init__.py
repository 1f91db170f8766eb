"""Configuration → the exact URLs that will be hit, and when: discovery, relabelling, prober semantics. Pure.

``relabel`` and ``targets`` are public and stable, and imported only when they are first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from necropsy.probes.relabel import relabel
    from necropsy.probes.targets import targets

__all__ = ["relabel", "targets"]

_FUNCTIONS: Final = frozenset(__all__)


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(import_module(f"{__name__}.{name}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Package(ModuleType):
    """The functions have the names of their modules: keep the import system from putting the module in their place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FUNCTIONS and isinstance(value, ModuleType):
            value = getattr(value, name, value)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
