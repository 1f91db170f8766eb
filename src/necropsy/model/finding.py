"""Findings, exhibits and remedies of the examiners; and what they could not judge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from necropsy.model.evidence import Origin

HEALTHY: Final = "healthy"
BLIND_SPOT: Final = "monitoring/log-blind-spot"
UNLOGGED: Final = "traffic/unlogged-creator"


class Severity(StrEnum):
    """Severity of a finding, most severe last; decides the exit code (11, 12, 13)."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for critical."""
        return _SEVERITIES.index(self)

    @property
    def exit_code(self) -> int:
        """Exit code of a run whose worst finding is this one."""
        return 11 + self.rank


_SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


class Confidence(StrEnum):
    """Confidence of a finding."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of proof: the accused line, key family or visitor class, with its figure."""

    title: str
    """One line, fit for a list: ``172.12.1.189:8080  GET /  every 10 s``."""
    text: str = ""
    """Its meaning, a sentence."""
    origin: Origin | None = None
    """Line of a file, if it is one."""
    query: str = ""
    """SQL on the case file that derives the figure again."""
    request: str = ""
    """The request that it is about: ``METHOD URL``, or ``METHOD PATH`` where only a log knows it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A change to one configuration file, already checked by simulation."""

    file: str
    """Name of the file as it was given."""
    diff: str
    """Unified diff, applies with ``patch -p1``."""
    added: int
    removed: int
    effect: str
    """The requests of the patched configuration, one sentence."""
    stops: tuple[str, ...] = ()
    """Requests that may create sessions and are not sent any more, by the simulation: ``prober method URL`` each."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """A remedy: a patch, a purge plan, or advice."""

    title: str
    """One line, imperative."""
    text: str
    """Steps, in order."""
    undo: str
    """The way to take it back; empty: there is nothing to undo."""
    safe: bool = False
    """True only if applying it cannot lose data or log anybody out."""
    patches: tuple[Patch, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``slug`` and ``meaning`` are stamped by the framework, so that an examiner cannot misspell itself."""

    severity: Severity
    confidence: Confidence
    title: str
    """One sentence with the figure in it."""
    text: str = ""
    """The reason, a short paragraph; lines may be wrapped by the report."""
    primary: Exhibit | None = None
    supporting: tuple[Exhibit, ...] = ()
    remedy: Remedy | None = None
    store: str | None = None
    """Store that it is about; None when it is about no single one."""
    share: float | None = None
    """Share of ``share_of`` that this explains, 0 to 1."""
    share_low: float | None = None
    share_high: float | None = None
    slug: str = ""
    meaning: str = ""
    """The slug's meaning in one sentence; stamped, as the slug is."""
    share_of: str = "births"
    """The whole of the share. Shares of ``births`` of one store add up to 1 at most; others each name a whole of their own."""
    sessions: int | None = None
    """Sessions that it is about; None: as many as the share says, or none."""
    bytes: int | None = None
    """Memory that it is about; None: that of its sessions."""
    claims: tuple[int, ...] = ()
    """``claim_id`` of the rows of ``birth_claim`` that it rests on."""
    doubt: str = ""
    """Why the confidence in a creator is not high."""
    probers: tuple[str, ...] = ()
    """Probers that it accuses, as ``family/name``; empty where it accuses none by name."""

    @property
    def requests(self) -> frozenset[str]:
        """Requests that its exhibits name."""
        exhibits = (self.primary, *self.supporting)
        return frozenset(exhibit.request for exhibit in exhibits if exhibit is not None and exhibit.request)

    @property
    def reassures(self) -> bool:
        """Whether it reports that a store is healthy: no accusation."""
        return self.slug == HEALTHY

    @property
    def hides_requests(self) -> bool:
        """Whether it names requests that no access log records."""
        return self.slug == BLIND_SPOT

    @property
    def url(self) -> str:
        """Page of the slug, from the root of the repository; ``necropsy explain`` prints it."""
        return f"src/necropsy/cli/pages/{self.slug}.md"


@dataclass(frozen=True, slots=True)
class Cleared:
    """Something that was looked at and is fine: an examiner says so, with its reason."""

    slug: str
    text: str

    @property
    def reassures(self) -> bool:
        """Whether it reports that a store is healthy, and not only that one thing is fine."""
        return self.slug == HEALTHY


@dataclass(frozen=True, slots=True)
class Unexamined:
    """An examiner that could not judge, and the evidence that it lacked. Never shown as "fine"."""

    slug: str
    missing: tuple[str, ...]
    """Evidence kinds that were needed and are absent."""
    hint: str
    """The option that would bring it."""
