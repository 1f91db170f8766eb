"""Settings of a process that runs one command and nothing else; a program that imports necropsy is left as it is."""

from __future__ import annotations

import gc
import os
import sys
from typing import Final

_SELDOM: Final = 100_000
"""New objects after which Python looks for circles among them: some ten megabytes."""


_tuned: list[bool] = []


class _WithoutPandas:
    """Refuses pandas: Arrow imports it wherever it is installed, and nothing here needs it.

    It would take 45 MB, and a sixth of the processor time of an examination.
    """

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Say of pandas that it is not there; of everything else nothing."""
        if name == "pandas":
            raise ModuleNotFoundError("this command does without pandas", name=name)


def refuse_pandas() -> None:
    """Let nobody import pandas any more; in a process that ``tune`` has made a command's own."""
    if _tuned and "pandas" not in sys.modules:
        sys.meta_path.insert(0, _WithoutPandas())


def tune() -> None:
    """Spare work that is of no use to a command. To be called before NumPy is imported."""
    _tuned.append(True)
    # What a run makes lives to its end, mostly: to look through it every seven hundred objects finds nothing to take back.
    gc.set_threshold(_SELDOM, 50, 100)
    # The threads of OpenBLAS spin for a tenth of a second after they start, waiting for matrices; ours are of ten rows.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
