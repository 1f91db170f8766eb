"""Memory of a long-running process: free memory is returned to the system, and fragmentation is kept low.

The GNU C library gives threads arenas of their own, sixteen on two processors, and keeps what is free in each. A guard answers
each connection in a new thread: over a day, pieces of everything lie in every arena.

Source: mallopt(3), malloc_trim(3).
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from typing import Any, Final

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX of malloc.h."""
_SETTINGS: Final = (
    (
        "MALLOC_ARENA_MAX",
        _ARENA_MAX,
        1,
    ),  # the interpreter lets one thread run at a time: they seldom wait for one another
    ("MALLOC_MMAP_THRESHOLD_", _MMAP_THRESHOLD, 1 << 17),  # once set it does not grow: a report stays out of the arena
    ("MALLOC_TRIM_THRESHOLD_", _TRIM_THRESHOLD, 1 << 17),
)
"""Variable of the environment by which a user may have set it himself, parameter, value."""
_OFTEN: Final = (700, 10, 10)
"""Python's own thresholds: what is left in circles is found while it is little."""


def stay_small() -> None:
    """Set up the allocator and the collector of a process that stays. To be called before it starts threads."""
    gc.set_threshold(*_OFTEN)
    library = _library()
    if library is not None:
        for variable, parameter, value in _SETTINGS:
            if variable not in os.environ:
                library.mallopt(parameter, value)


def give_back() -> None:
    """Find what is left in circles, and give what is free back to the system: after a look, which leaves much of both."""
    gc.collect()
    library = _library()
    if library is not None:
        library.malloc_trim(0)


def _library() -> Any:
    """Return the C library, where it is GNU's; else None."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
