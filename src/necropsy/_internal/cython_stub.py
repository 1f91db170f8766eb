"""What sources that may be compiled need of Cython when they run as they are: to know that they do.

They are plain Python. Where a compiler is at hand they are built as extensions, with the C types that stand in the ``.pxd``
file beside each; where there is none, Python runs them, slower, with the same answers.
"""

from __future__ import annotations

import contextlib

compiled = False
nogil = contextlib.nullcontext()
