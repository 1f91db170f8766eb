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
    running Prometheus answered), ``kubernetes``, ``values`` (a file that holds the configuration of others, which are given
    as parts of it), or a kind of ``probers.registry``."""
    node_address: str | None = None
    """Consul: address of the node whose agent reads this file. ``http_sd``: the URL that this text answers.
    ``prometheus_api``: name of the configuration that the server runs."""
    whole: str | None = None
    """Text of the file that this text is a part of, and in which it stands at the same offsets: what is around it is blank
    here. None: the text is the file."""
    patchable: bool = True
    """Whether offsets in this text are those of the file: not of a part that was escaped, encoded or of another charset."""
