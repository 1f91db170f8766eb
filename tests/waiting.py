"""Waiting for what a real server does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_until(look: Callable[[], Any], what: str, within_s: float = 180.0, every_s: float = 0.05) -> Any:
    """Look until there is something, and return it; after ``within_s`` seconds it is an error that says ``what``."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(every_s)
    raise AssertionError(f"not within {within_s:g} s: {what}")
