"""Ctrl-C and SIGTERM: one exception that ends the program in order, from wherever it is."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_AGAIN_S: Final = 1.0
_DUCKDB_STOPPED: Final = "Query interrupted"
"""The message of DuckDB's error after a signal raised an exception while it was at work."""


class Stopped(BaseException):
    """Somebody wants us to end. No KeyboardInterrupt, which the command line's library would turn into silence."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into ``Stopped`` while the block runs.

    The exception is raised again every second until it comes out of the block: compiled code that looks for a module
    (DuckDB for pandas) takes any exception for "there is none", and goes on.
    """
    stopped: list[Stopped] = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(Stopped(number))
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S, _AGAIN_S)
        raise stopped[0]

    def again(_number: int, _frame: object) -> None:
        if sys.exc_info()[1] is None:  # else one is on its way, and what it passes is cleaning up
            raise stopped[0]

    signal.signal(signal.SIGALRM, again)
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup: whoever started us wants it so
            signal.signal(number, stop)
    try:
        yield
    except RuntimeError as error:
        if not stopped or str(error) != _DUCKDB_STOPPED:
            raise
        raise stopped[0] from error
    finally:
        if stopped:
            signal.setitimer(signal.ITIMER_REAL, 0)
