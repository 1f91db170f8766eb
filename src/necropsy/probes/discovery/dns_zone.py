"""Prometheus' ``dns_sd`` from the lines that a name server answered, or from a zone file with full names.

Sample, as ``dig +noall +answer`` prints it::

    _web._tcp.example.com. 60 IN SRV 0 5 8080 admin-1.example.com.
    admin-1.example.com.   60 IN A   10.0.0.1
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.prometheus.target_group import TargetGroup
from necropsy.probes.syntax.node import Node

_TYPES: Final = {"SRV": 4, "A": 1, "AAAA": 1, "MX": 2, "NS": 1}
"""Types that Prometheus can be told to ask for, with the number of fields of their data."""


def records(text: str, file: str) -> list[tuple[str, str, list[str], Origin]]:
    """Read records: name in lower case without its final dot, type, data, place. Other lines are passed over."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition(";")[0].split()
        kind = next((n for n, word in enumerate(words[1:4], 1) if word.upper() in _TYPES), 0)
        if kind and len(words) - kind > _TYPES[words[kind].upper()]:
            name = words[0].rstrip(".").lower()
            found.append((name, words[kind].upper(), words[kind + 1 :], Origin(file, number, f"answers {name}")))
    return found


def discover(settings: Node, answers: Iterable[tuple[str, str, list[str], Origin]]) -> list[TargetGroup]:
    """Return a group for each name of one ``dns_sd_configs`` entry that has an answer (discovery/dns/dns.go)."""
    names = settings.get("names")
    kind_node, port_node = settings.get("type"), settings.get("port")
    kind = kind_node.text().upper() if kind_node is not None else "SRV"
    port = port_node.text() if port_node is not None else "0"
    known = list(answers)
    groups = []
    for name in names.texts() if names is not None else []:
        found = [
            (data, origin) for owner, type_, data, origin in known if (owner, type_) == (name.rstrip(".").lower(), kind)
        ]
        if found:
            groups.append(
                TargetGroup(
                    targets=tuple(_target(name, kind, data, port) for data, _ in found),
                    target_origins=tuple((origin,) for _, origin in found),
                )
            )
    return groups


def _target(name: str, kind: str, data: list[str], port: str) -> dict[str, str]:
    labels = {"__meta_dns_name": name}
    host = data[-1]
    if kind == "SRV":
        port = data[2]
        labels["__meta_dns_srv_record_target"] = host
        labels["__meta_dns_srv_record_port"] = port
    elif kind in ("MX", "NS"):
        labels[f"__meta_dns_{kind.lower()}_record_target"] = host
    host = data[0] if kind in ("A", "AAAA") else host.rstrip(".")
    labels["__address__"] = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return labels
