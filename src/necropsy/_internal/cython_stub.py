"""The names of Cython that the sources of compiled units use when they run uncompiled.

They are plain Python. Where a compiler is at hand they are built as extensions, with the C types that stand in the ``.pxd``
file beside each; where there is none, Python runs them, slower, with the same answers.
"""

from __future__ import annotations

import contextlib

compiled = False
nogil = contextlib.nullcontext()
