"""Kubernetes: liveness, readiness and startup probes of the containers in manifests.

Sample::

    kind: Deployment
    spec: {replicas: 2, template: {spec: {containers: [
        {name: admin, ports: [{name: web, containerPort: 8080}],
         livenessProbe: {httpGet: {path: /, port: web}, periodSeconds: 5}}]}}}

The kubelet asks from the node, by the pod's own address, with ``kube-probe/<version>`` as its User-Agent; it keeps no cookies
and follows redirects within the same host (pkg/probe/http).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.model.probe import Probe
from necropsy.probes.http.request import set_headers
from necropsy.probes.kubernetes.objects import manifests, name_of, text_at
from necropsy.probes.probers.ingress import read_ingress
from necropsy.probes.probers.interface import Prober, ProberReading, Schedule, add, harmless_probe, http_probe, times
from necropsy.probes.session_risk import UNKNOWN_ADDRESS
from necropsy.probes.syntax.node import Node

_KINDS: Final = (("livenessProbe", "liveness"), ("readinessProbe", "readiness"), ("startupProbe", "startup"))
_TEMPLATES: Final = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
"""Place of the pod in kinds that do not keep it in ``spec.template.spec``."""
_HARMLESS: Final = {
    "tcpSocket": "opens a TCP connection, sends no request",
    "exec": "runs a command in the container",
    "grpc": "calls the gRPC health service, not a page",
}
_DEFAULT_PERIOD_S: Final = 10.0
_MOST_REPLICAS: Final = 1_000


def read(text: str, file: str) -> ProberReading:
    """Read the manifests of one file; a ``List`` holds its items."""
    found = ProberReading()
    for manifest in manifests(text, file):
        kind, name = (
            text_at(manifest, "kind"),
            name_of(manifest),
        )
        if kind == "Ingress":
            read_ingress(manifest, found)
        pod = manifest.at(*_TEMPLATES.get(kind, ("spec", "template", "spec")))
        if pod is None:
            continue
        replicas = text_at(manifest, "spec", "replicas")
        count = min(int(replicas), _MOST_REPLICAS) if replicas.isdigit() else 1
        for group in ("containers", "initContainers"):  # an init container with probes is a sidecar
            for container in pod.get(group) or ():
                _container(f"{kind.lower()}/{name}", container, count, found)
    return found


def _container(owner: str, container: Node, count: int, found: ProberReading) -> None:
    if not count:
        return
    ports = {text_at(port, "name"): text_at(port, "containerPort") for port in container.get("ports") or ()}
    for field, kind in _KINDS:
        probe = container.get(field)
        if probe is None:
            continue
        made = _probe(f"kubelet/{owner}/{text_at(container, 'name')}", kind, probe, ports)
        origin = (container.key(field) or probe).origin(f"{kind} probe of {owner}")
        for one in times(made if isinstance(made, str) else replace(made, service=owner), count):
            add(found, one, origin)


def _probe(prober: str, kind: str, probe: Node, ports: dict[str, str]) -> Probe | str:
    period = text_at(probe, "periodSeconds")
    schedule = Schedule(float(period) if period.isdigit() and int(period) else _DEFAULT_PERIOD_S, "ticker")
    http = probe.get("httpGet")
    if http is None:
        action = next((name for name in _HARMLESS if probe.get(name) is not None), "exec")
        where = text_at(probe, action, "port")
        origin = (probe.key(action) or probe).origin(f"{kind} probe")
        return harmless_probe(
            f"{prober}/{kind}",
            f"kubelet-{action}",
            f"{UNKNOWN_ADDRESS}:{ports.get(where, where)}" if where else UNKNOWN_ADDRESS,
            schedule,
            (origin,),
            _HARMLESS[action],
        )
    port = text_at(http, "port")
    port = ports.get(port, port)
    if not port.isdigit():
        return f"no container port is named {port}"
    path = text_at(http, "path") or "/"
    headers = {text_at(header, "name").lower(): text_at(header, "value") for header in http.get("httpHeaders") or ()}
    made = http_probe(
        f"{prober}/{kind}",
        "kubelet-http",
        f"{(text_at(http, 'scheme') or 'HTTP').lower()}://{text_at(http, 'host') or UNKNOWN_ADDRESS}:{port}/{path.lstrip('/')}",
        schedule,
        _origins(http, kind, path),
        user_agents=(headers.get("user-agent") or "kube-probe/",),
        host_header=headers.get("host", ""),
        headers=(("Accept", "*/*"), ("Connection", "close"), *set_headers(headers)),
    )
    if kind == "startup" and isinstance(made, Probe):
        because = "runs only until the container has started"
        return replace(made, creates_sessions=False, harmless_because=because)
    return made


def _origins(http: Node, kind: str, path: str) -> tuple[Origin, ...]:
    return ((http.key("path") or http).origin(f"{kind} probe requests {path}"),)


PROBER: Final = Prober("kubernetes", "Kubernetes' kubelet", read)
