"""What the sources here need of Cython when they run uncompiled: to know that they do.

The modules of this room are plain Python. Where a compiler is at hand they are built as extensions, with the C types
that stand in the ``.pxd`` file beside each; where there is none, Python runs them as they are, slower, with the same
answers. ``tests/evidence/rdb/test_compiled.py`` holds the two against each other.
"""

import contextlib

compiled = False
nogil = contextlib.nullcontext()
