"""The type of a progress callback."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float | None], None]
"""Called with what is being done and how far it is (0 to 1; None when unknown)."""
