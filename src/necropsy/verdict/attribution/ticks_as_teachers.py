"""Delays of a log that no irregular visitor teaches: a train of a long period, and the one client that comes as often.

That clockwork meets clockwork is one draw of luck. But of a client that comes every five minutes the births lie two seconds
after its visits by luck once in 75 draws: then the clock of the log stands two seconds beside the store's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.delays import SLACK_S, Delays, flat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.groups import Group
    from necropsy.verdict.attribution.timeline import Log, Timeline
    from necropsy.verdict.attribution.trains import Train

_FEWEST: Final = 12
"""Visits with a birth of the train beside them."""
_LUCK: Final = 0.03
"""Chance of the coincidence, over all pairs of a train and a client of its period, from which nothing is learnt."""
_MET: Final = 0.9
"""Share of a client's visits that must have a birth at that delay."""
_ALIKE: Final = 0.02
"""Largest difference of two intervals that are the same, as a share."""
_ANSWER_S: Final = 0.3
"""Width of the delays of one client beyond what its log's times are cut to."""


def learn_from_ticks(
    timeline: Timeline, number: int, groups: Sequence[Group], trains: Sequence[Train]
) -> Delays | None:
    """Window of a log's delays by its clockwork; None where none meets a train, or more may by luck.

    Parameters
    ----------
    number
        The log, of which nothing else taught the delays.
    """
    log = timeline.logs[number]
    pairs = [
        (train, place)
        for train in trains
        if train.members == 1 and not train.drifts
        for place, group in enumerate(groups)
        if group.log == number
        and group.interval_s is not None
        and abs(group.interval_s - train.period_s) < _ALIKE * train.period_s
    ]
    best: tuple[float, float, float, int] | None = None
    for train, place in pairs:
        visit_s = timeline.visit_s[(timeline.log == number) & (timeline.group == place)]
        found = _delay(visit_s, timeline.born_s[train.births], log, train.period_s)
        if found is None:
            continue
        low, high, count = found
        luck = 2 * max(abs(low), abs(high)) / train.period_s * len(pairs)
        if best is None or luck < best[0]:
            best = luck, low, high, count
    if best is None or best[0] > _LUCK:
        return None
    low, high = best[1], best[2]
    if log.delays is not None:  # whoever agrees with the store's clock goes on to do so
        low, high = min(low, log.delays.low_s), max(high, log.delays.high_s)
    return flat(low, high, float(best[3]))


def _delay(
    visit_s: NDArray[np.float64], born_s: NDArray[np.float64], log: Log, period_s: float
) -> tuple[float, float, int] | None:
    """Least and greatest delay of a train's births after a client's visits, and their number; None where they have none."""
    during = visit_s[(visit_s >= born_s[0] - period_s / 2) & (visit_s <= born_s[-1] + period_s / 2)]
    if during.size < _FEWEST:
        return None
    place = np.clip(np.searchsorted(born_s, during), 1, born_s.size - 1)
    before, after = born_s[place - 1] - during, born_s[place] - during
    delay = np.where(np.abs(before) < np.abs(after), before, after)
    half = (log.resolution_s + _ANSWER_S) / 2
    near = np.abs(delay - np.median(delay)) <= half
    if near.mean() < _MET:
        return None
    margin = SLACK_S + 0.05 * log.resolution_s
    return float(delay[near].min()) - margin, float(delay[near].max()) + margin, int(near.sum())
