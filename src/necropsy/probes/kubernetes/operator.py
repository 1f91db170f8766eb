"""prometheus-operator: the scrape configuration that it makes of a ``Probe`` (pkg/prometheus/promcfg.go).

Sample::

    kind: Probe
    spec:
      prober: {url: "blackbox:9115"}
      module: http_2xx
      interval: 10s
      targets: {staticConfig: {static: [admin.example.com]}}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from necropsy.probes.kubernetes.objects import name_of, namespace_of, text_at
from necropsy.probes.node import Node
from necropsy.probes.prometheus import PrometheusConfiguration, read_prometheus
from necropsy.probes.strict import from_python

_DEFAULT_INTERVAL: Final = "30s"


def probe_jobs(manifests: Iterable[Node], version: str) -> list[PrometheusConfiguration]:
    """Return one configuration for each ``Probe``: its lines are those of the manifest.

    Raises
    ------
    ConfigurationError
        The operator would make a configuration that Prometheus refuses.
    """
    found = list(manifests)
    server = next((m for m in found if text_at(m, "kind") == "Prometheus"), None)
    interval = (text_at(server, "spec", "scrapeInterval") if server is not None else "") or _DEFAULT_INTERVAL
    return [
        _configuration(manifest, interval, version)
        for manifest in found
        if text_at(manifest, "kind") == "Probe" and manifest.get("spec") is not None
    ]


def _configuration(manifest: Node, interval: str, version: str) -> PrometheusConfiguration:
    def node(value: Any, *path: str) -> Node:
        """The generated value, standing on the line of the manifest that it comes from."""
        place = manifest.at("spec", *path) or manifest.get("spec") or manifest
        return from_python(value, file=manifest.file, line=place.line)

    job: dict[str, Any] = {
        "job_name": f"probe/{namespace_of(manifest)}/{name_of(manifest)}",
        "scrape_interval": node(text_at(manifest, "spec", "interval") or interval, "interval"),
        "metrics_path": text_at(manifest, "spec", "prober", "path") or "/probe",
        "scheme": text_at(manifest, "spec", "prober", "scheme") or "http",
    }
    module = text_at(manifest, "spec", "module")
    if module:
        job["params"] = node({"module": [module]}, "module")
    rules = [*_static(manifest, job, node), *_ingress(manifest, job, node)]
    rules.append(node({"source_labels": ["__param_target"], "target_label": "instance"}, "targets"))
    rules.append(
        node({"target_label": "__address__", "replacement": text_at(manifest, "spec", "prober", "url")}, "prober")
    )
    job["relabel_configs"] = rules
    return read_prometheus(node({"scrape_configs": [job]}), prometheus=version)


def _static(manifest: Node, job: dict[str, Any], node: Any) -> list[Node]:
    static = manifest.at("spec", "targets", "staticConfig")
    if static is None:
        return []
    group: dict[str, Any] = {"targets": static.get("static") or []}
    if static.get("labels") is not None:
        group["labels"] = static.get("labels")
    job["static_configs"] = [group]
    copy = {"source_labels": ["__address__"], "target_label": "__param_target"}
    return [node(copy, "targets", "staticConfig"), *(static.get("relabelingConfigs") or ())]


def _ingress(manifest: Node, job: dict[str, Any], node: Any) -> list[Node]:
    """An ingress becomes scheme, host and path; a rule without a path has ``/``, so that is what is asked."""
    ingress = manifest.at("spec", "targets", "ingress")
    if ingress is None:
        return []
    settings: dict[str, Any] = {"role": "ingress"}
    names = ingress.at("namespaceSelector", "matchNames")
    everywhere = text_at(ingress, "namespaceSelector", "any").lower() == "true"
    if not everywhere:
        settings["namespaces"] = {"names": names.texts() if names is not None else [namespace_of(manifest)]}
    labels = ingress.at("selector", "matchLabels")
    if labels is not None:
        wanted = ",".join(f"{name}={value.text()}" for name, value in labels.items())
        settings["selectors"] = [{"role": "ingress", "label": wanted}]
    job["kubernetes_sd_configs"] = [node(settings, "targets", "ingress")]
    url = {
        "source_labels": ["__meta_kubernetes_ingress_scheme", "__address__", "__meta_kubernetes_ingress_path"],
        "separator": ";",
        "regex": "(.+);(.+);(.+)",
        "target_label": "__param_target",
        "replacement": "${1}://${2}${3}",
    }
    more = ingress.get("relabelingConfigs") or ()
    return [node(url, "targets", "ingress"), *more]
