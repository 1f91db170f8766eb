"""Time at which a store is full, with an interval: the moment at which the curve of its sessions meets the limit.

The curve is the arithmetic of sessions (``what_if``); what is uncertain in it are the rate of births, the chance of how many come
until then, and the memory of a session. Their variances add up, as shares::

    deviation² = (of the rate)² + 1 / births until then + (of the memory)²

The ends of the interval are where the curves of the highest and of the lowest rate meet the limit; where the lowest never
does, the interval has no end, and that is said.

Sessions that live for less than a day follow the hour: how many people there are at noon cannot be seen at night. There the
interval goes from no people to three times as many as there are now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from necropsy.verdict.forecast import DAY_S

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEVER_S: Final = 10 * 365 * DAY_S
"""Looked ahead at most."""
_95: Final = 1.96
_PEOPLE_AT_NOON: Final = 4.0
"""A guess: people at the busiest hour for each who is there at the look, where sessions live for less than a day."""
_MEMORY_DEVIATION: Final = 0.03
"""Of the estimated memory of a session against what a server allocates for it (``bench/keyspace_live.py`` measures it)."""
_POINTS: Final = 2_000


@dataclass(frozen=True, slots=True)
class BirthStream:
    """Sessions that are born at a constant rate by one cause, and not used again."""

    slug: str
    label: str
    per_day: float
    deviation: float = 0.0
    """Standard deviation of the rate, as a share of it."""
    regular: bool = False
    """Whether they come at a fixed interval: then their number scatters by chance hardly at all."""


@dataclass(frozen=True, slots=True)
class StoreForecastInput:
    """Input of the arithmetic for one store."""

    name: str
    at: datetime
    """When it was read, UTC."""
    left_s: NDArray[np.float64]
    """Seconds until each session that expires is gone, ascending; those without an expiry are ``immortal``."""
    immortal: int
    purgeable: int
    """Sessions that a purge may take: nobody is logged in, and they were not used within the last hour."""
    purgeable_immortal: int
    people: float
    """Sessions of people. What one leaves another brings: a day with another they are as many."""
    lifetime_s: float | None
    """Commonest idle lifetime; negative: never expires; None: unknown."""
    grace_s: float
    """Seconds that a session stays after it is over."""
    streams: Sequence[BirthStream]
    bytes_per_session: float
    other_bytes: float
    """Memory of everything that is no session."""
    memory_limit: int | None
    people_left_s: NDArray[np.float64] | None = None
    """Those of ``left_s`` that are known to be people's, ascending; None: of none it is known."""


Sessions = Callable[["NDArray[np.float64]", float, float], "NDArray[np.float64]"]
"""Sessions at some seconds from now, when so many are born a day by machines and so many are people's."""


Curve = Callable[["NDArray[np.float64]", float], "NDArray[np.float64]"]


def full_between(
    store: StoreForecastInput, streams: Sequence[BirthStream], sessions: Sessions, settles_s: float
) -> tuple[datetime | None, datetime | None, datetime | None]:
    """Return the likeliest moment at which memory is full, the earliest and the latest of the 95 % interval.

    Parameters
    ----------
    streams
        Who goes on creating.
    sessions
        The curve; it need not rise all the time.
    settles_s
        From here on the curve is flat; 0: it never is.

    Returns
    -------
    tuple
        None each for "never": not before ten years have passed.
    """
    if store.memory_limit is None or store.bytes_per_session <= 0:
        return None, None, None
    most = (store.memory_limit - store.other_bytes) / store.bytes_per_session
    per_day = sum(stream.per_day for stream in streams)
    few, many = _people(store)
    likely_s = _meets(lambda at, rate: sessions(at, rate, store.people), per_day, most, settles_s)
    deviation = _deviation(streams, per_day, likely_s or settles_s or NEVER_S)
    highest, lowest = per_day * (1 + _95 * deviation), per_day * max(0.0, 1 - _95 * deviation)
    earliest_s = _meets(lambda at, rate: sessions(at, rate, many), highest, most, settles_s)
    latest_s = _meets(lambda at, rate: sessions(at, rate, few), lowest, most, settles_s)

    def moment(seconds: float | None) -> datetime | None:
        return None if seconds is None else store.at + timedelta(seconds=seconds)

    return moment(likely_s), moment(earliest_s), moment(latest_s)


def _people(store: StoreForecastInput) -> tuple[float, float]:
    """Return the fewest and the most sessions of people within a day."""
    if store.lifetime_s is None or not 0 <= store.lifetime_s < DAY_S:
        return store.people, store.people
    return 0.0, _PEOPLE_AT_NOON * (store.people + 1.0)


def _deviation(streams: Sequence[BirthStream], per_day: float, until_s: float) -> float:
    """Standard deviation of the births until a moment, and of their memory, as a share."""
    if per_day <= 0:
        return 0.0
    of_rates = sum((stream.per_day * stream.deviation) ** 2 for stream in streams) / per_day**2
    by_chance = sum(stream.per_day for stream in streams if not stream.regular) / DAY_S * until_s
    chance = by_chance / max(1.0, per_day / DAY_S * until_s) ** 2
    return float((of_rates + chance + _MEMORY_DEVIATION**2) ** 0.5)


def _meets(sessions: Curve, per_day: float, most: float, settles_s: float) -> float | None:
    """Return the seconds after which the curve first reaches ``most``; None when it does not within ten years."""
    import numpy as np

    reach_s = settles_s or NEVER_S
    low_s, high_s = 0.0, min(reach_s, NEVER_S)
    for _ in range(3):  # each pass looks closer at the span in which it is met
        times = np.linspace(low_s, high_s, _POINTS)
        over = np.flatnonzero(sessions(times, per_day) >= most)
        if not over.size:
            return None
        if over[0] == 0:
            return low_s
        low_s, high_s = float(times[over[0] - 1]), float(times[over[0]])
    return high_s
