"""Gatus: ``endpoints`` of its YAML configuration (config/endpoint/endpoint.go).

Sample::

    endpoints:
      - name: admin
        url: https://admin.example.com/health
        interval: 30s
        client: {ignore-redirect: true}
        conditions: ["[STATUS] == 200"]
"""

from __future__ import annotations

from typing import Final

from necropsy.probes.consul.model import go_seconds
from necropsy.probes.http.request import set_headers
from necropsy.probes.probers.interface import Prober, ProberReading, Schedule, add, harmless_probe, http_probe
from necropsy.probes.syntax.document import parse_yaml
from necropsy.probes.syntax.node import Node

_DEFAULT_INTERVAL_S: Final = 60.0
_HARMLESS: Final = {
    "tcp": "opens a TCP connection, sends no request",
    "udp": "sends a datagram",
    "sctp": "opens an SCTP association",
    "icmp": "sends a ping",
    "ssh": "opens an SSH connection",
    "tls": "makes a TLS handshake, sends no request",
    "starttls": "makes a TLS handshake with a mail server",
    "grpc": "calls the gRPC health service, not a page",
    "grpcs": "calls the gRPC health service, not a page",
    "domain": "queries a domain registry",
}


def read(text: str, file: str) -> ProberReading:
    """Read a configuration of Gatus."""
    root = parse_yaml(text, file)
    found = ProberReading()
    endpoints = root.get("endpoints") or root.get("services")  # its name until 4.0
    for endpoint in endpoints or ():
        enabled = endpoint.get("enabled")
        if enabled is None or enabled.text().lower() != "false":
            _endpoint(endpoint, found)
    return found


def _endpoint(endpoint: Node, found: ProberReading) -> None:
    def text(*path: str) -> str:
        node = endpoint.at(*path)
        return node.text() if node is not None else ""

    name = "/".join(part for part in (text("group"), text("name")) if part)
    prober = f"gatus/{name}"
    url = text("url")
    schedule = Schedule(go_seconds(text("interval")) or _DEFAULT_INTERVAL_S)
    origin = (endpoint.key("url") or endpoint).origin(f"checks {name}")
    scheme = url.partition("://")[0]
    if endpoint.get("dns") is not None:
        found.probes.append(
            harmless_probe(prober, "gatus-dns", url, schedule, (origin,), "queries a name server", instance=name)
        )
        return
    if scheme in _HARMLESS:
        where = url.partition("://")[2]
        found.probes.append(
            harmless_probe(prober, f"gatus-{scheme}", where, schedule, (origin,), _HARMLESS[scheme], instance=name)
        )
        return
    headers = endpoint.get("headers")
    given = {key.lower(): value.text() for key, value in headers.items()} if headers is not None else {}
    probe = http_probe(
        prober,
        "gatus-http",
        url.replace("ws://", "http://", 1).replace("wss://", "https://", 1) if scheme in ("ws", "wss") else url,
        schedule,
        (origin,),
        method=text("method") or "GET",
        user_agents=(given.get("user-agent") or "Gatus/",),
        follows_redirects=text("client", "ignore-redirect").lower() != "true",
        host_header=given.get("host", ""),
        headers=set_headers(given),
        instance=name,
    )
    add(found, probe, origin)


PROBER: Final = Prober("gatus", "Gatus", read)
