"""Phase folding: whether visits pile up at one phase of a period, more than the bursts of people would.

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

from necropsy.rhythm import kernels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CELLS: Final = 64
"""Cells of a turn, at most; never finer than the log's own resolution."""
FEW_CELLS: Final = 16
"""The same where no class has as many as ``FEW`` visits: more cells cost more and tell hardly more."""
FEW: Final = 32
COARSE: Final = kernels.COARSE
_ALL: Final = slice(None)
_WORTH_A_LOOK: Final = 4.0
"""Evidence below which nobody asks for the coverage."""


@dataclass(slots=True)
class SortedVisits:
    """Visits sorted by class and time."""

    owner: NDArray[np.int64]
    """Position of the class of each visit, ascending, from 0 without holes."""
    seconds: NDArray[np.float64]
    """Time of each visit, seconds since some origin."""
    classes: int
    resolution: NDArray[np.float64]
    """Of the clock, per class, seconds."""
    _counts: NDArray[np.int64] | None = None
    _edges: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    _span: NDArray[np.float64] | None = None

    def counts(self) -> NDArray[np.int64]:
        """Visits per class."""
        import numpy as np

        if self._counts is None:
            self._counts = np.bincount(self.owner, minlength=self.classes)
        return self._counts

    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Index of the first and of the last visit of each class."""
        import numpy as np

        if self._edges is None:
            last = np.cumsum(self.counts()) - 1
            self._edges = np.concatenate([[0], last[:-1] + 1]), last
        return self._edges

    def span(self) -> NDArray[np.float64]:
        """Seconds between first and last visit, per class."""
        if self._span is None:
            first, last = self.edges()
            self._span = self.seconds[last] - self.seconds[first]
        return self._span

    @staticmethod
    def attainable(counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the evidence of so many visits that are all in one cell: more there cannot be."""
        import numpy as np

        cells = np.where(counts < FEW, FEW_CELLS, CELLS)
        sharp = counts * (np.log(cells) - 1 + 1 / cells) - np.log(2 * cells)
        highest: NDArray[np.float64] = np.maximum(sharp, counts.astype(np.float64))
        return highest

    def only(self, chosen: NDArray[np.bool_]) -> SortedVisits:
        """Return the visits of some classes, renumbered."""
        import numpy as np

        first, _ = self.edges()
        counts = self.counts()[chosen]
        owner = np.repeat(np.arange(counts.size), counts)
        index = np.arange(owner.size) + (first[chosen] - np.cumsum(counts) + counts)[owner]
        return SortedVisits(owner, self.seconds[index], counts.size, self.resolution[chosen])


@dataclass(slots=True)
class Fold:
    """The result of one folding, per class."""

    evidence: NDArray[np.float64]
    """Natural logarithm of one over the chance that people did this, over all cells; 0 where nothing can be said."""
    coverage: NDArray[np.float64]
    """Share of turns in which the favourite cell is occupied."""
    sharp: NDArray[np.bool_]
    """Whether the sharp test gave the evidence."""
    _fine: _Sharp
    _rough: _Coarse

    def peak(self) -> NDArray[np.float64]:
        """Return the middle of the favourite cell, as a share of the turn, relative to the origin of the times."""
        import numpy as np

        return np.where(self.sharp, self._fine.middle(), self._rough.direction())


def fold(visits: SortedVisits, period: NDArray[np.float64], some: NDArray[np.bool_] | None = None) -> Fold:
    """Fold the visits of each class over its period.

    Parameters
    ----------
    visits
        The classes.
    period
        Seconds, per class, all finite.
    some
        The classes that ``period`` is about, if not all.
    """
    import numpy as np

    every = np.arange(visits.classes) if some is None else np.flatnonzero(some)
    resolution = visits.resolution[every]
    expected = np.maximum(1.0, np.floor(visits.span()[every] / period) + 1)
    most = FEW_CELLS if visits.counts()[every].max(initial=0) < FEW else CELLS
    cells = np.clip(np.floor(period / resolution), 1, most).astype(np.int64)
    occupied = (_occupied if kernels.COMPILED else _occupied_in_columns)(visits, every, 1 / period, cells)
    fine, rough = _sharp(occupied, cells), _coarse(occupied.coarse)
    coarse = np.where(period >= 4 * resolution, rough.evidence, 0.0)
    is_sharp = fine.evidence >= coarse
    seen = fine.turns
    spread_out = ~is_sharp & (coarse >= _WORTH_A_LOOK)
    if spread_out.any():
        chosen = np.zeros(visits.classes, dtype=bool)
        chosen[every[spread_out]] = True
        seen[spread_out] = _half_turns(visits.only(chosen), period[spread_out], rough.direction(spread_out))
    return Fold(np.maximum(fine.evidence, coarse), np.minimum(1.0, seen / expected), is_sharp, fine, rough)


def _half_turns(visits: SortedVisits, period: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
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


@dataclass(slots=True)
class _Occupied:
    """In how many turns cells are occupied, per class."""

    one: NDArray[np.int64]
    """The favourite cell."""
    two: NDArray[np.int64]
    """The cell that is favourite together with the next one, the first being next to the last."""
    turns: NDArray[np.int64]
    """Three columns: of the favourite; of the two; of all cells."""
    coarse: NDArray[np.int64]
    """``COARSE`` columns."""


def _occupied(
    visits: SortedVisits, every: NDArray[np.int64], rate: NDArray[np.float64], cells: NDArray[np.int64]
) -> _Occupied:
    """Count for the classes ``every``, whose periods have a rate (turns a second) and so many cells a turn."""
    import numpy as np

    first, last = visits.edges()
    favourites, sums, coarse = (np.empty((every.size, width), dtype=np.int64) for width in (2, 3, COARSE))
    room = np.empty(int(cells.max(initial=0)) + 1, dtype=np.int64)
    flat = favourites.reshape(-1), sums.reshape(-1), coarse.reshape(-1)
    kernels.occupy(visits.seconds, first[every], last[every] + 1, rate, cells, room, *flat)
    return _Occupied(favourites[:, 0], favourites[:, 1], sums, coarse)


def _occupied_in_columns(
    visits: SortedVisits, every: NDArray[np.int64], rate: NDArray[np.float64], cells: NDArray[np.int64]
) -> _Occupied:
    """Do the same with NumPy."""
    import numpy as np

    if every.size < visits.classes:
        chosen = np.zeros(visits.classes, dtype=bool)
        chosen[every] = True
        visits = visits.only(chosen)
    place = visits.seconds * rate[visits.owner]
    turn = np.floor(place)
    place -= turn
    fine = _counted(visits, turn, place, cells)
    everyone = np.arange(cells.size)
    one = np.argmax(fine, axis=1)
    # A phase at the border of two cells falls into either: neighbours count together, too.
    both = fine.copy()
    both[:, :-1] += fine[:, 1:]
    both[everyone, cells - 1] += fine[:, 0]
    two = np.argmax(both, axis=1)
    sums = np.column_stack([fine[everyone, one], both[everyone, two], fine.sum(axis=1)])
    return _Occupied(one, two, sums, _counted(visits, turn, place, np.full(cells.size, COARSE)))


def _counted(
    visits: SortedVisits, turn: NDArray[np.float64], place: NDArray[np.float64], cells: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return in how many turns each cell is occupied: an array of classes by as many cells as any has.

    ``turn`` and ``place`` are the number of the turn of each visit and its place in it, 0 to 1.
    """
    import numpy as np

    owner, width = visits.owner, int(cells.max(initial=1))
    # What rounding puts at the end of a turn has no cell of its own.
    cell = np.minimum((place * cells[owner]).astype(np.int64), (cells - 1)[owner])
    cell += owner * width
    fresh = np.ones(cell.size, dtype=bool)
    fresh[1:] = (cell[1:] != cell[:-1]) | (turn[1:] != turn[:-1])
    flat = np.bincount(cell[fresh], minlength=visits.classes * width)
    return flat.reshape(visits.classes, width).astype(np.int64)


@dataclass(slots=True)
class _Sharp:
    """The evidence of the favourite cell."""

    evidence: NDArray[np.float64]
    turns: NDArray[np.float64]
    """In which the favourite is occupied."""
    of_two: NDArray[np.bool_]
    """Whether the favourite is two cells."""
    _occupied: _Occupied
    _cells: NDArray[np.int64]

    def middle(self) -> NDArray[np.float64]:
        """Return the middle of the favourite, as a share of the turn."""
        import numpy as np

        one, two = (self._occupied.one + 0.5) / self._cells, ((self._occupied.two + 1.0) % self._cells) / self._cells
        return np.where(self.of_two, two, one)


def _sharp(occupied: _Occupied, cells: NDArray[np.int64]) -> _Sharp:
    import numpy as np

    x, x_both, total = occupied.turns.astype(np.float64).T
    mean = total / cells
    evidence = _surprise(x, mean)
    pair = np.where(cells >= 4, _surprise(x_both, 2 * mean), 0.0)
    better = pair > evidence
    evidence = np.maximum(0.0, np.where(better, pair, evidence) - np.log(2 * cells))
    return _Sharp(np.where(cells >= 2, evidence, 0.0), np.where(better, x_both, x), better, occupied, cells)


def _surprise(x: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Chernoff exponent of a count above its mean."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = x * np.log(x / mean) - x + mean
    return np.where(x > mean, exponent, 0.0)


@dataclass(slots=True)
class _Coarse:
    """The evidence of the resultant of the coarse cells."""

    evidence: NDArray[np.float64]
    _east: NDArray[np.float64]
    _north: NDArray[np.float64]

    def direction(self, chosen: NDArray[np.bool_] | slice = _ALL) -> NDArray[np.float64]:
        """Return where it points, as a share of the turn."""
        import numpy as np

        share: NDArray[np.float64] = (np.arctan2(self._north[chosen], self._east[chosen]) / (2 * np.pi)) % 1.0
        return share


def _coarse(occupied: NDArray[np.int64]) -> _Coarse:
    import numpy as np

    # As whole numbers while that lasts, and without a product of matrices, for which threads would be woken each time.
    n = occupied.T
    steep, flat = np.cos(np.pi / COARSE), np.sin(np.pi / COARSE)
    east = steep * (n[0] + n[7] - n[3] - n[4]) + flat * (n[1] + n[6] - n[2] - n[5])
    north = steep * (n[1] + n[2] - n[5] - n[6]) + flat * (n[0] + n[3] - n[4] - n[7])
    return _Coarse((east**2 + north**2) / np.maximum(1, occupied.sum(axis=1)), east, north)
