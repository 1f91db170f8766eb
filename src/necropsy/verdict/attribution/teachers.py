"""Births and visits that teach clocks and delays: those that do not keep time.

Clockwork against clockwork is one draw, not many: a prober's births follow another prober's visits at one delay by luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution.named import names_no_machine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.groups import Group
    from necropsy.verdict.attribution.timeline import Timeline
    from necropsy.verdict.attribution.trains import Train
    from necropsy.verdict.evidence import Births

_LOOSE_S: Final = 0.25
"""Least variation of the intervals of a client that comes at an interval, for its delay to be no luck."""
_WIDE_S: Final = 0.5
"""Width from which a train's births are spread as widely as that."""


def irregular_births(
    births: Births, timeline: Timeline, trains: Sequence[Train], *, with_wide: bool
) -> NDArray[np.bool_]:
    """Births of no train and no named machine; ``with_wide``: those of trains that are spread over their period, too."""
    free = names_no_machine(births)
    least_s = max(_WIDE_S, 1.3 * timeline.resolution_s)
    for train in trains:
        if not with_wide or train.width_s < least_s:
            free[train.births] = False
    return free


def keep_time(timeline: Timeline, groups: Sequence[Group]) -> NDArray[np.bool_]:
    """By group: whether its visits keep time."""
    order = np.argsort(timeline.group, kind="stable")
    cuts = np.searchsorted(timeline.group[order], np.arange(len(groups) + 1))
    least_s = _LOOSE_S + max((log.resolution_s for log in timeline.logs), default=0.0) / 2
    result = np.zeros(len(groups), dtype=bool)
    for number, group in enumerate(groups):
        if not group.is_clockwork:
            continue
        gaps = np.diff(timeline.visit_s[order[cuts[number] : cuts[number + 1]]])
        result[number] = not gaps.size or float(np.median(np.abs(gaps - np.median(gaps)))) < least_s
    return result
