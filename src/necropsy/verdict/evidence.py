"""Evidence of the verdict, as plain values and arrays: read from a case by the conductor, never from a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from necropsy.model.probe import Probe, UpstreamPort

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
    taken_ms: int | None = None
    """When the store was read, Unix milliseconds; None when unknown."""
    lifetime_s: float | None = None
    """Commonest idle lifetime of the sessions in seconds; negative: never expires; None: unknown."""
    grace_s: float = 0.0
    """Seconds that the layout keeps a session that is over: it can still be seen, and was born that much before the lifetime."""
    derived: float = 0.0
    """Share of the births that are last writes: for sessions that were used again, later than the birth."""


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
    client: str = ""
    """Address of the client, or its hash; ``*`` where several were folded, empty when the log has none."""
    requests: int = 0
    """Requests of its visits: twice as many where each visit follows a redirect; 0: unknown."""


@dataclass(frozen=True, slots=True)
class VisitBins:
    """Visits per class and minute: parallel arrays."""

    class_id: NDArray[np.int64]
    minute: NDArray[np.int64]
    """Unix minutes."""
    visits: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LogSpan:
    """A stretch of time of which every visit of one log is known: a row of ``log_span``."""

    log: str
    first_us: int
    """Unix microseconds."""
    last_us: int
    resolution_s: float
    """1 or less."""
    times_are_starts: bool
    """False: the log tells no duration, so that its times are those at which answers ended."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits one by one, in order of time: parallel arrays. Redirect chains are one visit, at their first request."""

    class_id: NDArray[np.int32]
    """``class_id`` of ``visitor_class``: log, client (or ``*``), agent, host, method, path and status."""
    client: NDArray[np.int64]
    """Keyed number of address and User-Agent."""
    at_us: NDArray[np.int64]
    """Unix microseconds."""
    spans: tuple[LogSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything beside the births that can explain them."""

    probes: Sequence[Probe] = ()
    backends: Sequence[UpstreamPort] = ()
    classes: Sequence[VisitorClass] = ()
    bins: VisitBins | None = None
    visits: Visits | None = None
    """None without logs, and for cases of schema 1."""
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
    claim_id: int | None = None
    alternative: str | None = None
    """Another creator that no evidence tells from this one."""
    first_at: datetime | None = None
    clients: int | None = None
    visits: int | None = None
    extrapolated: float = 0.0
    """Of the births, those outside the log's time."""
    one_of: list[int] | None = None
    """Numbers of the probes of which it is one, where fewer create than there are and nothing tells which; else None.

    A single one: it is a former target, configured no more, of that probe's job.
    """


@dataclass(frozen=True, slots=True)
class SessionKind:
    """Layout and lifetime of most sessions of a claim, in a store that holds several kinds; None: nothing is most of them."""

    layout: str | None
    lifetime_s: float | None


@dataclass(slots=True)
class CreationTest:
    """One class or probe, tested against the births of a store: a row of ``creation_test``."""

    store: str
    class_id: int | None
    probe_id: int | None
    visits: int
    followed: int
    chance: float
    probability: float
    probability_low: float
    probability_high: float
    outcome: str
    """``creates``, ``innocent``, ``tied`` or ``untested``."""
    reason: str = ""


BY_EXPIRY: Final = "the sessions' lifetime may differ from the one inferred from their expiry"
"""Reason of an offset that may be no clock's."""


@dataclass(slots=True)
class ClockOffset:
    """The clock of a log against that of a store: a row of ``clock_offset``."""

    store: str
    log: str
    offset_s: float
    score: float
    applied: bool
    reason: str


@dataclass(slots=True)
class Account:
    """The sum of one store: a row of ``birth_account``."""

    store: str
    births: int
    unknown: int
    explained: float
    horizon_at: datetime | None = None
    covered_from: datetime | None = None
    covered_to: datetime | None = None
    covered: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChangedLifetime:
    """A lifetime that another one took the place of."""

    older_s: float
    newer_s: float
    at: datetime
    """First birth of the newer one."""


@dataclass(slots=True)
class Attribution:
    """The result of the attribution for all stores together."""

    claims: list[Claim]
    """By store as given, largest first; ``claim_id`` is the place in this list."""
    tests: list[CreationTest]
    offsets: list[ClockOffset]
    accounts: list[Account]
    owner: dict[str, NDArray[np.int32]]
    """By store: for each birth, in the order of ``Births.born_ms``, the likeliest claim; -1: nobody."""
    weight: dict[str, NDArray[np.float32]]
    """Probability of that claim, 0 to 1."""
    held: dict[str, float] = field(default_factory=dict)
    """By log that is a sample: which share of the requests it holds."""
    server_clocks: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By store: seconds by which one application server's clock is ahead of another's, and the share of the births it dates."""
