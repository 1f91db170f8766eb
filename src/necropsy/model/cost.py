"""The cost of probes for a session store: sessions, keys and bytes, a day and for as long as they live."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Assumptions about what configuration does not tell, and settings to try instead of those that it has."""

    lifetime_s: float | None = None
    """Lifetime of a session in seconds; None: unknown, so nothing is said about the steady state."""
    keys_per_session: float = 1.0
    bytes_per_session: float | None = None
    sessions_per_request: float = 1.0
    """2 where a prober follows a redirect without the cookie that it was just given."""
    redirect: str = ""
    """``Location`` that the application answers a visitor without a session; blackbox probes are then counted by themselves."""
    cookies_by_host: bool = False
    """The exporter keeps cookies by name, as one built with Go 1.26 or newer does, and not by address."""
    minute_sets: bool = False
    """Spring's indexed layout keeps one set for each minute in which sessions expire."""
    interval_s: float | None = None
    """Assume this interval for every probe."""
    replicas: int = 1
    """Assume this number of Prometheus servers that send these probes."""
    fixed: tuple[str, ...] = ()
    """Assume that probes of these hosts (or ``host:port``) request a health endpoint."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Sessions and what they occupy. None: unknown, or never steady."""

    sessions_per_day: float
    keys_per_day: float
    bytes_per_day: float | None
    sessions: float | None
    """At the steady state: as many expire as are born."""
    keys: float | None
    bytes: float | None


@dataclass(frozen=True, slots=True)
class CostLine:
    """One probe that may start a session with each request."""

    prober: str
    method: str
    url: str
    period_s: float
    fixed: bool
    """Assumed to ask for a health endpoint."""
    sessions_per_request: float
    amount: Amount


@dataclass(frozen=True, slots=True)
class Cost:
    """All of it."""

    lines: tuple[CostLine, ...]
    total: Amount
    before: Amount | None
    """Without the what-ifs; None when there are none."""
    harmless: int
    """Probes that start no session."""
    idle: int
    """Probes that nobody answers."""
    assumptions: Assumptions
    formula: str
    """The sum at the steady state, written out; empty when there is none."""
