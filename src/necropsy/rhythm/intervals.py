"""Intervals between visits: what they tell about the period, and whether they are more regular than any person's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.rhythm import kernels
from necropsy.rhythm.phase_folding import SortedVisits, first_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAR: Final = 0.3
"""How near to the median a gap must be to be called regular, as a share of it."""
CRAWLER: Final = 0.45
"""Share of regular gaps of the most regular visitor that is no prober: a crawler with gamma gaps of shape 4."""
_EXACT: Final = 0.02
"""How near to the median a gap must be to be called exact."""
_DENSITY: Final = 0.82
"""Of gamma gaps of shape 4 at their mode, in medians: such a crawler has a gap within w of it with a chance of 1.64 w."""
_COARSEST: Final = 2.5
"""Median gap in resolutions of the clock from which gaps can be judged: busy people leave a visit in every second."""

_MIXED: Final = 0.8
"""Share of gaps that equal the median up to which they are of several sizes …"""
_IN_STEP: Final = 0.9
"""… and of those to the k-th visit after, from which these are all of one."""

_LAGS: Final = kernels.LAGS
_OFTEN: Final = 3
"""Gaps from which on the commonest one is a candidate."""
_NARROWEST: Final = 8
"""Values of the shortest rows of which medians are taken."""
_LONGEST: Final = kernels.LONGEST
"""Seconds of the longest gap whose commonest value is sought; longer periods are found by their median."""


def candidates(visits: SortedVisits) -> list[NDArray[np.float64]]:
    """Return candidate periods, an array with one entry a class each; NaN where there is none.

    The median gap between a visit and the k-th after it, k = 1 to 4 (visits of several probers interleave); the refined
    median; and the commonest gap of all four (which noise does not move).
    """
    import numpy as np

    middles, mode, often = (_spans if kernels.COMPILED else _spans_in_columns)(visits)
    found = []
    for lag, middle in enumerate(middles.T):
        found.append(whole(middle, visits.resolution))
        if lag == 0:
            found.append(refined(visits, middle))
    found.append(np.where(often >= _OFTEN, mode, np.nan))
    return found


def _spans(visits: SortedVisits) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the median gaps, a column a lag; the commonest gap, whole seconds; and how often that is there."""
    import numpy as np

    first, last = visits.edges()
    middles = np.empty((visits.classes, _LAGS))
    common = np.empty((visits.classes, 2), dtype=np.int64)
    room, near = np.empty(int(visits.counts().max(initial=0))), np.empty(_LONGEST, dtype=np.int64)
    kernels.spans(visits.seconds, first, last + 1, room, near, middles.reshape(-1), common.reshape(-1))
    return np.where(middles < 0, np.nan, np.round(middles, 6)), common[:, 0], common[:, 1]


def _spans_in_columns(visits: SortedVisits) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Do the same with NumPy."""
    import numpy as np

    middles = np.empty((visits.classes, _LAGS))
    common = np.zeros((visits.classes, _LONGEST), dtype=np.int64)
    for lag in range(1, _LAGS + 1):
        gap, owner = _until_later(visits.seconds, visits.owner, lag)
        middles[:, lag - 1] = median(gap, owner, visits.classes)
        near = np.round(gap).astype(np.int64)
        short = (near >= 2) & (near < _LONGEST)
        common += np.bincount(owner[short] * _LONGEST + near[short], minlength=common.size).reshape(common.shape)
    return middles, np.argmax(common, axis=1), common.max(axis=1)


def regularity(visits: SortedVisits) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the evidence that gaps are more regular than a crawler's (as ``Fold.evidence``), and the median gap.

    Visits of one moment count once. The chance that a crawler has a share s of regular gaps, where it has c as a rule,
    is below ``exp(-n KL(s, c))``; asked twice, for gaps near the median and for gaps that equal it.
    """
    import numpy as np

    moment = np.floor(visits.seconds / visits.resolution[visits.owner])
    first = first_of(moment, visits.owner)
    gap, owner = _until_later(moment[first], visits.owner[first], 1)
    middle = median(gap, owner, visits.classes)
    away = np.abs(gap - middle[owner])
    number = np.bincount(owner, minlength=visits.classes)
    exact = np.maximum(_EXACT * middle, 0.5)
    evidence = np.zeros(visits.classes)
    for width, rule in ((NEAR * middle, np.full(visits.classes, CRAWLER)), (exact, 2 * _DENSITY * exact / middle)):
        share = _share(away <= width[owner], owner, number)
        # The median itself is near the median: one gap says nothing.
        evidence = np.maximum(evidence, np.maximum(0, number - 1) * _divergence(share, np.minimum(CRAWLER, rule)))
    return np.where(middle >= _COARSEST, evidence, 0.0), middle * visits.resolution


def interleaved(visits: SortedVisits) -> NDArray[np.float64]:
    """Return the period where several clocks of one period take turns, by whose gaps they look like one that has none.

    Three that ask every ten seconds at 1.2, 4.1 and 8.3 leave gaps of 2.9, 4.2 and 2.9: most alike, not all. But each
    third visit comes ten seconds after, to the second; of one that waits after each answer, three gaps differ more than
    one. NaN where one clock explains as much: gaps that are all alike, or alike but for the log's own resolution.
    """
    import numpy as np

    moment = np.floor(visits.seconds / visits.resolution[visits.owner]) * visits.resolution[visits.owner]
    found = np.full(visits.classes, np.nan)
    gaps, owners = _until_later(moment, visits.owner, 1)
    middle = median(gaps, owners, visits.classes)
    exact = np.maximum(_EXACT * middle, 0.5 * visits.resolution)
    mixed = _share(np.abs(gaps - middle[owners]) <= exact[owners], owners, visits.counts() - 1) <= _MIXED
    for lag in range(2, _LAGS + 1):
        gap, owner = _until_later(moment, visits.owner, lag)
        middle = median(gap, owner, visits.classes)
        in_step = _share(np.abs(gap - middle[owner]) <= exact[owner], owner, visits.counts() - lag) >= _IN_STEP
        each = middle / lag
        further = np.bincount(owners, np.abs(gaps - each[owners]) > visits.resolution[owners], visits.classes)
        one = (further == 0) & (np.abs(2 * each - np.round(2 * each)) < _EXACT)
        several = np.isnan(found) & mixed & in_step & ~one
        found[several] = whole(middle, visits.resolution)[several]
    return found


def _until_later(
    moment: NDArray[np.float64], owner: NDArray[np.int64], lag: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the time from each visit to the ``lag``-th after it of the same class, and whose they are."""
    same = owner[lag:] == owner[:-lag]
    return (moment[lag:] - moment[:-lag])[same], owner[lag:][same]


def _share(near: NDArray[np.bool_], owner: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of each owner's entries, so many as ``number`` says, that are near; 0 where there are none."""
    import numpy as np

    share: NDArray[np.float64] = np.bincount(owner, near, number.size) / np.maximum(1, number)
    return share


def most_regular(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the evidence of so many visits whose gaps are all the same: more there cannot be."""
    import numpy as np

    highest: NDArray[np.float64] = np.maximum(0, counts - 2) * np.log(1 / (2 * _DENSITY * _EXACT))
    return highest


def _divergence(share: NDArray[np.float64], rule: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Kullback and Leibler's divergence of a share above the rule; 0 for one below."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(share < 1, (1 - share) * np.log((1 - share) / (1 - rule)), 0.0)
        return np.where(share > rule, share * np.log(share / rule) + rest, 0.0)


def median(values: NDArray[np.float64], owner: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return the median per owner, to a millionth; NaN for those without values. ``owner`` is ascending."""
    import numpy as np

    counts = np.bincount(owner, minlength=size)
    ends = np.cumsum(counts)
    return (_medians if kernels.COMPILED else _medians_in_columns)(values, ends - counts, counts)


def _medians(values: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    import numpy as np

    middles = np.empty(counts.size)
    kernels.medians(values, starts, starts + counts, np.empty(int(counts.max(initial=0))), middles)
    return np.where(counts, np.round(middles, 6), np.nan)


def _medians_in_columns(
    values: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Do the same with NumPy: many short rows are sorted several times as fast as one long one."""
    import numpy as np

    result = np.full(counts.size, np.nan)
    widest = int(counts.max(initial=0))
    width = _NARROWEST
    narrower = 0
    while narrower < widest:
        some = np.flatnonzero((counts > narrower) & (counts <= width))
        if some.size:
            place = np.arange(width)
            inside = place < counts[some][:, None]
            row = np.full((some.size, width), np.inf)
            row[inside] = values[(starts[some][:, None] + place)[inside]]
            row.sort(axis=1)
            every = np.arange(some.size)
            middle = row[every, (counts[some] - 1) // 2] + row[every, counts[some] // 2]
            result[some] = np.round(middle / 2, 6)
        narrower, width = width, width * 2
    return result


def whole(period: NDArray[np.float64], resolution: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to whole seconds where that is within the doubt: intervals are configured, and mostly in seconds."""
    import numpy as np

    rounded = np.round(period)
    near = np.abs(period - rounded) <= np.maximum(0.002 * period, 0.5 * resolution)
    return np.where((rounded > 0) & near, rounded, period)


def refined(visits: SortedVisits, period: NDArray[np.float64]) -> NDArray[np.float64]:
    """Refine a period by the least-squares line of time over number of turn; turns are counted gap by gap."""
    import numpy as np

    first, _ = visits.edges()
    owner, size = visits.owner, visits.classes
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.round(np.diff(visits.seconds, prepend=visits.seconds[:1]) / period[owner])
    step[first] = 0
    turn = np.cumsum(np.nan_to_num(step, posinf=0.0, neginf=0.0))
    turn -= turn[first][owner]
    time = visits.seconds - visits.seconds[first][owner]
    counts = visits.counts()
    turn -= (np.bincount(owner, turn, size) / counts)[owner]
    time = time - (np.bincount(owner, time, size) / counts)[owner]
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.bincount(owner, turn * time, size) / np.bincount(owner, turn * turn, size)
        slope = np.where(np.abs(slope - period) < 0.3 * period, slope, np.nan)
        return _round_number(slope, np.maximum(visits.resolution, 0.02 * slope), visits.span() / slope)


def _round_number(
    period: NDArray[np.float64], doubt: NDArray[np.float64], turns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Round to tenths of a second where that moves the last visit by no more than the doubt about its time."""
    import numpy as np

    rounded = np.round(period, 1)
    return np.where((rounded > 0) & (np.abs(period - rounded) * turns <= doubt), rounded, period)
