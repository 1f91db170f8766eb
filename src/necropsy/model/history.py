"""The past of a store as a report shows it: births by time, their changes, and what happened beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RateChange:
    """A moment at which the rate of births changed."""

    at: datetime
    """Likeliest moment, UTC."""
    earliest_at: datetime
    latest_at: datetime
    """95 % interval."""
    before_per_hour: float
    after_per_hour: float
    event: str = ""
    """Events within the interval or shortly before it; empty when none is known. No proof: a coincidence in time."""


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity over time."""

    quantity: str
    """births (an hour), keys, sessions, bytes, limit or predicted (sessions)."""
    points: tuple[tuple[float, float], ...]
    """(seconds since the history's start, value), in order of time; a hole is a missing point."""


@dataclass(frozen=True, slots=True)
class StoreHistory:
    """One store over time, by one source."""

    store: str
    source: str
    """Source of the measurement: an address, an older case, the sessions themselves."""
    start: datetime
    """UTC."""
    end: datetime
    births_of: str
    """Unit of births: ``sessions``, or ``keys`` where the keys of a session are not known; empty without births."""
    lines: tuple[Line, ...]
    changes: tuple[RateChange, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """Sessions (or keys) of a store over time: measured, predicted earlier, and from now on."""

    store: str
    unit: str
    """``sessions``, or ``keys`` where nobody counted sessions in the past."""
    measured: tuple[tuple[float, float], ...]
    """(Unix seconds, level), in order of time; the last is that of now."""
    predicted: tuple[tuple[float, float], ...]
    """The same as it was predicted at the first of these moments; empty where nobody predicted."""
    predicted_by: str
    """Source of the prediction: an older case, the guard; empty without one."""
    ahead: tuple[tuple[float, float], ...]
    """As it goes on from now, if nobody changes anything."""
    full: float | None
    """Level at which memory is used up; None: no limit is known."""
    horizon: datetime | None
    """Sessions born before it and not used since have expired; None where sessions do not expire, or nothing is known."""
    marks: tuple[tuple[float, str], ...] = ()
    """Unix seconds and text of what happened within the time that is shown."""

    @property
    def start_s(self) -> float:
        """The first moment that is shown."""
        return min(line[0][0] for line in (self.measured, self.predicted) if line)

    @property
    def end_s(self) -> float:
        """The last moment that is shown."""
        return max(line[-1][0] for line in (self.measured, self.predicted, self.ahead) if line)


@dataclass(frozen=True, slots=True)
class PastEvent:
    """Something that happened at a known time."""

    at: datetime
    kind: str
    """given, commit, restart, emptied, target-appeared or target-left."""
    text: str
    source: str
    store: str | None = None
    """The store that it is about; None: any."""
