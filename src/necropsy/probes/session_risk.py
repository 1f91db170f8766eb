"""Whether a probe may create sessions, and whether anything answers at its target. Pure judgement on values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from necropsy.model.probe import Probe, UpstreamPort

UNKNOWN_ADDRESS: Final = "<address>"
"""Stands for the address of a node that no evidence names."""

LOGIN_WORDS: Final = (
    r"log[-_]?[io]n|sign[-_]?[io]n|sso|oauth2?|saml2?|cas|authori[sz]e|authenticate|auth|j_security_check"
)
"""Regular expression of the words by which paths of logins are known."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HARMLESS_PATH: Final = re.compile(
    r"/(?:-/)?(?:actuator/)?_?(?:health(?:y|z|check|_check|-check)?|live(?:z|ness)?|alive|ready(?:z|ness)?|readiness|startup"
    r"|heartbeat|ping|status|up|metrics|probe)(?:\.(?:json|txt|html?))?(?:/|$|\?)"
)
_PAGE: Final = re.compile(
    rf"/?(?:index|home|welcome|start|main|default|{LOGIN_WORDS}|dashboard|admin|account|portal|app|ui|web|console|user)s?"
    r"(?:\.\w+)?/?",
    re.IGNORECASE,
)
"""Last words of paths that people open."""


def split_host(host: str, scheme: str = "http") -> tuple[str, int]:
    """Split a Host header into name and port.

    >>> split_host("172.12.1.189:8080"), split_host("admin.example.com"), split_host("[::1]:80")
    (('172.12.1.189', 8080), ('admin.example.com', 80), ('::1', 80))
    """
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?", host)
    if match is None:
        return host, _DEFAULT_PORTS[scheme]
    return match.group(1).strip("[]"), int(match.group(2) or _DEFAULT_PORTS[scheme])


def names_port(host: str) -> bool:
    """Whether a Host header names a port; nginx' $host never does.

    >>> names_port("172.12.1.189:8080"), names_port("admin.example.com"), names_port("[::1]"), names_port("[::1]:80")
    (True, False, False, True)
    """
    return host.count(":") == 1 or "]:" in host


def may_create(probe: Probe) -> bool:
    """Whether a probe asks for a page that may create a session: HTTP, and not a known health endpoint."""
    if not probe.creates_sessions:
        return False
    path = probe.path.split("?", 1)[0]
    if probe.health_path is not None and path == probe.health_path:
        return False
    return not is_harmless_path(path)


def asks_for_page(probe: Probe) -> bool:
    """Whether a probe may create a session, or asks for a page for people though Consul calls that a health check."""
    return may_create(probe) or (probe.creates_sessions and is_page(probe.path))


def is_harmless_path(path: str) -> bool:
    """Whether a path is a health or metrics endpoint by its name: a guess, overruled by births that say otherwise."""
    return bool(_HARMLESS_PATH.search(path))


def is_page(path: str) -> bool:
    """Whether a path is a page for people by its name: the root, a login, a home page.

    A path that is neither this nor harmless may be either: somebody chose it, and its name does not say.

    >>> is_page("/"), is_page("/admin/login.do"), is_page("/-/healthy"), is_page("/api/v2/cluster/leader")
    (True, True, False, False)
    """
    bare = path.partition("?")[0]
    return not bare.strip("/") or _PAGE.fullmatch(bare.rstrip("/").rpartition("/")[2]) is not None


def idle_probes(probes: Sequence[Probe], backends: Sequence[UpstreamPort]) -> frozenset[int]:
    """Indices of probes whose target does not answer.

    A port is idle when a proxy's configuration has switched it off and none uses it. Discovery that calls the instance
    healthy overrules that: somebody answers there. Without a proxy's configuration, a critical check says it.
    """
    live = {b.port for b in backends if b.role == "upstream" and b.state == "live"}
    switched_off = {b.port for b in backends if b.role == "upstream" and b.state == "idle"}
    silent: set[int] = set()
    for index, probe in enumerate(probes):
        if probe.health in ("critical", "maintenance"):
            # Blue on one server may be green on the other: then only the check can tell them apart.
            if probe.port in switched_off or probe.port not in live:
                silent.add(index)
        elif probe.health is None and probe.port in switched_off - live:
            silent.add(index)
    return frozenset(silent)
