"""A configuration text, as it is handed to the simulation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """One configuration text."""

    name: str
    """Path as it was given: errors and origins show it, includes are resolved against it."""
    text: str
    kind: str
    """``prometheus``, ``blackbox``, ``consul``, ``nginx``, ``file_sd``, ``http_sd``, ``dns_sd``, ``prometheus_api`` (what a
    running Prometheus answered), ``kubernetes``, or a kind of ``probers.registry``."""
    node_address: str | None = None
    """Consul: address of the node whose agent reads this file. ``http_sd``: the URL that this text answers.
    ``prometheus_api``: name of the configuration that the server runs."""
