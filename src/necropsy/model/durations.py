"""Durations as people write them: on the command line, in the files of an incident and of the guard.

Durations inside configuration files of other programs are read by the rules of those programs (``probes``).
"""

from __future__ import annotations

import re
from typing import Final

from necropsy.model.errors import UsageError

_UNITS_S: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_WHOLE: Final = re.compile(rf"(?:{_PART.pattern})+")


def seconds_of(text: str) -> float:
    """Return the seconds of a duration: numbers, each with its unit.

    >>> seconds_of("90m"), seconds_of("1h30m"), seconds_of("1.5h"), seconds_of("500ms"), seconds_of("7d")
    (5400.0, 5400.0, 5400.0, 0.5, 604800.0)

    Raises
    ------
    UsageError
        It is no duration.
    """
    given = text.strip().lower()
    if given == "0":
        return 0.0
    if not _WHOLE.fullmatch(given):
        raise UsageError(f"not a duration: {text!r}", hint="Write 30m, 1h or 7d.")
    return float(sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(given)))
