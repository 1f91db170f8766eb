"""Traffic in figures: who calls, how often, like clockwork or not. What ``necropsy traffic`` finds out, for every format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, NamedTuple

from necropsy.model.evidence import Absent, Blemish, Source

AgentKind = Literal["browser", "prober", "crawler", "library", "scanner", "unknown"]
Likelihood = Literal["likely", "possible", "once", "unlikely"]

Rhythm = Literal["ticker", "renewal"]
"""``ticker``: in lock-step with a clock, so that it has a phase. ``renewal``: a timer that starts anew after each visit, or whose
clock wanders."""

LIKELIHOODS: Final[tuple[Likelihood, ...]] = ("likely", "possible", "once", "unlikely")
"""Whether a visit starts a session, as far as a log can tell, most suspicious first.

``likely``: each visit. ``possible``: each visit, if the page starts sessions at all. ``once``: the first visit of each person,
whose browser then brings the cookie back. ``unlikely``: none."""


class Visitor(NamedTuple):
    """One visitor class: visits alike in client, user agent, host, method, path pattern and status.

    A named tuple, as there are twenty thousand of a log: a frozen dataclass takes six times as long to make.
    """

    log: str
    """Access log that recorded it, rotation taken off its name."""
    client: str
    """Address; ``#`` and a keyed hash where addresses are hashed; ``*``: several; empty: the log has none."""
    user_agent: str
    """As sent, made harmless; ``*``: several."""
    agent: str
    """Name of the program in short: ``Chrome 121 on Linux``, ``curl``; empty when it has none."""
    agent_kind: AgentKind
    host: str
    """Host header, with its port if it had one; ``*``: several; empty: the log has none."""
    method: str
    path: str
    """Pattern of the first request's path, ids folded to ``*``."""
    status: int | None
    """Status of the first request; None: the log has none."""
    followed_to: str | None
    """Path that a redirect led to; None: none was followed."""
    visits: int
    """Client actions: a redirect and what follows it count once."""
    requests: int
    """Requests, redirects included."""
    first_at: datetime
    last_at: datetime
    period_s: float | None = None
    """Seconds between visits when they come like clockwork; None: they do not."""
    phase_s: float | None = None
    """Unix time modulo the period."""
    phase_spread_s: float | None = None
    coverage: float | None = None
    """Share of the expected visits that came, 0 to 1; None without a period."""
    probers: int | None = None
    """How many of this period are interleaved."""
    sessions: Likelihood = "unlikely"
    """Whether its visits start sessions."""
    because: str = ""
    """Why that is thought, one sentence without its full stop."""
    activity: tuple[int, ...] = ()
    """Visits in equal parts of the whole span; empty where it was not asked for."""

    @property
    def rhythm(self) -> Rhythm | None:
        """Kind of its rhythm, if it has one."""
        if self.period_s is None:
            return None
        return "renewal" if self.phase_s is None else "ticker"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Everything that access logs tell about who calls."""

    visitors: tuple[Visitor, ...]
    """Classes in the order that was asked for; all of them."""
    requests: int
    first_at: datetime | None = None
    last_at: datetime | None = None
    sources: tuple[Source, ...] = ()
    blemishes: tuple[Blemish, ...] = ()
    absent: tuple[Absent, ...] = ()
    clients_hashed: bool = False

    @property
    def visits(self) -> int:
        """Visits of all classes."""
        return sum(visitor.visits for visitor in self.visitors)

    @property
    def span_s(self) -> float:
        """Seconds from the first visit to the last."""
        if self.first_at is None or self.last_at is None:
            return 0.0
        return (self.last_at - self.first_at).total_seconds()

    def of(self, likelihood: Likelihood) -> tuple[Visitor, ...]:
        """Return the classes of one likelihood."""
        return tuple(visitor for visitor in self.visitors if visitor.sessions == likelihood)

    @property
    def periodic(self) -> tuple[Visitor, ...]:
        """Classes that come like clockwork."""
        return tuple(visitor for visitor in self.visitors if visitor.period_s is not None)

    def limited(self, most: int | None) -> Traffic:
        """Return the same with at most so many classes; totals are then those of the classes that are left."""
        return self if most is None else replace(self, visitors=self.visitors[:most])


@dataclass(frozen=True, slots=True)
class Beat:
    """One look at logs that grow."""

    at: datetime
    """When somebody looked, UTC."""
    seconds: float
    """Seconds since the beginning."""
    lines: int
    """Lines since the last look; at the first one, those that were there already."""
    lines_total: int
    rotations: int
    """How often a log was replaced or emptied since the beginning."""
    traffic: Traffic | None
    """What the last lines say; None before there is any request."""
    waiting_for: str = ""
    """Why there is none."""
    last: bool = False
    """Nothing follows."""
