"""Births outside the logs' time: their creators are inferred from the time that the logs cover, with the certainty of that.

What comes at a fixed interval makes as many births an hour outside as inside. All others have the births that are left in
the proportions of the logs' time, without those who had not begun when the logs begin, or were over when they end. How
wrong that may be is the difference between readings that the evidence allows: the proportions stay, or those of the nearest
part do, or a creator's births per hour stay and people change, as by day and by night.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BIN_S: Final = 600.0
_FEWEST: Final = 20
"""Births within the logs' time that tell their composition."""
_NEAR: Final = 1 / 3
"""Part of the logs' time that is next to what lies before, or behind, it."""
_EXPECTED: Final = 10.0
"""Births that a creator would have in a pause, by its mean rate, for the pause to be one: one that pauses may come again, one
that was there once, without a pause, had begun by then and is over."""
_MOST_BINS: Final = 20_000


@dataclass(slots=True)
class Outside:
    """The births outside, in stretches of time, and who has them.

    Parameters
    ----------
    at_s
        The births outside, in order.
    inside_s
        Those within the logs' time, in order.
    spans_s
        The logs' time, k by 2, apart and in order.
    made, early, late
        By creator: births inside; those of the first and of the last third of the logs' time.
    has_begun, goes_on
        By creator: whether it may have been there before the logs begin, and after they end.
    is_steady
        By creator: whether it comes at a fixed interval.
    """

    at_s: NDArray[np.float64]
    inside_s: NDArray[np.float64]
    spans_s: NDArray[np.float64]
    made: NDArray[np.float64]
    early: NDArray[np.float64]
    late: NDArray[np.float64]
    has_begun: NDArray[np.bool_]
    goes_on: NDArray[np.bool_]
    is_steady: NDArray[np.bool_]
    _bin: NDArray[np.int64] = field(init=False)
    _count: NDArray[np.float64] = field(init=False)
    _seconds: NDArray[np.float64] = field(init=False)
    _region: NDArray[np.int64] = field(init=False)
    _alike: NDArray[np.float64] = field(init=False)
    _steady_rate: NDArray[np.float64] = field(init=False)
    """Per region births a second of all that is steady and was there."""
    _steady_part: NDArray[np.float64] = field(init=False)
    """Births of each stretch that all that is steady has, expected."""
    _shares: list[NDArray[np.float64]] = field(init=False)
    """Per region the share of each creator in the births that nothing steady has."""

    def __post_init__(self) -> None:
        if not self.tells:
            return
        first, last = float(self.at_s[0]), float(self.at_s[-1])
        bin_s = max(_BIN_S, (last - first) / _MOST_BINS)
        self._bin = ((self.at_s - first) // bin_s).astype(np.int64)
        bins = int(self._bin[-1]) + 1
        self._count = np.bincount(self._bin, minlength=bins).astype(np.float64)
        starts = first + np.arange(bins) * bin_s
        ends = np.minimum(starts + bin_s, last + 1e-3)
        covered = np.zeros(bins)
        for low, high in self.spans_s:
            covered += np.clip(np.minimum(ends, high) - np.maximum(starts, low), 0, None)
        self._seconds = np.maximum(ends - starts - covered, 0.0)
        middle = (starts + ends) / 2
        self._region = np.where(middle < self.spans_s[0, 0], 0, np.where(middle > self.spans_s[-1, 1], 2, 1))
        self._alike = self._likeness(bin_s)
        there = [self.is_steady & self._was_there(region) for region in range(3)]
        self._steady_rate = np.asarray([self.made[mine].sum() for mine in there]) / self._length
        self._steady_part = np.minimum(self._count, self._steady_rate[self._region] * self._seconds)
        self._shares = [self._usual(self._was_there(region)) for region in range(3)]

    @property
    def tells(self) -> bool:
        """Whether enough births lie within the logs' time."""
        return self.inside_s.size >= _FEWEST and self.at_s.size > 0 and self._length > 0

    @property
    def _length(self) -> float:
        return float((self.spans_s[:, 1] - self.spans_s[:, 0]).sum())

    def _likeness(self, bin_s: float) -> NDArray[np.float64]:
        """Share of a stretch's births that may be inferred from those inside: less than 1 where they are more than inside."""
        usual = self.inside_s.size / self._length * bin_s
        # Nights and lunch hours: the busiest stretch that the logs do show is usual too.
        shown = np.bincount(((self.inside_s - self.inside_s[0]) // bin_s).astype(np.int64))
        most = max(usual + 4 * np.sqrt(usual) + 1, float(np.quantile(shown, 0.98)))
        alike: NDArray[np.float64] = np.minimum(1.0, most / np.maximum(self._count, 1))
        return alike

    def _was_there(self, region: int) -> NDArray[np.bool_]:
        """By creator: whether it may have been there before the logs begin (0), between them, after they end (2)."""
        if region == 1:
            return np.ones(self.made.size, dtype=bool)
        return self.has_begun if region == 0 else self.goes_on

    def _usual(self, there: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Shares of all that is not steady in the births of the logs' time, without those that were not there."""
        mine = there & ~self.is_steady
        left = self.inside_s.size - self.made[~mine].sum()
        shares: NDArray[np.float64] = np.where(mine, np.minimum(1.0, self.made / max(1.0, left)), 0.0)
        return shares

    def _near(self, near: NDArray[np.float64], region: int) -> NDArray[np.float64] | None:
        """Shares in the nearest part of the logs' time; None where that holds too little."""
        first, last = float(self.spans_s[0, 0]), float(self.spans_s[-1, 1])
        cut = first + _NEAR * (last - first), last - _NEAR * (last - first)
        inside = int(np.searchsorted(self.inside_s, cut[0]))
        if region == 2:
            inside = self.inside_s.size - int(np.searchsorted(self.inside_s, cut[1]))
        left = inside - near[self.is_steady].sum()
        if left < _FEWEST:
            return None
        shares: NDArray[np.float64] = np.where(self.is_steady, 0.0, np.minimum(1.0, near / left))
        return shares

    def weights(self, creator: int) -> NDArray[np.float64]:
        """Probability that each birth outside is this creator's."""
        if not self.tells:
            return np.zeros(self.at_s.size)
        return self._of_bins(creator)[self._bin]

    def _of_bins(self, creator: int) -> NDArray[np.float64]:
        each = np.maximum(self._count, 1.0)
        if self.is_steady[creator]:
            there = np.asarray([self._was_there(region)[creator] for region in range(3)])
            part = there * self.made[creator] / self._length / np.maximum(self._steady_rate, 1e-12)
            steady: NDArray[np.float64] = self._steady_part * part[self._region] / each
            return steady
        shares = np.asarray([share[creator] for share in self._shares])[self._region]
        left = (self._count - self._steady_part) * self._alike
        likely: NDArray[np.float64] = np.clip(shares * left / each, 0.0, 1.0)
        return likely

    def bounds(self, creator: int) -> tuple[float, float]:
        """Fewest and most births outside that a creator has, by the readings that the evidence allows."""
        if not self.tells:
            return 0.0, 0.0
        here = np.asarray([self._was_there(region)[creator] for region in range(3)])[self._region]
        rate = self.made / self._length
        usual = self._of_bins(creator) * self._count
        readings = [float(usual.sum())]
        total, seconds = float((self._count * self._alike)[here].sum()), float(self._seconds[here].sum())
        # The proportions of the whole log, steady or not; as many births an hour.
        readings += [self.made[creator] / self.inside_s.size * total, min(total, float(rate[creator] * seconds))]
        if not self.is_steady[creator]:
            others = float((rate.sum() - rate[creator]) * seconds)
            readings.append(max(0.0, min(total, total * self.made.sum() / self.inside_s.size - others)))
            left = (self._count - self._steady_part) * self._alike
            for near, region in ((self.early, 0), (self.late, 2)):
                nearest = self._near(near, region)
                if nearest is not None:
                    mine = self._region == region
                    readings.append(float(nearest[creator] * left[mine].sum() + usual[~mine].sum()))
        noise = 2 * np.sqrt(max(readings[0], 1.0))
        return max(0.0, min(readings) - noise), min(float(self.at_s.size), max(readings) + noise)


def edges(at_s: NDArray[np.float64], first_s: float, last_s: float) -> tuple[bool, bool]:
    """Whether a creator with these births may have been there before the logs' time, and after it."""
    if at_s.size < _EXPECTED:
        return True, True
    pause_s = _EXPECTED * (last_s - first_s) / at_s.size
    if at_s.size > 1 and float(np.diff(at_s).max()) > pause_s:
        return True, True
    return float(at_s[0]) - first_s <= pause_s, last_s - float(at_s[-1]) <= pause_s
