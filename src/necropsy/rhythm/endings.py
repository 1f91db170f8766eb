"""Whether a train of births, or a burst of them, had ended when the store was read."""

from __future__ import annotations

from datetime import datetime
from typing import Final

LEAST_QUIET_S: Final = 300.0
"""A prober that is restarted is silent for a while, too."""
_LEAST_QUIET_IRREGULAR_S: Final = 3_600.0
_MISSED_TICKS: Final = 5.0
_MISSED_GAPS: Final = 10.0


def quiet_s(
    period_s: float | None, probability: float | None, births_per_hour: float, *, least_s: float = LEAST_QUIET_S
) -> float:
    """Seconds for which a creator must be silent before it counts as gone.

    Five ticks of a train, or ten of the usual intervals of what comes irregularly; at least five minutes, and an hour.
    One of a service's addresses is used at some of the ticks only: then five of its own usual intervals.

    >>> quiet_s(10.0, 1.0, 360.0), quiet_s(600.0, 0.5, 3.0), quiet_s(None, None, 3600.0), quiet_s(None, None, 2.0)
    (300.0, 6000.0, 3600.0, 18000.0)
    >>> quiet_s(60.0, 1.0, 5.0)
    3600.0
    """
    if period_s:
        ticks_s = _MISSED_TICKS * period_s / max(probability or 1.0, 0.05)
        usual_s = 3_600.0 / births_per_hour if births_per_hour > 0 else period_s
        return max(least_s, ticks_s, _MISSED_TICKS * usual_s)
    return max(_LEAST_QUIET_IRREGULAR_S, _MISSED_GAPS * 3_600.0 / births_per_hour if births_per_hour > 0 else 0.0)


def has_ended(
    last: datetime | None, until: datetime, period_s: float | None, probability: float | None, births_per_hour: float
) -> bool:
    """Whether the last birth lies so long before ``until``, the time at which the store was read, that no more follow.

    Both times are UTC without a zone, or both have one. An unknown last birth has not ended.
    """
    return last is not None and (until - last).total_seconds() > quiet_s(period_s, probability, births_per_hour)
