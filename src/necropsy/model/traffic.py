"""Traffic in figures: client groups, their numbers of visits and intervals. The values behind ``necropsy traffic``."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, overload

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
    """One visitor class: visits alike in client, user agent, host, method, path pattern and status."""

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
    """Seconds between visits when they come at a fixed interval; None: they do not."""
    phase_s: float | None = None
    """Unix time modulo the period."""
    phase_spread_s: float | None = None
    coverage: float | None = None
    """Share of the expected visits that came, 0 to 1; None without a period."""
    probers: int | None = None
    """Number of interleaved clients of this period."""
    sessions: Likelihood = "unlikely"
    """Whether its visits start sessions."""
    because: str = ""
    """The reason for the judgement, one sentence without its full stop."""
    activity: tuple[int, ...] = ()
    """Visits in equal parts of the whole span; empty where it was not asked for."""

    @property
    def rhythm(self) -> Rhythm | None:
        """Kind of its rhythm, if it has one."""
        if self.period_s is None:
            return None
        return "renewal" if self.phase_s is None else "ticker"


class Visitors(Sequence[Visitor]):
    """Visitor classes, kept by columns: there are twenty thousand of a log, and hardly any is ever looked at.

    Parameters
    ----------
    columns
        Fields of ``Visitor`` and what they hold, one value a class. Fields that are missing have their default.

    >>> callers = Visitors({name: ["x"] * 2 for name in Visitor._fields[:14]} | {"visits": [3, 4]})
    >>> len(callers), callers[1].visits, callers[1:].column("visits"), callers.column("sessions")
    (2, 4, [4], ['unlikely', 'unlikely'])
    """

    __slots__ = ("_columns", "_size")

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self._columns = columns
        self._size = min((len(column) for column in columns.values()), default=0)

    @classmethod
    def of(cls, *visitors: Visitor) -> Visitors:
        """Return these visitors by columns."""
        return cls(dict(zip(Visitor._fields, zip(*visitors, strict=True), strict=False)))

    def column(self, field: str) -> Sequence[Any]:
        """Return what one field holds, one value a class."""
        if field in self._columns:
            return self._columns[field]
        return [Visitor._field_defaults[field]] * self._size if self._size else []

    @property
    def telling_agents(self) -> frozenset[str]:
        """Logs that tell a User-Agent of any of their clients; of another nobody can say that a client sent none."""
        pairs = zip(self.column("log"), self.column("user_agent"), strict=True)
        return frozenset(log for log, agent in pairs if agent)

    def but(self, **columns: Sequence[Any]) -> Visitors:
        """Return the same with some fields replaced."""
        return Visitors({**self._columns, **columns})

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Visitor]:
        return itertools.starmap(Visitor, zip(*map(self.column, Visitor._fields), strict=True))

    @overload
    def __getitem__(self, index: int) -> Visitor: ...
    @overload
    def __getitem__(self, index: slice) -> Visitors: ...
    def __getitem__(self, index: int | slice) -> Visitor | Visitors:
        some: dict[str, Any] = {name: column[index] for name, column in self._columns.items()}
        return Visitors(some) if isinstance(index, slice) else Visitor(**some)

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Visitors) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # its columns may be lists

    def __repr__(self) -> str:
        return f"Visitors.of{tuple(self)!r}"


class ClassCount(NamedTuple):
    """Number of client groups of a kind, and their visits."""

    classes: int
    visits: int


REDIRECTS: Final = (301, 302, 303, 307, 308)
"""Statuses that lead a client on."""
STATIC: Final = (
    r"(?i)\.(?:css|m?js|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|eot|otf|mp[34]|webm)$|^/(?:static|assets)/"
)
"""Regular expression (RE2 and Python alike) of the paths of files that belong to a page: they start no session."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Everything that access logs tell about who calls."""

    visitors: Visitors
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
        return sum(self.visitors.column("visits"))

    @property
    def span_s(self) -> float:
        """Seconds from the first visit to the last."""
        if self.first_at is None or self.last_at is None:
            return 0.0
        return (self.last_at - self.first_at).total_seconds()

    def of(self, likelihood: Likelihood) -> ClassCount:
        """Count the classes of one likelihood."""
        return self._tally(told == likelihood for told in self.visitors.column("sessions"))

    @property
    def periodic(self) -> ClassCount:
        """Count the classes that come at a fixed interval."""
        return self._tally(period is not None for period in self.visitors.column("period_s"))

    @property
    def logs(self) -> int:
        """Number of logs in which the visitors were seen."""
        return len(set(self.visitors.column("log")))

    def _tally(self, which: Iterable[bool]) -> ClassCount:
        visits = list(itertools.compress(self.visitors.column("visits"), which))
        return ClassCount(len(visits), sum(visits))


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
    """Number of times that a log was replaced or emptied since the beginning."""
    traffic: Traffic | None
    """The traffic of the last lines; None before there is any request."""
    waiting_for: str = ""
    """Why there is none."""
    last: bool = False
    """Nothing follows."""
