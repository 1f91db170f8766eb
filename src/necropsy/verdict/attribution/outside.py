"""Births outside the logs' time: what looks like the time that they cover has its creators, the rest has none known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BIN_S: Final = 600.0
_FEWEST: Final = 20
"""Births within the logs' time that tell their composition."""


def likeness(inside_s: NDArray[np.float64], outside_s: NDArray[np.float64], length_s: float) -> NDArray[np.float64]:
    """How much of each birth outside may be told from those inside: 1, or less where there are more than inside.

    Parameters
    ----------
    inside_s, outside_s
        Births within and outside the logs' time, in order.
    length_s
        Seconds of the logs' time.
    """
    if inside_s.size < _FEWEST or length_s <= 0 or not outside_s.size:
        return np.zeros(outside_s.size)
    usual = inside_s.size / length_s * _BIN_S
    # Nights and lunch hours: the busiest stretch that the logs do show is usual too.
    shown = np.bincount(((inside_s - inside_s[0]) // _BIN_S).astype(np.int64))
    most = max(usual + 4 * np.sqrt(usual) + 1, float(np.quantile(shown, 0.98)))
    place = np.floor((outside_s - outside_s[0]) / _BIN_S).astype(np.int64)
    counts = np.bincount(place)
    alike: NDArray[np.float64] = np.minimum(1.0, most / np.maximum(counts, 1))[place]
    return alike
