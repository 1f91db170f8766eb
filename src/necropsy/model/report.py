"""The value that every report renders: all of an autopsy's results, and the series for its pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from necropsy.model.evidence import Absent, Blemish, Source
from necropsy.model.finding import Finding
from necropsy.model.history import Course, PastEvent, StoreHistory
from necropsy.model.probe import Probe
from necropsy.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class StoreSummary:
    """The population of one store."""

    name: str
    layout: str
    """``spring-indexed``, ``spring``, ``express``, ``django`` …; ``none`` without sessions."""
    keys: int
    bytes: int
    """Estimated memory of all keys."""
    sessions: int
    authenticated: int
    anonymous: int
    unknown: int
    immortal: int
    dead: int
    """Expired, still there (grace, ghosts)."""
    session_keys: int
    session_bytes: int
    other_keys: int
    lifetime_s: float | None
    """Most common lifetime in seconds."""
    oldest_birth: datetime | None
    newest_birth: datetime | None
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One named series of counts for a chart with a common x axis."""

    name: str
    values: tuple[float, ...]
    kind: str = ""
    """``cause`` (the accused), ``people``, ``unexplained``, ``cleared``: decides the colour."""


@dataclass(frozen=True, slots=True)
class BirthChart:
    """Births over time by source."""

    store: str
    start: datetime
    step_s: float
    series: tuple[ChartSeries, ...]
    """All of the same length; bin i covers start + i*step_s onwards."""


@dataclass(frozen=True, slots=True)
class Tooth:
    """One comb of births: a horizontal line in the comb picture."""

    phase_s: float
    label: str
    """Name of the actor, e.g. ``172.12.1.189:8080 (not in any access log)``."""
    births: int
    in_access_log: bool | None


@dataclass(frozen=True, slots=True)
class CombChart:
    """Phase of births against time: combs are horizontal lines, people are dust."""

    store: str
    period_s: float
    start: datetime
    points: tuple[tuple[float, float, int], ...]
    """(seconds since start, phase in seconds, index into teeth or -1): a deterministic sample, at most 6,000."""
    teeth: tuple[Tooth, ...]
    births: int
    """Number of births that the points were sampled from."""
    by_number: tuple[str, ...] = ()
    """Labels of lines that nothing tells apart: as many targets of one period as lines, and no log shows them."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts in labelled bins."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PopulationChart:
    """The sessions of a store by kind and age."""

    store: str
    by_age: Histogram
    by_remaining: Histogram
    """Remaining time to live."""
    by_authentication: Histogram


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the chain from a configuration line to memory."""

    title: str
    """Short: ``prometheus.yml:17``."""
    text: str
    """Effect of the line: ``copies __address__ into __param_target: no path``."""
    figure: str = ""
    """The number at this step: ``34,560 sessions a day``."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain from configuration line to memory, for one cause."""

    store: str
    slug: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report can show. Values only: no report opens a file or asks a server."""

    necropsy: str
    """Version."""
    taken_at: datetime
    """The moment that the autopsy calls now (``--now``, else the newest evidence), UTC."""
    case: str | None
    """Name of the case file, if one was kept."""
    verdict: Verdict
    stores: tuple[StoreSummary, ...]
    findings: tuple[Finding, ...]
    """Most severe first."""
    sources: tuple[Source, ...]
    absent: tuple[Absent, ...]
    blemishes: tuple[Blemish, ...]
    probes: tuple[Probe, ...] = ()
    births: tuple[BirthChart, ...] = ()
    combs: tuple[CombChart, ...] = ()
    populations: tuple[PopulationChart, ...] = ()
    chains: tuple[Chain, ...] = ()
    frameworks: dict[str, int] = field(default_factory=dict)
    """Sessions per layout."""
    histories: tuple[StoreHistory, ...] = ()
    """Stores over time, by each source that knows of it."""
    events: tuple[PastEvent, ...] = ()
    """Events at known times, in order."""
    courses: tuple[Course, ...] = ()
    """Fill levels of each store, past and future, where its past is known."""
