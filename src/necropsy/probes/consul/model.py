"""Nodes, service instances and checks, from any source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.http.request import path_of
from necropsy.probes.session_risk import UNKNOWN_ADDRESS
from necropsy.probes.syntax import go_duration

_KINDS: Final = (
    ("http", "http"),
    ("tcp", "tcp"),
    ("udp", "udp"),
    ("grpc", "grpc"),
    ("h2ping", "h2ping"),
    ("ttl", "ttl"),
    ("aliasservice", "alias"),
    ("aliasnode", "alias"),
    ("dockercontainerid", "docker"),
    ("osservice", "os_service"),
    ("script", "script"),
    ("args", "script"),
    ("scriptargs", "script"),
)
_SEVERITY: Final = ("critical", "warning", "passing")


@dataclass(frozen=True, slots=True)
class ConsulNode:
    """One machine with an agent."""

    name: str = ""
    address: str = UNKNOWN_ADDRESS
    datacenter: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)
    tagged_addresses: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether its address is known."""
        return self.address != UNKNOWN_ADDRESS


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a service or of a node."""

    identity: str
    """CheckID."""
    name: str
    kind: str
    """``http``, ``tcp``, ``ttl``, ``script`` …; empty when an answer does not say."""
    url: str = ""
    """As written; may hold a password."""
    method: str = "GET"
    interval_s: float = 0.0
    """0 when unknown."""
    follows_redirects: bool = True
    user_agent: str = ""
    """From its headers; empty: Consul's own."""
    header_names: tuple[str, ...] = ()
    """Headers that it sets; their values are not kept."""
    status: str | None = None
    """``passing``, ``warning``, ``critical``; None when only a definition is known."""
    service_id: str = ""
    """Empty for a check of the node."""
    node: str = ""
    origin: Origin | None = None
    """The line that knows the URL, or the check."""

    @property
    def path(self) -> str | None:
        """Path that it asks for; None unless it is an HTTP check."""
        return path_of(self.url) if self.kind == "http" and self.url else None


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a service on a node."""

    service_id: str
    name: str
    node: ConsulNode
    address: str
    """Its own address; empty: the node's."""
    port: int
    tags: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""
    partition: str = ""
    checks: tuple[Check, ...] = ()
    """Its own and its node's."""
    answered: bool = False
    """Consul itself said so; False when only a definition file is known."""
    origin: tuple[Origin, ...] = ()
    """Lines that define it, definition files first."""
    meta_lines: Mapping[str, Origin] = field(default_factory=dict)

    @property
    def host_port(self) -> str:
        """Address and port as Prometheus joins them (Go's ``net.JoinHostPort``)."""
        host = self.address or self.node.address
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def health(self) -> str | None:
        """Aggregated status as Consul's client computes it; None when only a definition is known."""
        return aggregated_status(self.checks) if self.answered else None

    @property
    def health_path(self) -> str | None:
        """Health endpoint that the service itself knows: its own HTTP check's path, or one in its meta."""
        known = self.health_endpoint
        return known[0] if known else None

    @property
    def health_endpoint(self) -> tuple[str, Origin | None] | None:
        """Path of its health endpoint with the line that knows it. A check of ``/`` is no health endpoint."""
        for check in self.checks:
            if check.service_id == self.service_id and check.path not in (None, "/"):
                return str(check.path), check.origin
        for key, value in self.meta.items():
            path = path_of(value) if "://" in value else "/" + value.lstrip("/")
            if "health" in key.lower() and path != "/" and " " not in path:
                return path, self.meta_lines.get(key)
        return None

    def with_checks(self, checks: tuple[Check, ...]) -> Instance:
        """Return the same instance with these checks."""
        return replace(self, checks=checks)


def aggregated_status(checks: tuple[Check, ...]) -> str:
    """Aggregate as ``HealthChecks.AggregatedStatus`` does (hashicorp/consul, api/health.go).

    Maintenance of the node or of the service beats everything, then critical, warning, passing; no check at all is
    passing; a status that nobody knows makes the whole unknown: the empty text.
    """
    for check in checks:
        if check.identity == "_node_maintenance" or check.identity.startswith("_service_maintenance:"):
            return "maintenance"
    statuses = {check.status or "passing" for check in checks}
    if statuses - set(_SEVERITY):
        return ""
    return next((status for status in _SEVERITY if status in statuses), "passing")


def check_kind(fields: frozenset[str]) -> str:
    """Name the kind of a check by the normalised names of its fields that have a value."""
    return next((kind for name, kind in _KINDS if name in fields), "")


def go_seconds(text: str) -> float:
    """Read a Go duration, or a whole number of nanoseconds, in seconds; 0 when it is neither.

    >>> go_seconds("1m30s"), go_seconds("1.5s"), go_seconds("10000000000"), go_seconds("often")
    (90.0, 1.5, 10.0, 0.0)
    """
    if text.isascii() and text.isdigit():
        return int(text) / 1e9
    return go_duration.seconds_of(text.lstrip("+")) or 0.0
