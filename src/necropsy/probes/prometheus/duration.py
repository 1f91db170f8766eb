"""Prometheus durations, read and printed as ``model.ParseDuration`` and ``Duration.String`` do (prometheus/common)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_UNITS: Final = (
    ("y", 365 * 24 * 3600 * 1000),
    ("w", 7 * 24 * 3600 * 1000),
    ("d", 24 * 3600 * 1000),
    ("h", 3600 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
)
"""Units in milliseconds. A year has 365 days."""
_DURATION: Final = re.compile("".join(f"(?:([0-9]+){unit})?" for unit, _ in _UNITS), re.ASCII)
_LONGEST_MS: Final = (2**63 - 1) // 1_000_000
"""Go keeps a duration in 63 bits of nanoseconds."""


@lru_cache(maxsize=4096)
def parse_duration(text: str) -> int:
    """Return milliseconds.

    >>> parse_duration("1m30s"), parse_duration("0")
    (90000, 0)

    Raises
    ------
    ValueError
        It is no duration of Prometheus: no unit, units out of order, a fraction, or more than 292 years.
    """
    if text == "0":  # the only number that needs no unit
        return 0
    match = _DURATION.fullmatch(text)
    if not text or not match:
        raise ValueError(f'not a valid duration string: "{text}"')
    total = sum(int(number) * size for number, (_, size) in zip(match.groups(), _UNITS, strict=True) if number)
    if total > _LONGEST_MS:
        raise ValueError(f'duration out of range: "{text}"')
    return total


def format_duration(milliseconds: int) -> str:
    """Print a duration as Prometheus puts it into a label: years and weeks only when they divide it evenly.

    >>> format_duration(90_000), format_duration(8 * 24 * 3600 * 1000), format_duration(0)
    ('1m30s', '8d', '0s')
    """
    if milliseconds == 0:
        return "0s"
    parts = []
    rest = milliseconds
    for unit, size in _UNITS:
        if unit in ("y", "w") and rest % size:
            continue
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
