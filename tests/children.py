"""Commands run as children that a test can interrupt, and that do not outlive it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

NECROPSY: Final = "import runpy; runpy.run_module('necropsy.cli.main', run_name='__main__', alter_sys=True)"
_HEARS_CTRL_C: Final = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""A shell that starts jobs in the background has them ignore Ctrl-C; so may whatever runs these tests."""


@contextmanager
def started(*arguments: str, code: str = NECROPSY, out: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """Start Python with this code and these arguments; end it, where the test did not, when the block is left."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HEARS_CTRL_C + code, *arguments],
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()  # does nothing to one that has ended and was waited for
