"""Whether the births in a store are those of a probe: windows with the probe, beside windows of the same length without it.

A window has a birth when the store had more keys at its end than at its beginning, and a key that is named like a session's was
written in it that was not written in a window before. In a store that people use some windows have births by chance; so many
windows are compared that chance is out of the question, or else nothing is said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

BORN: Final = "born"
"""Each probe starts a session."""
NONE: Final = "none"
"""No probe does."""
UNKNOWN: Final = ""

_LEAST: Final = 6
"""Windows of each kind before anything is said: six of six against none of six is chance once in 924 times."""
_MOST: Final = 40
"""Windows after which a target is left alone: the store has too many births, or the probe starts sessions only at times."""
_CHANCE: Final = 0.002
_EACH_TIME: Final = 0.8
_SESSION: Final = re.compile(rb"(?i)sess|(?:^|[:._-])sid[:._-]|redisson:tomcat|django\.contrib")
_ID: Final = re.compile(rb"(?=[\w-]*[A-Za-z_-])[\w-]{16,}")
"""Of 16 characters and more, and no mere number: a moment or a counter is no id."""


@dataclass(slots=True)
class WindowCounts:
    """The windows of one target beside one store."""

    probes: int = 0
    births: int = 0
    """Windows with the probe that had a birth."""
    controls: int = 0
    by_chance: int = 0
    """Windows without it that had one."""
    patterns: set[str] = field(default_factory=set)
    """Patterns of the keys that were born beside the probe, without their ids."""

    @property
    def verdict(self) -> str:
        """``BORN``, ``NONE``, or ``UNKNOWN``."""
        if min(self.probes, self.controls) < _LEAST:
            return UNKNOWN
        if not self.births:
            return NONE
        each_time = self.births >= _EACH_TIME * self.probes
        return BORN if each_time and chance(self) < _CHANCE else UNKNOWN

    @property
    def enough(self) -> bool:
        """Whether another window would change nothing."""
        return self.verdict != UNKNOWN or min(self.probes, self.controls) >= _MOST


def chance(windows: WindowCounts) -> float:
    """Return how probable so many births beside the probe are if it starts none (Fisher's exact test, one-sided).

    >>> round(chance(WindowCounts(6, 6, 6, 0)), 4), round(chance(WindowCounts(6, 6, 6, 5)), 2)
    (0.0011, 0.5)
    """
    n, m = windows.probes, windows.controls
    total = windows.births + windows.by_chance
    ways = sum(math.comb(n, k) * math.comb(m, total - k) for k in range(windows.births, min(n, total) + 1))
    return ways / math.comb(n + m, total)


def sessions_of(keys: Iterable[bytes]) -> dict[bytes, str]:
    """Return, of keys that are named like a session's, the id of each and the pattern of its name.

    >>> sessions_of([b"sess:q3VnXk9ZpT0aLw2e", b"spring:session:sessions:0f8b1c1e-77aa-4b0e", b"rate:10.0.0.1"])
    {b'q3VnXk9ZpT0aLw2e': 'sess:*', b'0f8b1c1e-77aa-4b0e': 'spring:session:sessions:*'}
    """
    found: dict[bytes, str] = {}
    for key in keys:
        if _SESSION.search(key) is None:
            continue
        ids = _ID.findall(key)
        if ids:
            found.setdefault(ids[-1], _ID.sub(b"*", key).decode("ascii", "replace")[:80])
    return found
