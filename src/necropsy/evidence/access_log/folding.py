"""Folding: whether visits pile up at one phase of a period, more than the bursts of people would.

Cut each turn of the period into B cells and count in how many turns a cell is occupied (a burst inside one cell counts
once). Visitors without rhythm have no favourite cell: however bursty they are, a cell is occupied in about
``mu = occupied cells / B`` turns, and in ``x`` or more only with a chance below ``B exp(-(x ln(x/mu) - x + mu))``
(Chernoff). That test is sharp: it finds a prober inside its own noise of people. What jitters over many cells is found
by the resultant length R of coarse cells instead: chance ``exp(-n R²)`` (Rayleigh).

Everything runs over all classes at once, one period a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CELLS: Final = 64
"""Cells of a turn, at most; never finer than the log's own resolution."""
FEW_CELLS: Final = 16
"""The same where no class has as many as ``FEW`` visits: more cells cost more and tell hardly more."""
FEW: Final = 32
COARSE: Final = 8
_WORTH_A_LOOK: Final = 4.0
"""Evidence below which nobody asks for the coverage."""


@dataclass(slots=True)
class Visits:
    """Visits sorted by class and time."""

    owner: NDArray[np.int64]
    """Position of the class of each visit, ascending, from 0 without holes."""
    seconds: NDArray[np.float64]
    """Time of each visit, seconds since some origin."""
    classes: int
    resolution: NDArray[np.float64]
    """Of the clock, per class, seconds."""
    _counts: NDArray[np.int64] | None = None

    def counts(self) -> NDArray[np.int64]:
        """Visits per class."""
        import numpy as np

        if self._counts is None:
            self._counts = np.bincount(self.owner, minlength=self.classes)
        return self._counts

    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Index of the first and of the last visit of each class."""
        import numpy as np

        last = np.cumsum(self.counts()) - 1
        return np.concatenate([[0], last[:-1] + 1]), last

    def span(self) -> NDArray[np.float64]:
        """Seconds between first and last visit, per class."""
        first, last = self.edges()
        return self.seconds[last] - self.seconds[first]

    @staticmethod
    def attainable(counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the evidence of so many visits that are all in one cell: more there cannot be."""
        import numpy as np

        cells = np.where(counts < FEW, FEW_CELLS, CELLS)
        sharp = counts * (np.log(cells) - 1 + 1 / cells) - np.log(2 * cells)
        highest: NDArray[np.float64] = np.maximum(sharp, counts.astype(np.float64))
        return highest

    def only(self, chosen: NDArray[np.bool_]) -> Visits:
        """Return the visits of some classes, renumbered."""
        import numpy as np

        inside = chosen[self.owner]
        number = np.cumsum(chosen) - 1
        return Visits(number[self.owner[inside]], self.seconds[inside], int(chosen.sum()), self.resolution[chosen])


@dataclass(slots=True)
class Fold:
    """What one folding says, per class."""

    evidence: NDArray[np.float64]
    """Natural logarithm of one over the chance that people did this, over all cells; 0 where nothing can be said."""
    coverage: NDArray[np.float64]
    """Share of turns in which the favourite cell is occupied."""
    sharp: NDArray[np.bool_]
    """Whether the sharp test gave the evidence."""
    peak: NDArray[np.float64]
    """Middle of the favourite cell, as a share of the turn, relative to the origin of the times."""


def fold(visits: Visits, period: NDArray[np.float64]) -> Fold:
    """Fold the visits of each class over its period.

    Parameters
    ----------
    visits
        The classes.
    period
        Seconds, per class, all finite.
    """
    import numpy as np

    expected = np.maximum(1.0, np.floor(visits.span() / period) + 1)
    most = FEW_CELLS if visits.counts().max(initial=0) < FEW else CELLS
    cells = np.clip(np.floor(period / visits.resolution), 1, most).astype(np.int64)
    turns = visits.seconds * (1 / period)[visits.owner]
    turn = np.floor(turns)
    turns -= turn
    sharp, x, peak = _sharp(_occupied(visits, turn, turns, cells, most), cells)
    coarse, coarse_peak = _coarse(_occupied(visits, turn, turns, COARSE, COARSE))
    coarse = np.where(period >= 4 * visits.resolution, coarse, 0.0)
    is_sharp = sharp >= coarse
    spread_out = ~is_sharp & (coarse >= _WORTH_A_LOOK)
    if spread_out.any():
        x[spread_out] = _half_turns(visits.only(spread_out), period[spread_out], coarse_peak[spread_out])
    return Fold(
        np.maximum(sharp, coarse), np.minimum(1.0, x / expected), is_sharp, np.where(is_sharp, peak, coarse_peak)
    )


def _half_turns(visits: Visits, period: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the number of turns that have a visit in the half around a phase."""
    import numpy as np

    turns = visits.seconds / period[visits.owner] - centre[visits.owner]
    near = np.abs((turns + 0.5) % 1.0 - 0.5) <= 0.25
    tick, owner = np.floor(turns + 0.5)[near], visits.owner[near]
    return np.bincount(owner[first_of(tick, owner)], minlength=visits.classes).astype(np.float64)


def first_of(number: NDArray[np.generic], owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the first of each run of equal numbers within an owner."""
    import numpy as np

    first = np.ones(number.size, dtype=bool)
    first[1:] = (number[1:] != number[:-1]) | (owner[1:] != owner[:-1])
    return first


def _occupied(
    visits: Visits, turn: NDArray[np.float64], place: NDArray[np.float64], cells: NDArray[np.int64] | int, width: int
) -> NDArray[np.float64]:
    """Return in how many turns each cell is occupied: an array of classes by ``width`` cells.

    ``turn`` and ``place`` are the number of the turn of each visit and its place in it, 0 to 1.
    """
    import numpy as np

    owner = visits.owner
    cell = (place * (cells if isinstance(cells, int) else cells[owner])).astype(np.int64)
    cell += owner * width
    fresh = np.ones(cell.size, dtype=bool)
    fresh[1:] = (cell[1:] != cell[:-1]) | (turn[1:] != turn[:-1])
    flat = np.bincount(cell[fresh], minlength=visits.classes * width)
    return flat.reshape(visits.classes, width).astype(np.float64)


def _sharp(
    occupied: NDArray[np.float64], cells: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the evidence of the favourite cell, the turns in which it is occupied, and its middle."""
    import numpy as np

    everyone = np.arange(cells.size)
    mean = occupied.sum(axis=1) / cells
    one = np.argmax(occupied, axis=1)
    x = occupied[everyone, one]
    evidence, middle = _surprise(x, mean), (one + 0.5) / cells
    # A phase at the border of two cells falls into either: neighbours count together, too.
    both = occupied.copy()
    both[:, :-1] += occupied[:, 1:]
    both[everyone, cells - 1] += occupied[:, 0]
    two = np.argmax(both, axis=1)
    x_both = both[everyone, two]
    pair = np.where(cells >= 4, _surprise(x_both, 2 * mean), 0.0)
    better = pair > evidence
    middle = np.where(better, ((two + 1.0) % cells) / cells, middle)
    evidence = np.maximum(0.0, np.where(better, pair, evidence) - np.log(2 * cells))
    return np.where(cells >= 2, evidence, 0.0), np.where(better, x_both, x), middle


def _surprise(x: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Chernoff exponent of a count above its mean."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = x * np.log(x / mean) - x + mean
    return np.where(x > mean, exponent, 0.0)


def _coarse(occupied: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the evidence of the resultant length over coarse cells, and its direction as a share of the turn."""
    import numpy as np

    angles = 2 * np.pi * (np.arange(COARSE) + 0.5) / COARSE
    east, north = occupied @ np.cos(angles), occupied @ np.sin(angles)
    number = np.maximum(1.0, occupied.sum(axis=1))
    return (east**2 + north**2) / number, (np.arctan2(north, east) / (2 * np.pi)) % 1.0
