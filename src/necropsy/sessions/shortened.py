"""A lifetime that was shortened while sessions of the older one still live: what is left of each tells both.

::

    a day until five hours ago, eight hours since          density of what is left, in hours
        3 to 8: of both lifetimes                             ______
        8 to 19: of a day, none newer than five hours        |      |
                                                       ______|      |___________
                                                       0     3      8          19

The longest is left of the last session of the older lifetime, so the change was ``older - longest`` ago. Since then
sessions of the newer one have come: they have between ``newer - that time`` and ``newer`` left. A store in which
nothing was changed has no step at a lifetime that people write, and another one at just that distance from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST: Final = 60
"""Sessions of either lifetime."""
_BESIDE: Final = 0.25
_IN_STRIP: Final = 300
"""Width of the strips on both sides of a step that are compared, as a share of what is there, and in sessions at most: in a
narrow one nothing rises by day and falls by night."""
_SURE: Final = 5.0
"""Height of a step in standard deviations."""
_SHORTEST_S: Final = 300.0
"""Time since the change from which it is told."""


@dataclass(frozen=True, slots=True)
class Shortened:
    """Two lifetimes that were found, when the one took the other's place, and whose is which."""

    older_s: int
    newer_s: int
    since_s: float
    """Seconds since the change."""
    newer: NDArray[np.int64]
    """Places of the sessions of the newer lifetime; of those that may be of either, as many as it has."""


def find(left_s: NDArray[np.float64], usual: Sequence[int]) -> Shortened | None:
    """Find the change; None where the times left show none.

    Parameters
    ----------
    left_s
        What is left of each session, seconds, sorted.
    usual
        Lifetimes that people write into configurations, seconds.

    >>> older, newer = np.arange(0, 68_400, 20.0), np.arange(10_800, 28_800, 20.0)
    >>> found = find(np.sort(np.concatenate([older, newer])), (28_800, 86_400))
    >>> found.older_s, found.newer_s, found.since_s, found.newer.size
    (86400, 28800, 18020.0, 900)
    """
    gone = int(np.searchsorted(left_s, 0.0, side="right"))
    left_s = left_s[gone:]
    if left_s.size < 2 * _FEWEST:
        return None
    longest = float(left_s[-1])
    best: tuple[float, int, int] | None = None
    for older in usual:
        since = older - longest
        for newer in usual:
            if since >= _SHORTEST_S and newer < longest and (height := _height(left_s, newer, since)) >= _SURE:
                best = max(best or (0.0, 0, 0), (height, older, newer))
    if best is None:
        return None
    _, older, newer = best
    since = older - longest
    fresh = _fresh(left_s, newer, since)
    return Shortened(older, newer, since, fresh + gone) if fresh.size >= _FEWEST else None


def _height(left_s: NDArray[np.float64], newer: float, since_s: float) -> float:
    """Height of the lower of the two steps, in standard deviations; 0 where one cannot be seen.

    A change longer ago than the newer lifetime has no lower step: then nothing tells the older one.
    """
    begin, longest = newer - since_s, float(left_s[-1])
    strip = _BESIDE * min(since_s, longest - newer, begin)
    return min(_step(left_s, begin, strip), -_step(left_s, newer, strip)) if strip > 0 else 0.0


def _step(left_s: NDArray[np.float64], at: float, strip: float) -> float:
    """Step of the density at a place, from below to above, in standard deviations."""
    here = int(np.searchsorted(left_s, at, side="right"))
    near = left_s[[max(0, here - _IN_STRIP), min(left_s.size - 1, here + _IN_STRIP)]]
    strip = min(strip, float(np.abs(near - at).max()))
    below, middle, above = np.searchsorted(left_s, [at - strip, at, at + strip], side="right").tolist()
    return float((above - 2 * middle + below) / np.sqrt(max(1, above - below)))


def _fresh(left_s: NDArray[np.float64], newer: float, since_s: float) -> NDArray[np.int64]:
    """Sessions of the newer lifetime: of those between the steps as large a part as lies above the density outside, in turn."""
    first, last = np.searchsorted(left_s, [newer - since_s, newer], side="right").tolist()
    inside = last - first
    width = newer - max(0.0, newer - since_s)
    outside = (left_s.size - inside) / max(1.0, float(left_s[-1]) - width)
    part = max(0.0, 1 - outside * width / max(1, inside))
    count = np.floor(part * np.arange(inside + 1))
    return np.asarray(first + np.flatnonzero(np.diff(count)), dtype=np.int64)
