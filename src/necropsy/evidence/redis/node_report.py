"""The report on one node, filled by whichever read method is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from necropsy.evidence.redis.scan import ScanCounts
from necropsy.model.evidence import Blemish
from necropsy.model.figures import several

if TYPE_CHECKING:
    from necropsy.evidence.redis.read_methods import OpenStream
    from necropsy.evidence.redis.server import ServerFacts
    from necropsy.sessions.keyspace import Projection
    from necropsy.wire.redis.address import Address

BATCH_ROWS: Final = 65_536


@dataclass(frozen=True, slots=True)
class ReadParameters:
    """Parameters of reading a store: the same for all of its nodes."""

    address: Address
    projection: Projection
    way: str
    max_impact_s: float
    open_dump: OpenStream | None
    seen: Callable[[int], None]
    """Called with the number of keys that were read since the last call, many times a second."""
    batch_rows: int = BATCH_ROWS
    each: bool = True
    """Ask each key for everything, and not only some of those that are alike."""
    patient: bool = False
    """Whether costing the server little matters more than being soon over."""


@dataclass(slots=True)
class NodeReport:
    """Facts, damage and remarks of one node."""

    wanted: ReadParameters
    name: str
    """Its endpoint, ``host:port``."""
    server: ServerFacts
    totals: dict[int, int]
    """Databases to be read, and how many keys the server counts in each, expired ones that are still there included."""
    taken_at: datetime | None
    """The server's own time when its keys were read, UTC."""
    tally: ScanCounts = field(default_factory=ScanCounts)
    blemishes: list[Blemish] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """Reason for this read method, and other notes for the report."""

    @property
    def keys_expected(self) -> int:
        """Keys that the server counts in the databases to be read."""
        return sum(self.totals.values())

    def blemish(self, place: int, why: str, count: int = 1) -> None:
        """Record what is wrong with the figures from the key of this number on."""
        self.blemishes.append(Blemish(self.wanted.address.masked, "key", place, f"{self.name}: {why}", count=count))

    def cut_short(self, why: str) -> None:
        """Record that the reading ended early, and which share was read."""
        total, read = self.keys_expected, self.tally.keys
        share = f" of about {total:,} ({min(100, 100 * read // total)} %)" if total else ""
        none = f"none of about {several(total, 'key')} was read" if total else "no key was read"
        covered = f"the figures cover the {several(read, 'key')}{share} read before that" if read else none
        self.blemish(read, f"{why}: {covered}")
