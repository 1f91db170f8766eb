"""The truth about a staged incident: the figures that an autopsy of it has to find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TargetTruth:
    """One port that the prober is told to ask."""

    store: str
    """Name of the application's store."""
    server: str
    address: str
    port: int
    creates: bool
    """Whether its probes made sessions when the story ended."""
    logged: bool
    """Whether its probes are in an access log."""
    phase_ms: int
    """Unix time modulo the interval at which it is asked; births come a few milliseconds later."""
    sessions: int
    """Live sessions in the store that its probes made."""


@dataclass(frozen=True, slots=True)
class AgentDefinitions:
    """The service definitions of one Consul agent."""

    address: str
    """Address of its machine, which the file itself does not tell."""
    path: Path


@dataclass(frozen=True, slots=True)
class StoreTruth:
    """One store with the files of its application."""

    name: str
    lifetime_s: int
    dump: Path
    """RDB file, by the server's own SAVE."""
    keys: int
    """Keys in it, as the server counted them (DBSIZE)."""
    predicted_keys: int | None
    """Keys that the configuration alone lets expect once births and expiries balance; None: they never do."""
    live: int
    """Sessions that a request could still use."""
    grace: int
    """Sessions that are over and of which only the hash is left, for five minutes."""
    authenticated: int
    """Live sessions of people who are logged in."""
    anonymous: int
    """Live sessions of nobody."""
    minute_sets: int
    """Shared ``expirations:<minute>`` sets."""
    principal_sets: int
    """Shared principal index sets."""
    from_probes: int
    """Live sessions that probes made."""
    from_bot: int
    """Live sessions that the crawler made."""
    access_logs: tuple[Path, ...]
    nginx: tuple[Path, ...]
    error_logs: tuple[Path, ...]
    errors: int
    """Timeouts in them."""
    consul_definitions: tuple[AgentDefinitions, ...]
    consul_answer: Path


@dataclass(frozen=True, slots=True)
class Stage:
    """A staged story: where its files are, and the truth."""

    story: str
    folder: Path
    now: datetime
    """When it ends: to be given as ``--now``, since the dumps are made today."""
    incident: Path
    """``incident.toml``, which names all sources."""
    prometheus: Path | None
    blackbox: Path | None
    stores: tuple[StoreTruth, ...]
    targets: tuple[TargetTruth, ...]
    principals: tuple[str, ...]
    """User names of everybody in the story: none may leave the stores."""
    session_ids: tuple[str, ...]
    """Every raw session id in the stores, ids before a login included: none may leave them."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that was written."""
        shared = (self.incident, self.prometheus, self.blackbox)
        return tuple(path for path in shared if path is not None) + tuple(
            path
            for store in self.stores
            for path in (store.dump, *store.access_logs, *store.nginx, *store.error_logs, store.consul_answer,
                         *(definitions.path for definitions in store.consul_definitions))
        )  # fmt: skip
