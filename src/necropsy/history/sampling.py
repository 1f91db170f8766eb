"""The distance between samples of a series on a finer grid: a downsampled store has one an hour, and nothing between them.

A server shows a sample for five minutes: on a grid of minutes one sample an hour is a stretch of five, then fifty-five without.
Such holes are no gaps: nothing is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST: Final = 4
"""Stretches from which a spacing is read."""
_ALIKE: Final = 0.25
_MOSTLY: Final = 0.8
"""Share of the distances that differ by less than a quarter from the usual one: else they are outages, at any time."""


def spacing(there: NDArray[np.bool_]) -> float:
    """Return the usual distance of samples in points of the grid, where it leaves holes; 0.0: it leaves none.

    >>> hourly = np.zeros(600, dtype=bool)
    >>> for sample in range(0, 600, 60):
    ...     hourly[sample : sample + 6] = True
    >>> spacing(hourly), spacing(np.ones(600, dtype=bool))
    (60.0, 0.0)
    """
    begins = np.flatnonzero(there & ~np.concatenate(([False], there[:-1])))
    if begins.size < _FEWEST:
        return 0.0
    apart = np.diff(begins)
    usual = float(np.median(apart))
    return usual if float(np.mean(np.abs(apart - usual) <= _ALIKE * usual)) >= _MOSTLY else 0.0
