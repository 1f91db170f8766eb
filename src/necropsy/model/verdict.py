"""The verdict: causes of death with the share each explains, what contributed, what was ruled out or not examined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.model.finding import UNLOGGED, Cleared, Confidence, Remedy, Severity, Unexamined


class Kind(StrEnum):
    """Kinds of verdict."""

    CAUSE = "cause"
    """There is at least one cause."""
    HEALTHY = "healthy"
    """No cause, and every store with sessions was shown to be healthy."""
    NOTHING_FOUND = "nothing-found"
    """Enough was looked at, no cause was found, and yet something else is wrong."""
    UNKNOWN = "unknown"
    """Not enough was looked at: no verdict."""


HOW_KNOWN: Final = {
    "named": "the sessions name it",
    "comb": "its births come at a fixed interval",
    "visits": "births follow its visits",
    "authenticated": "its sessions are logged in",
}
"""Evidence that somebody creates sessions, in words."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who creates sessions."""

    user_agent: str
    """As seen in a log or named by a session; else as the prober's version would send it; empty when unknown."""
    prober: str | None
    """``prometheus/<job>`` … when a configured probe explains it."""
    url: str
    period_s: float | None
    phase_s: float | None
    """Unix time modulo ``period_s``, measured from the births."""
    in_access_log: bool | None
    """None when no access log was given."""
    creation_probability: float
    """Sessions per visit."""
    sessions: int
    """Sessions of the store attributed to it."""
    births_per_hour: float
    evidence: str
    """``named`` (the session names its creator), ``comb`` (phase of births) or ``visits`` (counts)."""
    answer: str = ""
    """The response of the server, e.g. ``302 -> /login``; empty when no log shows it."""
    origin: tuple[Origin, ...] = ()
    """Configuration lines, accused line first."""
    address: str = ""
    """Address of the client, as a log has it; empty when there are several, or none is known."""
    clients: int | None = None
    """Number of clients (address and User-Agent); None without a log."""
    visits: int | None = None
    """Its visits in the logs within the time that can testify; None without a log."""
    first_at: datetime | None = None
    """First birth that survives; None when unknown."""
    last_at: datetime | None = None
    """Last birth."""
    over: bool = False
    """Whether it had stopped when the store was read."""
    find: str = ""
    """Command that shows find its lines in the log; empty when no log has any."""
    fix: str = ""
    """Advice where it is in no configuration that was given; empty when a patch or remedy gives it."""
    alternative: str = ""
    """Another creator that no evidence tells from this one; else empty."""
    method: str = ""
    """HTTP method that it asks with; empty when it is not known."""
    one_of: tuple[str, ...] = ()
    """URLs of which it asks one, where fewer targets create than there are and nothing tells which; ``url`` is empty then.

    A single one: it is a former target, configured no more, of the job that asks this one now.
    """


def which_target(count: int) -> str:
    """Call a target of which it is known only that it is one of so many; of one target, who ended was another.

    >>> which_target(2), which_target(1)
    ('one of 2 targets', 'a former target')
    """
    return f"one of {count} targets" if count > 1 else "a former target"


def sessions_of_stopped(actors: Sequence[Actor]) -> int:
    """Sessions of the creators that have stopped, where these made at least half of them and others go on; else 0."""
    over = sum(actor.sessions for actor in actors if actor.over)
    going = sum(actor.sessions for actor in actors if not actor.over)
    return over if going and over >= going else 0


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause with the share that it explains."""

    slug: str
    store: str | None
    title: str
    """One sentence with the share in it."""
    text: str
    """The reason, a paragraph."""
    share: float
    """Of ``share_of``, 0 to 1."""
    share_low: float
    share_high: float
    confidence: Confidence
    births_per_hour: float
    sessions: int
    bytes: int
    actors: tuple[Actor, ...] = ()
    remedy: Remedy | None = None
    severity: Severity = Severity.CRITICAL
    share_of: str = "births"
    """The whole of the share. Shares of ``births`` of one store add up to 1 at most; others name a whole of their own."""
    first_at: datetime | None = None
    """First birth of its actors that survives; None for what creates nothing, and when unknown."""
    last_at: datetime | None = None
    """Last birth."""
    over: bool = False
    """Whether all its actors had stopped when the store was read: ``births_per_hour`` is then the rate of that time."""
    explains: tuple[str, ...] = ()
    """Slugs of other findings about this store that follow from it."""
    lifetime_s: float | None = None
    """Idle lifetime of most of its sessions where the store holds several kinds; else None: that of the store."""

    @property
    def is_unnamed(self) -> bool:
        """Whether its creators are known by their rhythm alone: who they are is yet to be found."""
        return self.slug == UNLOGGED


@dataclass(frozen=True, slots=True)
class Contribution:
    """A condition that made it worse, or that is wrong beside it."""

    slug: str
    store: str | None
    title: str
    explained_by: str = ""
    """Slug of the cause that it follows from; empty when it stands for itself."""


@dataclass(frozen=True, slots=True)
class View:
    """The part of one store's births that the evidence can show."""

    store: str
    births: int
    """Sessions of known birth."""
    unknown: int
    """Sessions whose birth is not known."""
    explained: float
    """Births that the claims explain, 0 to ``births``."""
    horizon_at: datetime | None = None
    """Sessions born before this may have expired: who made them cannot be seen; None: none expires."""
    covered_from: datetime | None = None
    """From here on an access log covers the births; None: none does."""
    covered_to: datetime | None = None
    covered: int = 0
    """Births within the time that a log covers."""
    read: float = 1.0
    """Share of the store's keys that could be read: below 1 where a dump breaks off."""
    reason: str = ""
    """Why births are not explained, where they are not; else empty."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Sources that do not fit together: what was found, and what was done about it."""

    source: str
    text: str
    """A sentence without its full stop."""
    set_aside: bool
    """Whether the source was left out; else it was corrected, or is used as it is."""


@dataclass(frozen=True, slots=True)
class EvidenceRequest:
    """Evidence that would tell more, and the command that gets it."""

    what: str
    why: str
    command: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """Prediction for one store at its steady state from the configuration alone, beside what was counted."""

    store: str
    births_per_day: float
    lifetime_s: float | None
    """TTL of a session in seconds; None when unknown."""
    steady_state_sessions: float | None
    """None when it never becomes steady (immortal sessions) or the TTL is unknown."""
    steady_state_keys: float | None
    steady_state_bytes: float | None
    counted_sessions: int
    counted_keys: int
    counted_bytes: int
    memory_exhausted_at: datetime | None
    """When memory runs out at this rate; None when it does not, or the limit is unknown."""
    memory_exhausted_from: datetime | None = field(default=None, kw_only=True)
    """Earliest moment of its 95 % interval."""
    memory_exhausted_to: datetime | None = field(default=None, kw_only=True)
    """Latest moment; None: at the lowest rate never, or no limit is known."""
    formula: str
    """The sum, written out: ``4 probes x 8,640/d x 2 keys + 1,440 expirations sets``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement as a whole."""

    causes: tuple[Cause, ...]
    """Most important first."""
    contributing: tuple[Contribution, ...]
    ruled_out: tuple[Cleared, ...]
    unexamined: tuple[Unexamined, ...]
    unexplained_share: float
    """Of all sessions, 0 to 1; never rounded away."""
    predictions: tuple[Prediction, ...] = ()
    kind: Kind = Kind.UNKNOWN
    reason: str = ""
    """Why there is no verdict, or no health although no cause; a sentence without its full stop."""
    requests: tuple[EvidenceRequest, ...] = ()
    """Missing evidence, the most useful first; empty when none is missing."""
    views: tuple[View, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
