"""The verdict: causes of death with the share each explains, what contributed, what was ruled out or not examined."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from necropsy.model.evidence import Origin
from necropsy.model.finding import Cleared, Confidence, Remedy, Unexamined


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
    """What the server answers, e.g. ``302 -> /login``; empty when no log shows it."""
    origin: tuple[Origin, ...] = ()
    """Configuration lines, accused line first."""


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
    """Of the store's sessions, 0 to 1."""
    share_low: float
    share_high: float
    confidence: Confidence
    births_per_hour: float
    sessions: int
    bytes: int
    actors: tuple[Actor, ...] = ()
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """A condition that made it worse, or that is wrong beside it."""

    slug: str
    store: str | None
    title: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the configuration alone predicts for one store at its steady state, beside what was counted."""

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
    formula: str
    """The sum, written out: ``4 probes x 8,640/d x 2 keys + 1,440 minute sets``."""


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
