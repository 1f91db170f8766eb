"""Settings of a process that runs one command and nothing else; a program that imports necropsy is left as it is."""

from __future__ import annotations

import gc
import os
from typing import Final

_SELDOM: Final = 100_000
"""New objects after which Python looks for circles among them: some ten megabytes."""


def tune() -> None:
    """Spare work that is of no use to a command. To be called before NumPy is imported."""
    # What a run makes lives to its end, mostly: to look through it every seven hundred objects finds nothing to take back.
    gc.set_threshold(_SELDOM, 50, 100)
    # The threads of OpenBLAS spin for a tenth of a second after they start, waiting for matrices; ours are of ten rows.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
