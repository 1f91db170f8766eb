"""A keyspace in figures: what ``necropsy keys`` finds out and every format renders. No value here holds an id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from necropsy.model.evidence import Absent, Blemish

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
TIME_EDGES_S: Final = (MINUTE_S, HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S, 365 * DAY_S)
"""Upper ends, exclusive, of the classes of lifetimes and idle times, in seconds."""
SIZE_EDGES: Final = (100, 300, 1_000, 3_000, 10_000, 100_000, 1_000_000, 10_000_000)
"""Upper ends, exclusive, of the classes of sizes, in bytes."""
_TIMES: Final = ("1_minute", "1_hour", "1_day", "7_days", "30_days", "365_days")
_SIZES: Final = ("100_b", "300_b", "1_kb", "3_kb", "10_kb", "100_kb", "1_mb", "10_mb")


def _classes(names: tuple[str, ...]) -> tuple[str, ...]:
    return (f"under_{names[0]}", *(f"{low}_to_{high}" for low, high in pairwise(names)), f"from_{names[-1]}")


TTL_CLASSES: Final = ("expired", *_classes(_TIMES), "none")
IDLE_CLASSES: Final = (*_classes(_TIMES), "unknown")
SIZE_CLASSES: Final = _classes(_SIZES)

GROUPINGS: Final = ("pattern", "database", "type", "node", "slot")
"""By what a keyspace can be summed up."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over some keys. Of a sample: estimates for all keys."""

    keys: int = 0
    bytes: int = 0
    """Estimated memory, in bytes."""
    elements: int = 0
    """Fields, members and entries; for strings their length."""
    without_ttl: int = 0
    """Keys that never expire."""
    without_ttl_bytes: int = 0
    expired: int = 0
    """Keys that have expired and are still there."""
    expired_bytes: int = 0
    largest: int = 0
    """Bytes of the largest key."""
    ttl: tuple[int, ...] = (0,) * len(TTL_CLASSES)
    """Keys by the time that is left, one number for each of ``TTL_CLASSES``."""
    idle: tuple[int, ...] = (0,) * len(IDLE_CLASSES)
    """Keys by the time since their last use, one number for each of ``IDLE_CLASSES``."""
    size: tuple[int, ...] = (0,) * len(SIZE_CLASSES)
    """Keys by memory, one number for each of ``SIZE_CLASSES``."""
    keys_margin: int = 0
    """Half of the 95 % interval of ``keys``; 0 when every key was read."""
    bytes_margin: int = 0
    """Half of the 95 % interval of ``bytes``; 0 when every key was read."""


@dataclass(frozen=True, slots=True)
class KeyspaceRow:
    """Figures of one pattern, one database, one type."""

    name: str
    figures: Figures
    before: Figures | None = None
    """The same in what was given to compare with; None when nothing was."""

    @property
    def keys_grown(self) -> int:
        """Keys more than before; 0 when nothing was compared."""
        return self.figures.keys - self.before.keys if self.before else 0

    @property
    def bytes_grown(self) -> int:
        """Bytes more than before; 0 when nothing was compared."""
        return self.figures.bytes - self.before.bytes if self.before else 0


@dataclass(frozen=True, slots=True)
class BigKey:
    """One of the biggest keys."""

    pattern: str
    name: str
    """The key itself when it may be shown, bytes outside of UTF-8 as ``\\xNN``; else a hash, keyed anew in each run."""
    database: int
    type: str
    encoding: str
    elements: int
    bytes: int
    ttl_s: int | None
    """Seconds left; negative: expired since; None: never expires."""
    idle_s: int | None
    node: str


@dataclass(frozen=True, slots=True)
class KeySource:
    """A dump or a server that was read."""

    name: str
    locator: str
    """Path or address, without a password."""
    version: str
    """``Redis 7.0.15``, or what the dump says of itself."""
    taken_at: datetime | None
    keys: int
    """Keys that were read."""
    before: bool = False
    """Whether it was given to compare with."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Keyspace:
    """The answer: everything in figures, and by what was asked for."""

    total: KeyspaceRow
    groups: tuple[tuple[str, tuple[KeyspaceRow, ...]], ...]
    """Grouping (of ``GROUPINGS``) and its rows: most memory first, or what changed most when something is compared."""
    biggest: tuple[BigKey, ...]
    sources: tuple[KeySource, ...]
    sample: float = 1.0
    """Share of the keys that was read."""
    keys_shown: bool = False
    """Whether the names of the biggest keys are the keys themselves."""
    blemishes: tuple[Blemish, ...] = ()
    absent: tuple[Absent, ...] = ()

    @property
    def compared(self) -> bool:
        """Whether there is something to compare with."""
        return self.total.before is not None

    def rows(self, by: str) -> tuple[KeyspaceRow, ...]:
        """Return the rows of a grouping; none when it was not asked for."""
        return dict(self.groups).get(by, ())
