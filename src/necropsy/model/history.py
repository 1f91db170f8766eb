"""The past of a store as a report shows it: births by time, their changes, and what happened beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A moment at which the rate of births changed."""

    at: datetime
    """Likeliest moment, UTC."""
    earliest_at: datetime
    latest_at: datetime
    """95 % interval."""
    before_per_hour: float
    after_per_hour: float
    event: str = ""
    """What happened within the interval or shortly before it; empty when nothing is known. No proof: a coincidence in time."""


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity over time."""

    quantity: str
    """births (an hour), keys, sessions, bytes or limit."""
    points: tuple[tuple[float, float], ...]
    """(seconds since the history's start, value), in order of time; a hole is a missing point."""


@dataclass(frozen=True, slots=True)
class StoreHistory:
    """One store over time, by one source."""

    store: str
    source: str
    """Who measured it: an address, an older case, the sessions themselves."""
    start: datetime
    """UTC."""
    end: datetime
    births_of: str
    """What births count: ``sessions``, or ``keys`` where keys a session are not known; empty without births."""
    lines: tuple[Line, ...]
    changes: tuple[Change, ...]


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
