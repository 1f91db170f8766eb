"""prometheus-operator's ``ScrapeConfig``: one scrape job in camel case (pkg/apis/monitoring/v1alpha1/scrapeconfig_types.go).

Sample::

    kind: ScrapeConfig
    spec:
      metricsPath: /probe
      params: {module: [http_2xx]}
      staticConfigs: [{targets: ["shop.example:80"]}]
      relabelings: [{sourceLabels: [__address__], targetLabel: __param_target}]

What says with which credentials a server is asked decides nothing here and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from necropsy.probes.kubernetes.objects import name_of, namespace_of, text_at
from necropsy.probes.kubernetes.selection import Placed, relabelings, rule
from necropsy.probes.prometheus.schema_checks import from_python
from necropsy.probes.syntax.node import Node

_SETTINGS: Final = {
    "metricsPath": "metrics_path",
    "scrapeInterval": "scrape_interval",
    "scrapeTimeout": "scrape_timeout",
    "params": "params",
    "honorLabels": "honor_labels",
    "honorTimestamps": "honor_timestamps",
}
_DISCOVERY: Final = re.compile(r"([a-zA-Z0-9]+?)(?:SD)?Configs")
_SECRETS: Final = frozenset(
    (
        "authorization",
        "basic_auth",
        "oauth2",
        "tls_config",
        "token_ref",
        "proxy_connect_header",
        "proxy_url",
        "no_proxy",
        "proxy_from_environment",
        "api_server",
    )
)
_LOWERED: Final = frozenset(("role", "scheme"))
"""Values that the operator writes with a capital."""


def scrape_config_job(placed: Placed) -> dict[str, Any]:
    """Return the job that the operator makes of a ``ScrapeConfig``; its values keep their lines."""
    manifest = placed.manifest
    spec = manifest.get("spec") or manifest
    job: dict[str, Any] = {"job_name": f"scrapeConfig/{namespace_of(manifest)}/{name_of(manifest)}"}
    for written, setting in _SETTINGS.items():
        value = spec.get(written)
        if value is not None:
            job[setting] = value
    if text_at(spec, "scheme"):
        job["scheme"] = placed.node(text_at(spec, "scheme").lower(), "spec", "scheme")
    for name, value in spec.items():
        match = _DISCOVERY.fullmatch(name)
        if match and match[1] in ("static", "relabel"):
            job[f"{match[1]}_configs"] = value
        elif match and name.endswith("SDConfigs"):
            job[f"{match[1].lower()}_sd_configs"] = _placed(value, [_entry(element) for element in value])
    named = text_at(spec, "jobName")
    rules = [rule(placed, ("spec",), source_labels=["job"], target_label="__tmp_prometheus_job_name")]
    if named:
        rules.append(rule(placed, ("spec", "jobName"), target_label="job", replacement=named))
    job["relabel_configs"] = [*rules, *relabelings(spec.get("relabelings"))]
    return job


def _entry(node: Node) -> Node:
    fields = {name: value for name, value in _fields(node) if name not in _SECRETS}
    return _placed(node, fields)


def _fields(node: Node) -> Iterator[tuple[str, Node]]:
    for name, value in node.items():
        snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
        if snake in _LOWERED and value.kind == "scalar":
            yield snake, _placed(value, value.text().lower())
        elif value.kind == "mapping" and snake != "node_meta":
            yield snake, _placed(value, dict(_fields(value)))
        elif value.kind == "sequence" and any(element.kind == "mapping" for element in value):
            yield snake, _placed(value, [_placed(element, dict(_fields(element))) for element in value])
        else:
            yield snake, value


def _placed(node: Node, value: Any) -> Node:
    return from_python(value, file=node.file, line=node.line)
