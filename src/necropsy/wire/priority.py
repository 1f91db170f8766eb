"""The priority of a thread: work for which nobody waits, or that others must not feel, lets others go first."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import Final

_STANDS_BACK: Final = 10
"""Niceness, see sched(7): a tenth of the processor where it is wanted by others, all of it where it is not."""


def stand_back() -> None:
    """Lower the priority of this thread for good; nothing where priorities are those of a whole process."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _STANDS_BACK)


@contextlib.contextmanager
def standing_back() -> Iterator[None]:
    """Lower the priority of this thread for a while; who may not raise it again keeps it."""
    if sys.platform != "linux":
        yield
        return
    thread = threading.get_native_id()
    before = os.getpriority(os.PRIO_PROCESS, thread)
    stand_back()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, before)


class ProcessorWait:
    """Time that the thread that made it has waited for a processor: ready to run, while others ran.

    The second number of ``/proc/thread-self/schedstat``, in nanoseconds (sched-stats in the documentation of Linux)::

        45172518 3162714 134

    Elsewhere, or where it cannot be read, nothing is known of it and it is 0.
    """

    def __init__(self) -> None:
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._file = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)

    def so_far_s(self) -> float:
        """Return the seconds since the thread began."""
        if self._file is None:
            return 0.0
        try:
            return int(os.pread(self._file, 128, 0).split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def close(self) -> None:
        """Forget it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
