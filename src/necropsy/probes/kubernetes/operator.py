"""prometheus-operator: the scrape configuration that it makes of its objects (pkg/prometheus/promcfg.go).

Sample::

    kind: Probe
    spec:
      prober: {url: "blackbox:9115"}
      module: http_2xx
      interval: 10s
      targets: {staticConfig: {static: [admin.example.com]}}

``Probe``, ``ServiceMonitor``, ``PodMonitor`` and ``ScrapeConfig`` are read, all that are given: which of them a
``Prometheus`` object selects is not decided. Scrape classes, shards and an enforced namespace label are not reproduced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.probes.kubernetes.monitors import monitor_jobs
from necropsy.probes.kubernetes.objects import name_of, namespace_of, text_at
from necropsy.probes.kubernetes.scrape_config import scrape_config_job
from necropsy.probes.kubernetes.selection import Placed, discovery, kept_by_labels, relabelings, rule
from necropsy.probes.prometheus.configuration import PrometheusConfiguration, read_prometheus
from necropsy.probes.syntax.node import Node

_DEFAULT_INTERVAL: Final = "30s"
_ASKS: Final = re.compile(r"\w*(?:Scrape|Probe|ScrapeConfig|PodMonitoring|ServiceMonitor|PodMonitor|StaticScrape)")
"""Kinds of objects by whose name somebody is asked: VMServiceScrape, VMProbe, PodMonitoring …"""
_URL: Final = {
    "source_labels": ["__meta_kubernetes_ingress_scheme", "__address__", "__meta_kubernetes_ingress_path"],
    "separator": ";",
    "regex": "(.+);(.+);(.+)",
    "target_label": "__param_target",
    "replacement": "${1}://${2}${3}",
}
"""An ingress becomes scheme, host and path; a rule without a path has ``/``, so that is what is asked."""


def operated(
    manifests: Iterable[Node], version: str, problems: list[ConfigurationError]
) -> list[PrometheusConfiguration]:
    """Return one configuration for each job that the operator makes: its lines are those of the manifest.

    What Prometheus would refuse becomes a problem and leaves the others as they are.
    """
    found = list(manifests)
    server = next((m for m in found if text_at(m, "kind") == "Prometheus"), None)
    interval = (text_at(server, "spec", "scrapeInterval") if server is not None else "") or _DEFAULT_INTERVAL
    configurations: list[PrometheusConfiguration] = []
    for manifest in found:
        if manifest.get("spec") is None:
            continue
        problems.extend(_unread(manifest))
        placed = Placed(manifest)
        for job in _jobs(placed, text_at(manifest, "kind")):
            job.setdefault("scrape_interval", interval)
            try:
                configurations.append(read_prometheus(placed.node({"scrape_configs": [job]}), prometheus=version))
            except ConfigurationError as error:
                problems.append(error)
    return configurations


def _unread(manifest: Node) -> Iterator[ConfigurationError]:
    """Say of an object that asks targets, and is not read here, that it was not examined."""
    group, kind = text_at(manifest, "apiVersion").partition("/")[0], text_at(manifest, "kind")
    if _ASKS.fullmatch(kind) and group not in ("", "monitoring.coreos.com"):
        reason = f"{kind} {name_of(manifest)} of {group} sends requests, and was not examined"
        hint = "Give the configuration that its operator generates from it: --prometheus prometheus.yml."
        yield NotJudged(manifest.file, manifest.line, reason, hint=hint)


def _jobs(placed: Placed, kind: str) -> Iterator[dict[str, Any]]:
    if kind == "Probe":
        yield _probe(placed)
    elif kind in ("ServiceMonitor", "PodMonitor"):
        yield from monitor_jobs(placed, kind)
    elif kind == "ScrapeConfig" and text_at(placed.manifest, "apiVersion").startswith("monitoring.coreos.com/"):
        yield scrape_config_job(placed)


def _probe(placed: Placed) -> dict[str, Any]:
    manifest = placed.manifest
    job: dict[str, Any] = {
        "job_name": f"probe/{namespace_of(manifest)}/{name_of(manifest)}",
        "metrics_path": text_at(manifest, "spec", "prober", "path") or "/probe",
        "scheme": text_at(manifest, "spec", "prober", "scheme") or "http",
    }
    for setting, name in (("scrape_interval", "interval"), ("scrape_timeout", "scrapeTimeout")):
        if text_at(manifest, "spec", name):
            job[setting] = placed.node(text_at(manifest, "spec", name), "spec", name)
    module = text_at(manifest, "spec", "module")
    if module:
        job["params"] = placed.node({"module": [module]}, "spec", "module")
    rules = [rule(placed, ("spec",), source_labels=["job"], target_label="__tmp_prometheus_job_name")]
    name = text_at(manifest, "spec", "jobName")
    if name:
        rules.append(rule(placed, ("spec", "jobName"), target_label="job", replacement=name))
    # With both, the static targets count.
    static, ingress = (manifest.at("spec", "targets", part) for part in ("staticConfig", "ingress"))
    if static is not None:
        rules += _static(placed, job, static)
    elif ingress is not None:
        rules += _ingress(placed, job, ingress)
    job["relabel_configs"] = rules
    return job


def _static(placed: Placed, job: dict[str, Any], static: Node) -> list[Node]:
    path = ("spec", "targets", "staticConfig")
    own = static.get("labels")
    labels = {name: value for name, value in own.items()} if own is not None else {}  # noqa: C416 -- items, not pairs
    labels.setdefault("namespace", placed.node(namespace_of(placed.manifest), *path))
    job["static_configs"] = [{"targets": static.get("static") or [], "labels": labels}]
    copy = rule(placed, path, source_labels=["__address__"], target_label="__param_target")
    return [copy, *_to_prober(placed), *relabelings(static.get("relabelingConfigs"))]


def _ingress(placed: Placed, job: dict[str, Any], ingress: Node) -> list[Node]:
    path = ("spec", "targets", "ingress")
    job["kubernetes_sd_configs"] = [discovery(placed, ingress.get("namespaceSelector"), "ingress", path)]
    return [
        *kept_by_labels(placed, ingress.get("selector"), "ingress", (*path, "selector")),
        rule(placed, path, **_URL),
        rule(placed, path, source_labels=["__meta_kubernetes_namespace"], target_label="namespace"),
        rule(placed, path, source_labels=["__meta_kubernetes_ingress_name"], target_label="ingress"),
        *_to_prober(placed),
        *relabelings(ingress.get("relabelingConfigs")),
    ]


def _to_prober(placed: Placed) -> Iterator[Node]:
    prober = ("spec", "prober")
    url = text_at(placed.manifest, *prober, "url")
    yield rule(placed, prober, source_labels=["__param_target"], target_label="instance")
    yield rule(placed, prober, target_label="__address__", replacement=url)
