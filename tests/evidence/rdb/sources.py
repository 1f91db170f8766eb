"""The reader of dumps as it runs without a compiler."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import plain_python
from necropsy.evidence import rdb

FOLDER = Path(rdb.__file__ or "").parent


def is_compiled() -> bool:
    """Tell whether the reader of this interpreter is."""
    return plain_python.is_compiled(f"{rdb.__name__}.scan")


def uncompiled() -> AbstractContextManager[None]:
    """Inside, whatever is imported of the reader is plain Python."""
    return plain_python.uncompiled(rdb)
