"""What an incident is made of, before it becomes evidence: stores, sessions, requests, actors, configured checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from incidents.chance import Chance

Role = Literal["culprit", "innocent", "people"]
GRACE_MS = 300_000
"""How long the hash of Spring's indexed repository outlives its session: it is still in the store, and is counted."""


class Request(NamedTuple):
    """One request that a logging proxy answers. Times are Unix milliseconds."""

    ended_ms: float
    took_ms: float
    server: str
    host: str
    method: str
    path: str
    status: int
    size: int
    address: str
    agent: str
    referrer: str
    brought_cookie: bool
    was_given_cookie: bool
    actor: str


@dataclass(slots=True)
class Session:
    """One session as the application last wrote it. Times are Unix milliseconds, whole."""

    id: str
    store: str
    creator: str
    """Name of the actor whose request made it."""
    born_ms: int
    accessed_ms: int
    written_ms: int
    """Last write of the value; what a layout without a birth derives from."""
    lifetime_s: int
    principal: str | None = None
    saved: tuple[str, str, str, str] | None = None
    """Host, path, user agent and forwarded address of the request that led to a login page (Spring Security keeps it)."""
    ended: bool = False
    former_id: str | None = None
    former_accessed_ms: int = 0
    padding: int = 0
    """Bytes of an attribute that nobody needs."""
    slides: bool = True
    """Whether every use renews it; else only a write of its value (Django)."""

    @property
    def expires_ms(self) -> int:
        """When it is over, if it is not used again."""
        if self.lifetime_s < 0:
            return 1 << 62
        return (self.accessed_ms if self.slides else self.written_ms) + self.lifetime_s * 1000


@dataclass(slots=True)
class Actor:
    """Somebody who sends requests: one process, or one population."""

    name: str
    role: Role
    slugs: tuple[str, ...] = ()
    """Causes that are right for it, the best first; empty for innocents."""
    agents: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    """As a log shows them; at most a few, ``address_count`` tells how many there are."""
    address_count: int = 1
    path: str = "/"
    paths: tuple[str, ...] = ()
    """More paths that it asks for, where it asks for several."""
    url: str = ""
    """The URL as configured, where it is in a configuration."""
    period_s: float | None = None
    rhythm: str = ""
    """ticker, drifting, jittered, cron, irregular."""
    in_log: bool = True
    in_configuration: bool = False
    store: str = ""
    """Store of the application that it asks."""
    visits: int = 0
    first_ms: float = 0.0
    last_ms: float = 0.0


@dataclass(slots=True)
class Check:
    """One configured, repeated request (to be written into a configuration)."""

    family: str
    """blackbox, consul, kubelet, haproxy, terraform, scrape."""
    address: str
    port: int
    path: str
    period_s: float
    job: str = "web"
    service: str = "app"
    replicas: int = 1
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Store:
    """One Redis with the sessions of one application, and perhaps more."""

    name: str
    layout: str
    lifetime_s: int
    namespace: str = ""
    maximum: str | None = None
    """``--memory-limit`` of the examination."""
    others: list[bytes] = field(default_factory=list)
    """Packed commands that write keys that are no sessions."""
    other_bytes: int = 0
    without_ttl: bool = False
    """Sessions have no expiry at all."""
    evicted_markers: float = 0.0
    """Share of the expiry markers that ``volatile-ttl`` took (Spring indexed)."""


@dataclass
class Scene:
    """One incident. Kinds fill it, writers turn it into files."""

    seed: int
    kind: str
    now_ms: int
    chance: Chance
    stores: dict[str, Store] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    actors: dict[str, Actor] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    servers: dict[str, str] = field(default_factory=dict)
    """Names of logging proxies to their addresses."""
    hosts: dict[str, str] = field(default_factory=dict)
    """Server to the public host name."""
    history_ms: float = 0.0
    parts: list[str] = field(default_factory=list)
    extra_causes: list[tuple[tuple[str, ...], str, float, str]] = field(default_factory=list)
    """Causes that create nothing: accepted slugs, store, share, of what."""
    tolerated: set[str] = field(default_factory=set)
    """Slugs that are true of it without being asked for."""
    expected_beside: set[str] = field(default_factory=set)
    """Slugs that a good report has somewhere: as cause, contribution or finding."""
    notes: list[str] = field(default_factory=list)
    log_formats: tuple[str, ...] = ()
    """Formats that this kind is about; empty: any."""
    log_from: float | None = None
    """The log begins before this moment at the latest."""
    log_offset_ms: float | None = None
    """What the log's clock is ahead of the store's; None: drawn."""
    log_sample: float = 1.0
    evidence: tuple[str, ...] = ("log", "dump", "configuration")
    """What there is at all."""

    def resident(self, store: str) -> list[Session]:
        """Sessions that lie in the store at the end: live ones, and hashes that Spring's indexed repository keeps a while."""
        endless = self.stores[store].without_ttl
        grace = GRACE_MS if self.stores[store].layout == "spring-indexed" else 0

        def lies(session: Session) -> bool:
            if session.ended:
                return grace > 0 and session.written_ms + grace > self.now_ms
            return endless or session.expires_ms + grace > self.now_ms

        return [session for session in self.sessions if session.store == store and lies(session)]
