"""Health endpoints of services by their manifests: the path that the kubelet requests from the pods.

Sample: a ``Deployment`` with ``readinessProbe: {httpGet: {path: /actuator/health}}`` and the ``Service`` that selects its pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.kubernetes.labels import pod_of
from necropsy.probes.kubernetes.objects import name_of, namespace_of, text_at, texts_at
from necropsy.probes.session_risk import is_harmless_path
from necropsy.probes.syntax.node import Node

_PROBES: Final = ("readinessProbe", "livenessProbe", "startupProbe")


def health_endpoints(manifests: Sequence[Node]) -> dict[tuple[str, str, str], tuple[str, Origin]]:
    """Return the health endpoint of each pod, service and ingress that has one: (kind, namespace, name) → path, line.

    A path that is no health endpoint by its name is none: the kubelet may ask for a page as well.
    """
    found: dict[tuple[str, str, str], tuple[str, Origin]] = {}
    pods = [(manifest, known) for manifest in manifests if (known := _of_pod(manifest)) is not None]
    for manifest, known in pods:
        found["pod", namespace_of(manifest), name_of(manifest)] = known
    for manifest in manifests:
        selector = texts_at(manifest, "spec", "selector")
        if text_at(manifest, "kind") == "Service" and selector:
            for owner, known in pods:
                labels = texts_at(pod_of(owner) or owner, "metadata", "labels")
                if namespace_of(owner) == namespace_of(manifest) and selector.items() <= labels.items():
                    found.setdefault(("service", namespace_of(manifest), name_of(manifest)), known)
    for manifest in manifests:
        if text_at(manifest, "kind") == "Ingress":
            for service in _backends(manifest):
                if (known := found.get(("service", namespace_of(manifest), service))) is not None:
                    found.setdefault(("ingress", namespace_of(manifest), name_of(manifest)), known)
    return found


def _of_pod(manifest: Node) -> tuple[str, Origin] | None:
    pod = pod_of(manifest)
    for container in (pod.at("spec", "containers") if pod is not None else None) or ():
        for probe in _PROBES:
            path = container.at(probe, "httpGet", "path")
            if path is not None and is_harmless_path(path.text()):
                return path.text(), path.origin(f"names the health endpoint: {path.text()}")
    return None


def _backends(ingress: Node) -> Iterator[str]:
    for rule in ingress.at("spec", "rules") or ():
        for path in rule.at("http", "paths") or ():
            yield text_at(path, "backend", "service", "name") or text_at(path, "backend", "serviceName")
