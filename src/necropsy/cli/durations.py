"""Durations on the command line."""

from __future__ import annotations

from typing import Final

from necropsy.model.durations import seconds_of
from necropsy.model.errors import UsageError

SHORTEST_CENSUS_S: Final = 10.0
"""Sessions of a store are counted no more often than this."""
_EXAMPLES: Final = "Write it as 500ms, 90s, 10m, 1h30m or 7d."


def seconds(option: str, text: str, *, least: float = 0.0) -> float:
    """Return the seconds of an option's duration, such as ``500ms``, ``2s`` or ``1h30m``.

    Raises
    ------
    UsageError
        It is no duration, or 0, or below ``least`` seconds.
    """
    try:
        found = seconds_of(text)
    except UsageError:
        raise UsageError(f"{option} {text!r} is not a duration", hint=_EXAMPLES) from None
    if found <= 0:
        raise UsageError(f"{option} must be above 0", hint=_EXAMPLES)
    if found < least:
        raise UsageError(f"{option} {text}: {least:g}s at least", hint=_EXAMPLES)
    return found
