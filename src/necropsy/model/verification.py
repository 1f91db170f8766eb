"""The state of each creator after a fix: values that a report renders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

STOPPED: Final = "stopped"
CREATES: Final = "creates"
UNKNOWN: Final = "unknown"

CURED: Final = "cured"
PARTLY: Final = "partly-cured"
NOT_CURED: Final = "not-cured"
TOO_EARLY: Final = "too-early"
UNJUDGED: Final = "unjudged"

EXIT_CODES: Final = {CURED: 0, PARTLY: 12, NOT_CURED: 13, TOO_EARLY: 4, UNJUDGED: 4}


@dataclass(frozen=True, slots=True)
class CheckedCreator:
    """One creator of the case, looked for in the store again."""

    name: str
    """Target of a probe, client and page, or the rhythm of an unidentified client."""
    url: str
    """Its request; empty when unknown."""
    state: str
    """``stopped``, ``creates`` or ``unknown``."""
    births_per_day_before: float
    births_per_day_now: float
    """0 when it stopped; when unknown what it may be at most."""
    last_at: datetime | None
    """Its last session in the store, UTC; None when none of its sessions is left, or nothing shows it."""
    is_new: bool = False
    """Whether the case does not know it: it began since."""
    reason: str = ""
    """Why it is unknown, a sentence without a full stop."""
    zombie: str = ""
    """Node whose agent is gone and under which service discovery still has this target; empty: none is known."""


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """One store of the case, looked at again."""

    store: str
    outcome: str
    """``cured``, ``partly-cured``, ``not-cured``, ``too-early`` or ``unjudged``."""
    creators: tuple[CheckedCreator, ...]
    """Those that still create first, largest first."""
    sessions_before: int
    sessions_now: int | None
    """Those that were read; None when the store was not read again."""
    plateau: float | None
    """Sessions at which the store becomes steady at today's rate of births; None when it never does, or is unknown."""
    births_per_day_now: float | None
    """Of machines, those that still create; None when the store was not read again."""
    lifetime_s: float | None
    taken_at: datetime | None
    """When the store was read again, UTC; None when it was not."""
    until: datetime | None = None
    """Time from which a judgement is possible, if it is too early now."""
    reason: str = ""
    """Why it could not be judged."""
    is_partial: bool = False
    """Whether only some of the store's keys could be read: it has more sessions than ``sessions_now``."""


@dataclass(frozen=True, slots=True)
class Verification:
    """All stores of a case, looked at again."""

    necropsy: str
    case: str
    case_at: datetime
    """The moment that the case calls now, UTC."""
    stores: tuple[StoreCheck, ...]

    @property
    def outcome(self) -> str:
        """The worst outcome of all stores; what could not be judged is worse than a cure, and no proof of failure."""
        order = (NOT_CURED, PARTLY, TOO_EARLY, UNJUDGED, CURED)
        found = {check.outcome for check in self.stores}
        return next((outcome for outcome in order if outcome in found), UNJUDGED)

    @property
    def exit_code(self) -> int:
        """Exit code of ``necropsy verify``."""
        return EXIT_CODES[self.outcome]
