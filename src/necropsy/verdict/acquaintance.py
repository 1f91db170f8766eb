"""Who could be whom: does a visitor class look like this probe, does a session's creator, does a port answer at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from necropsy.model.probe import Backend, Probe
from necropsy.verdict.combs import circular_distance
from necropsy.verdict.evidence import VisitorClass

UNKNOWN_ADDRESS: Final = "<address>"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HARMLESS_PATH: Final = re.compile(
    r"/(?:-/)?(?:actuator/)?(?:health|healthz|healthcheck|health_check|livez?|liveness|readyz?|readiness|ping|status|up|metrics|probe)"
    r"(?:/|$|\?)"
)
_MACHINE: Final = re.compile(
    r"(?i)bot|crawl|spider|slurp|curl|wget|python|java/|okhttp|go-http|probe|check|monitor|exporter|uptime|pingdom|libwww|scrapy|axios|node-fetch|http-?client|prometheus"
)
_BROWSER: Final = re.compile(r"^(?:Mozilla|Opera)/\d")

PHASE_TOLERANCE_S: Final = 0.25
"""How far the phase of births may lie from the phase of a class beyond the log's own resolution: latency of the answer."""


def split_host(host: str, scheme: str = "http") -> tuple[str, int]:
    """Split a Host header into name and port.

    >>> split_host("172.12.1.189:8080"), split_host("admin.example.com"), split_host("[::1]:80")
    (('172.12.1.189', 8080), ('admin.example.com', 80), ('::1', 80))
    """
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?", host)
    if match is None:
        return host, _DEFAULT_PORTS[scheme]
    return match.group(1).strip("[]"), int(match.group(2) or _DEFAULT_PORTS[scheme])


def may_create(probe: Probe) -> bool:
    """Whether a probe asks for a page that may create a session: HTTP, and not a known health endpoint."""
    if not probe.creates_sessions:
        return False
    path = probe.path.split("?", 1)[0]
    if probe.health_path is not None and path == probe.health_path:
        return False
    return not _HARMLESS_PATH.search(path)


def is_person(user_agent: str) -> bool:
    """Whether a User-Agent is a browser's; robots that say so are not people."""
    return bool(_BROWSER.match(user_agent)) and not _MACHINE.search(user_agent)


def agent_fits(probe: Probe, user_agent: str) -> bool:
    """Whether a User-Agent is one that this prober sends; unknown on either side fits."""
    return not user_agent or not probe.user_agents or user_agent.startswith(probe.user_agents)


def host_fits(probe: Probe, host: str) -> bool:
    """Whether a Host header is one that this probe sends; the port alone decides when the address is unknown."""
    if not host:
        return True
    name, port = split_host(host, probe.url.split(":", 1)[0])
    return port == probe.port and (probe.host in (UNKNOWN_ADDRESS, name))


def class_fits(probe: Probe, visitors: VisitorClass) -> bool:
    """Whether a visitor class is what this probe looks like in a log."""
    path = probe.path.split("?", 1)[0]
    return (
        visitors.method == probe.method
        and (visitors.path == path or not path)
        and agent_fits(probe, visitors.user_agent)
        and host_fits(probe, visitors.host)
        and (visitors.period_s is None or _same_period(visitors.period_s, probe.period_s))
    )


def _same_period(a_s: float, b_s: float) -> bool:
    return abs(a_s - b_s) <= 0.05 * max(a_s, b_s)


def phase_fits(visitors: VisitorClass, phase_s: float, period_s: float) -> float | None:
    """Distance in seconds between a comb and a class; None when the class cannot have made it."""
    if visitors.period_s is None or visitors.phase_s is None or not _same_period(visitors.period_s, period_s):
        return None
    distance = circular_distance(visitors.phase_s, phase_s, period_s)
    # A log with one-second times leaves half a second on either side; its spread says so.
    slack = max(visitors.phase_spread_s or 0.0, 0.5) + PHASE_TOLERANCE_S
    return distance if distance <= min(slack * 1.5, period_s / 2) else None


def idle_probes(probes: Sequence[Probe], backends: Sequence[Backend]) -> frozenset[int]:
    """Indices of probes whose target does not answer.

    A port is idle when a proxy's configuration has switched it off and none uses it. Discovery that calls the instance
    healthy overrules that: somebody answers there. Without a proxy's configuration, a critical check says it.
    """
    live = {b.port for b in backends if b.role == "upstream" and b.state == "live"}
    idle = {b.port for b in backends if b.role == "upstream" and b.state == "idle"} - live
    silent: set[int] = set()
    for index, probe in enumerate(probes):
        if probe.health in ("critical", "maintenance"):
            if probe.port in idle or probe.port not in live:
                silent.add(index)
        elif probe.port in idle and probe.health != "passing":
            silent.add(index)
    return frozenset(silent)
