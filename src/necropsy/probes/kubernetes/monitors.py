"""``ServiceMonitor`` and ``PodMonitor`` (promcfg.go: ``generateServiceMonitorConfig``, ``generatePodMonitorConfig``).

Sample::

    kind: ServiceMonitor
    spec:
      selector: {matchLabels: {app: web}}
      namespaceSelector: {any: true}
      endpoints:
        - {port: http, path: /actuator/prometheus, interval: 15s}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from necropsy.probes.kubernetes.objects import name_of, namespace_of, text_at
from necropsy.probes.kubernetes.selection import Placed, discovery, kept_by_labels, relabelings, rule, safe
from necropsy.probes.syntax.node import Node

_META: Final = "__meta_kubernetes_"
_SETTINGS: Final = (
    ("interval", "scrape_interval"),
    ("scrapeTimeout", "scrape_timeout"),
    ("path", "metrics_path"),
    ("params", "params"),
    ("followRedirects", "follow_redirects"),
    ("honorLabels", "honor_labels"),
)


def monitor_jobs(placed: Placed, kind: str) -> Iterator[dict[str, Any]]:
    """Yield a scrape job for each endpoint."""
    manifest = placed.manifest
    is_service = kind == "ServiceMonitor"
    field = "endpoints" if is_service else "podMetricsEndpoints"
    family = "serviceMonitor" if is_service else "podMonitor"
    for index, endpoint in enumerate(manifest.at("spec", field) or ()):
        path = ("spec", field, index)
        job: dict[str, Any] = {
            "job_name": placed.node(f"{family}/{namespace_of(manifest)}/{name_of(manifest)}/{index}", *path),
            "kubernetes_sd_configs": [
                discovery(
                    placed,
                    manifest.at("spec", "namespaceSelector"),
                    "endpoints" if is_service else "pod",
                    ("spec", "namespaceSelector"),
                )
            ],
        }
        for name, setting in _SETTINGS:
            value = endpoint.get(name)
            if value is not None and value.kind != "null":
                job[setting] = value
        scheme = text_at(endpoint, "scheme")
        if scheme:
            job["scheme"] = placed.node(scheme.lower(), *path, "scheme")
        rules = _service_rules if is_service else _pod_rules
        job["relabel_configs"] = [*rules(placed, endpoint, path), *relabelings(endpoint.get("relabelings"))]
        yield job


def _service_rules(placed: Placed, endpoint: Node, path: tuple[str | int, ...]) -> Iterator[Node]:
    selector = placed.manifest.at("spec", "selector")
    yield rule(placed, path, source_labels=["job"], target_label="__tmp_prometheus_job_name")
    yield from kept_by_labels(placed, selector, "service", ("spec", "selector"))
    yield from _port(placed, endpoint, path, f"{_META}endpoint_port_name")
    target = [f"{_META}endpoint_address_target_kind", f"{_META}endpoint_address_target_name"]
    for kind in ("Node", "Pod"):
        yield rule(placed, path, source_labels=target, separator=";", regex=f"{kind};(.*)", replacement="${1}",
                   target_label=kind.lower())  # fmt: skip
    yield from _copies(placed, path, "namespace", "service_name", "pod_name", "pod_container_name")
    yield from _running(placed, endpoint, path)
    yield from _carried(placed, "targetLabels", "service")
    yield from _carried(placed, "podTargetLabels", "pod")
    yield rule(placed, path, source_labels=[f"{_META}service_name"], target_label="job", replacement="${1}")
    yield from _named(placed, endpoint, path, "service")


def _pod_rules(placed: Placed, endpoint: Node, path: tuple[str | int, ...]) -> Iterator[Node]:
    manifest = placed.manifest
    yield rule(placed, path, source_labels=["job"], target_label="__tmp_prometheus_job_name")
    yield from _running(placed, endpoint, path)
    yield from kept_by_labels(placed, manifest.at("spec", "selector"), "pod", ("spec", "selector"))
    yield from _port(placed, endpoint, path, f"{_META}pod_container_port_name")
    yield from _copies(placed, path, "namespace", "pod_container_name", "pod_name")
    yield from _carried(placed, "podTargetLabels", "pod")
    yield rule(placed, path, target_label="job", replacement=f"{namespace_of(manifest)}/{name_of(manifest)}")
    yield from _named(placed, endpoint, path, "pod")


def _port(placed: Placed, endpoint: Node, path: tuple[str | int, ...], label: str) -> Iterator[Node]:
    """Keep the port by name, or by the pod's own name or number for it."""
    name, target = text_at(endpoint, "port"), text_at(endpoint, "targetPort")
    if name:
        yield rule(placed, (*path, "port"), action="keep", source_labels=[label], regex=name)
    elif target and target != "0":
        part = "number" if target.isdecimal() else "name"
        yield rule(placed, (*path, "targetPort"), action="keep", source_labels=[f"{_META}pod_container_port_{part}"],
                   regex=target)  # fmt: skip


def _copies(placed: Placed, path: tuple[str | int, ...], *labels: str) -> Iterator[Node]:
    names = {"service_name": "service", "pod_name": "pod", "pod_container_name": "container"}
    for label in labels:
        yield rule(placed, path, source_labels=[_META + label], target_label=names.get(label, label))


def _running(placed: Placed, endpoint: Node, path: tuple[str | int, ...]) -> Iterator[Node]:
    if text_at(endpoint, "filterRunning").lower() != "false":
        yield rule(placed, path, action="drop", source_labels=[f"{_META}pod_phase"], regex="(Failed|Succeeded)")


def _carried(placed: Placed, field: str, role: str) -> Iterator[Node]:
    for label in placed.manifest.at("spec", field) or ():
        yield _copied(placed, ("spec", field), role, label.text(), safe(label.text()))


def _copied(placed: Placed, path: tuple[str | int, ...], role: str, label: str, to: str) -> Node:
    source = [f"{_META}{role}_label_{safe(label)}"]
    return rule(placed, path, source_labels=source, target_label=to, regex="(.+)", replacement="${1}")


def _named(placed: Placed, endpoint: Node, path: tuple[str | int, ...], role: str) -> Iterator[Node]:
    """Yield what names the job after a label, and the endpoint after its port."""
    label = text_at(placed.manifest, "spec", "jobLabel")
    if label:
        yield _copied(placed, ("spec", "jobLabel"), role, label, "job")
    port = text_at(endpoint, "port") or text_at(endpoint, "targetPort")
    if port:
        yield rule(placed, path, target_label="endpoint", replacement=port)
