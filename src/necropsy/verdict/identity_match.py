"""Decide whether a visitor class, or the creator that a session names, can be a given probe."""

from __future__ import annotations

from necropsy.model.probe import Probe
from necropsy.probes.session_risk import UNKNOWN_ADDRESS, split_host
from necropsy.verdict.evidence import VisitorClass


def agent_fits(probe: Probe, user_agent: str) -> bool:
    """Whether a User-Agent is one that this prober sends; unknown on either side fits."""
    return not user_agent or not probe.user_agents or user_agent.startswith(probe.user_agents)


def host_fits(probe: Probe, host: str) -> bool:
    """Whether a Host header is one that this probe sends; the port alone decides when the address is unknown."""
    if not host:
        return True
    name, port = split_host(host, probe.url.split(":", 1)[0])
    if probe.host not in (UNKNOWN_ADDRESS, name):
        return False
    # A prober that sets its own Host header sends it without the port that it connects to.
    return port == probe.port or (f"//{probe.host}" not in probe.url and ":" not in host)


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
