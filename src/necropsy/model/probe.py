"""A probe: one configured, repeated request, whoever sends it. And the backends that answer."""

from __future__ import annotations

from dataclasses import dataclass

from necropsy.model.evidence import Origin


@dataclass(frozen=True, slots=True)
class Probe:
    """One configured, repeated request: the common shape of all probers.

    ``prometheus/blackbox_exporter_http GET http://172.12.1.189:8080/`` every 10 s is one probe.
    """

    prober: str
    """Name of the prober, as ``family/name``: ``prometheus/<job>``, ``consul/<check name>``, ``nginx/…``."""
    kind: str
    """``scrape``, ``blackbox-http``, ``blackbox-tcp``, ``blackbox-icmp``, ``blackbox-dns``, ``consul-check`` …"""
    method: str
    url: str
    """The URL that really reaches the application, before redirects. ``<address>`` stands for an unknown node address."""
    host: str
    """Host (or address) of ``url``, without port."""
    port: int
    path: str
    """Path and query of ``url``; ``/`` at least."""
    period_s: float
    """Seconds between two requests to this URL by one prober."""
    timing: str = "ticker"
    """``ticker`` (locked to the clock, as Prometheus) or ``renewal`` (interval plus duration, as Consul)."""
    phase_s: float | None = None
    """Unix time modulo ``period_s`` at which it fires, if that can be computed."""
    user_agents: tuple[str, ...] = ()
    """Prefixes of the User-Agent that it sends, by version of the prober; empty when unknown."""
    follows_redirects: bool = True
    creates_sessions: bool = True
    """False when it cannot reach an HTTP handler at all: ICMP, TCP, DNS, a scrape of the exporter itself."""
    harmless_because: str = ""
    """Why ``creates_sessions`` is False, for the reader."""
    service: str | None = None
    """Discovered service that the target belongs to: targets of one application share it."""
    instance: str | None = None
    """Discovered instance: Consul's service ID, or the target's address."""
    health: str | None = None
    """``passing``, ``warning``, ``critical``, ``maintenance`` as discovery reports it; None when it does not."""
    health_path: str | None = None
    """Health endpoint that the discovered service itself knows (its own check's path, its meta), e.g. ``/health``."""
    origin: tuple[Origin, ...] = ()
    """The chain of lines that made it, accused line first."""
    labels: tuple[tuple[str, str], ...] = ()
    """Final labels of the target, sorted by name."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers beside Host and User-Agent; the value of one that the configuration sets is ``***``: it may be a secret."""


@dataclass(frozen=True, slots=True)
class UpstreamPort:
    """One listening port of an application server, as its proxy's configuration knows it."""

    address: str
    """Address as written: ``127.0.0.1``, ``localhost``, ``*`` for any; compare with care."""
    port: int
    role: str
    """``proxy`` (a ``listen`` of nginx) or ``upstream`` (behind it)."""
    state: str
    """``live`` (traffic goes there), ``idle`` (``down``, ``backup`` or commented out of use), ``unknown``."""
    upstream: str = ""
    """Name of the upstream block."""
    access_log: str | None = None
    """Path of the log that records requests to this port through the proxy; None when it is switched off."""
    log_format: str | None = None
    """Name of its log_format; None with ``access_log``."""
    server_names: tuple[str, ...] = ()
    origin: Origin | None = None
    main_file: str = ""
    """Main file of the configuration that knows it: ports of one main file are those of one machine."""
