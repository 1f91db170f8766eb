"""Consul's own checks as probes: it asks, too, and its requests are in the same access log.

An HTTP check asks ``interval`` after the last one ended (agent/checks/check.go: ``CheckHTTP.run``), so its period is the
interval plus the duration of the check and it drifts; it keeps no cookies and no connections, and follows redirects
unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.model.probe import Probe
from necropsy.probes.consul.catalog import Catalog
from necropsy.probes.consul.model import Check, ConsulNode, Instance
from necropsy.probes.http.request import path_of, presentable, set_headers

USER_AGENT: Final = "Consul Health Check"
_LONGEST_UNSAID_S: Final = 10.0
_HARMLESS: Final = {
    "tcp": "opens a TCP connection, sends no request",
    "udp": "sends a datagram, no HTTP request",
    "ttl": "waits for a report, sends no request",
    "script": "runs a command on the node",
    "docker": "runs a command in a container",
    "grpc": "calls the gRPC health service",
    "h2ping": "sends an HTTP/2 ping, no request",
    "alias": "repeats the state of another check",
    "os_service": "queries the operating system",
}


def consul_probes(catalog: Catalog) -> Iterator[Probe]:
    """Yield a probe for every check that asks at regular times."""
    for instance in catalog.instances:
        for check in instance.checks:
            if check.service_id == instance.service_id:
                yield from _probe(check, instance.node, instance)
    for node, check in catalog.node_checks:
        yield from _probe(check, node, None)


def _probe(check: Check, node: ConsulNode, instance: Instance | None) -> Iterator[Probe]:
    if check.kind not in _HARMLESS and not check.url:
        return  # maintenance, serfHealth: states, not requests
    # localhost is the node's own: written as it stands, because that is the Host header in the log.
    url, host, port, path = (
        presentable(check.url) if check.url else ("", node.address, instance.port if instance else 0, "/")
    )
    yield Probe(
        prober=f"consul/{check.name or check.identity}",
        kind="consul-check" if check.url else f"consul-{check.kind}",
        method=check.method,
        url=url or f"{check.kind}://{node.address}:{port}",
        host=host,
        port=port,
        path=path,
        period_s=check.interval_s or _LONGEST_UNSAID_S,
        timing="renewal",
        user_agents=(check.user_agent or USER_AGENT,),
        follows_redirects=check.follows_redirects,
        creates_sessions=bool(check.url),
        harmless_because="" if check.url else _HARMLESS[check.kind],
        service=instance.name if instance else None,
        instance=instance.service_id if instance else None,
        health=check.status,
        health_path=instance.health_path if instance else None,
        origin=_chain(check, instance),
        headers=(
            (("Accept", "text/plain, text/*, */*"), ("Connection", "close"), *set_headers(check.header_names))
            if check.url
            else ()
        ),
    )


def _chain(check: Check, instance: Instance | None) -> tuple[Origin, ...]:
    first = []
    if check.origin is not None:
        what = f"requests {path_of(check.url)}" if check.url else f"a {check.kind} check"
        first.append(Origin(check.origin.file, check.origin.line, what))
    return (*first, *(instance.origin if instance else ()))
