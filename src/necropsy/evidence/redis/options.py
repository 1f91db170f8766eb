"""Options for reading live stores: the read method, the latency budget, the password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from necropsy.evidence.redis.read_methods import AUTO
from necropsy.model.errors import UsageError
from necropsy.wire.redis.address import Secret

_UNITS: Final = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(us|µs|ms|s)")


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """The same for every live store of a run."""

    way: str = AUTO
    """``auto``, ``stream``, ``script`` or ``pipeline``."""
    max_impact_s: float = 0.001
    """Latency that others may suffer."""
    password: Secret | None = None
    """Typed by a person; None: as the address and the environment say."""
    patient: bool = False
    """Whether it matters more that reading costs the server little than that it is soon over: nobody waits for it."""


def parse_impact(text: str) -> float:
    """Read a time such as ``1ms``; seconds.

    Raises
    ------
    UsageError
        It is none.

    >>> parse_impact("1ms"), parse_impact("0.5 s"), parse_impact("250us")
    (0.001, 0.5, 0.00025)
    """
    found = _DURATION.fullmatch(text.strip().lower())
    if not found:
        raise UsageError(f"not a duration: {text!r}", hint="Write --max-impact 1ms, 500us or 0.01s.")
    return round(float(found[1]) * _UNITS[found[2]], 9)
