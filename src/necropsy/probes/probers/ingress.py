"""Health checks that annotations of an Ingress ask of AWS' load balancers, one a backend.

Sample::

    kind: Ingress
    metadata:
      annotations:
        alb.ingress.kubernetes.io/healthcheck-path: /
        alb.ingress.kubernetes.io/healthcheck-interval-seconds: '15'
    spec: {ingressClassName: alb, rules: [{http: {paths: [{backend: {service: {name: admin, port: {number: 80}}}}]}}]}

Annotations of a Service, which outweigh those of the Ingress, are not read. The port is the service's where the annotation
says ``traffic-port``: what the pods listen on is known to the cluster alone.

Source: AWS Load Balancer Controller, "Ingress annotations", health check.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.kubernetes.objects import name_of, text_at, texts_at
from necropsy.probes.probers.interface import ProberReading, Schedule, add, http_probe
from necropsy.probes.session_risk import UNKNOWN_ADDRESS
from necropsy.probes.syntax.node import Node

_PREFIX: Final = "alb.ingress.kubernetes.io/"
_INTERVAL_S: Final = 15.0


def read_ingress(manifest: Node, found: ProberReading) -> None:
    """Add the health checks of an Ingress that a load balancer of AWS serves; nothing for others."""
    annotations = texts_at(manifest, "metadata", "annotations")
    mine = {name.removeprefix(_PREFIX): value for name, value in annotations.items() if name.startswith(_PREFIX)}
    of_class = text_at(manifest, "spec", "ingressClassName") or annotations.get("kubernetes.io/ingress.class", "")
    if not mine and of_class != "alb":
        return
    name = name_of(manifest)
    path = mine.get("healthcheck-path", "/")
    scheme = mine.get("healthcheck-protocol", "HTTP").lower()
    seconds = mine.get("healthcheck-interval-seconds", "")
    schedule = Schedule(float(seconds) if seconds.isdigit() and int(seconds) else _INTERVAL_S)
    wanted = mine.get("healthcheck-port", "traffic-port")
    for service, of_service in dict.fromkeys(_backends(manifest)):
        port = wanted if wanted.isdigit() else of_service
        where = f"{UNKNOWN_ADDRESS}:{port}" if port.isdigit() else UNKNOWN_ADDRESS
        origin = _origin(manifest, f"health check of Ingress {name} requests {path}")
        made = http_probe(
            f"elb/ingress/{name}/{service}",
            "ingress-http",
            f"{scheme}://{where}/{path.lstrip('/')}",
            schedule,
            (origin,),
            user_agents=("ELB-HealthChecker/2.0",),
            follows_redirects=False,
            service=service,
        )
        add(found, made, origin)


def _origin(manifest: Node, what: str) -> Origin:
    annotations = manifest.at("metadata", "annotations")
    written = annotations.key(_PREFIX + "healthcheck-path") if annotations is not None else None
    return (written or annotations or manifest).origin(what)


def _backends(manifest: Node) -> Iterator[tuple[str, str]]:
    """Yield name and port of each service that it leads to."""
    backends = [
        path.get("backend") for rule in manifest.at("spec", "rules") or () for path in rule.at("http", "paths") or ()
    ]
    for backend in (*backends, manifest.at("spec", "defaultBackend")):
        service = text_at(backend, "service", "name") if backend is not None else ""
        if backend is not None and service:
            yield service, text_at(backend, "service", "port", "number")
