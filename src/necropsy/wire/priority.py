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
