"""What the verdict weighs, as plain values and arrays: read from a case by the conductor, never from a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from necropsy.model.probe import Backend, Probe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Births:
    """The births of one store: one entry a session that still lies in it."""

    store: str
    born_ms: NDArray[np.int64]
    """Unix milliseconds, in order."""
    authenticated: NDArray[np.bool_]
    creator: NDArray[np.int32]
    """Index into ``creators``; -1 when the session does not name its creator."""
    creators: tuple[Creator, ...]
    resolution_s: float
    bytes_per_session: float
    total: int
    """All sessions of the store, those of unknown birth included."""
    coverage: float = 1.0
    """Share of the store's keys that could be read: below 1 when its dump breaks off. Which are missing is chance."""


@dataclass(frozen=True, slots=True)
class Creator:
    """The creating request, as sessions name it."""

    user_agent: str
    host: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class VisitorClass:
    """A row of ``visitor_class``."""

    class_id: int
    user_agent: str
    host: str
    method: str
    path: str
    status: int
    followed_to: str | None
    visits: int
    period_s: float | None
    phase_s: float | None
    phase_spread_s: float | None
    coverage: float | None
    log: str = ""


@dataclass(frozen=True, slots=True)
class VisitBins:
    """Visits per class and minute: parallel arrays."""

    class_id: NDArray[np.int64]
    minute: NDArray[np.int64]
    """Unix minutes."""
    visits: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything beside the births that can explain them."""

    probes: Sequence[Probe] = ()
    backends: Sequence[Backend] = ()
    classes: Sequence[VisitorClass] = ()
    bins: VisitBins | None = None
    logs_given: bool = False
    idle: frozenset[int] = field(default_factory=frozenset)
    """Indices of probes whose target does not answer."""


@dataclass(slots=True)
class Claim:
    """Births of one store that one creator explains: a row of ``birth_claim``."""

    store: str
    creator: str
    """``probe``, ``visitor``, ``people`` or ``unlogged``."""
    evidence: str
    """``named``, ``comb``, ``authenticated`` or ``visits``."""
    label: str
    births: float
    births_low: float
    births_high: float
    births_per_hour: float
    creation_probability: float | None = None
    user_agent: str = ""
    probe_id: int | None = None
    class_id: int | None = None
    period_s: float | None = None
    phase_s: float | None = None
    phase_low_s: float | None = None
    phase_high_s: float | None = None
    in_access_log: bool | None = None
    last_at: datetime | None = None
    """Last birth, UTC without a zone, as the case holds it; None when births are counted, not pointed at."""
    bytes: float = 0.0
