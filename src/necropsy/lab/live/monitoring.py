"""The second Prometheus, its rules and Alertmanager, and the file that names all evidence of a lab."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from necropsy.guard import rules
from necropsy.lab.configuration import HEALTH_ENDPOINT, TAG
from necropsy.lab.live import search
from necropsy.lab.live.plan import LabPlan, ListeningAddress

CHANNEL: Final = "#admins"
_EXPORTERS_S: Final = 15.0
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_RANGE: Final = re.compile(r"\[(\d+)([smhd])\]")
_DAY: Final = "86400"


def duration(seconds: float) -> str:
    """Write a time as Go's and Prometheus' programs read it.

    >>> duration(2.0), duration(0.5)
    ('2s', '500ms')
    """
    return f"{round(seconds)}s" if seconds == round(seconds) else f"{round(seconds * 1000)}ms"


def write_all(plan: LabPlan, *, also: str = "") -> None:
    """Write ``configuration/monitoring.yml``, the rules beside it, and ``alertmanager.yml``.

    Parameters
    ----------
    also
        One more job of the Prometheus that watches.
    """
    import yaml

    folder = plan.folder / "configuration"
    (folder / "monitoring.yml").write_text(prometheus(plan) + also, encoding="utf-8")
    (folder / "necropsy.rules.yml").write_text(scaled_rules(plan), encoding="utf-8")
    (folder / "victoria-metrics.yml").write_text(victoria_metrics(plan), encoding="utf-8")
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(alertmanager(plan), sort_keys=False), encoding="utf-8")


def prometheus(plan: LabPlan) -> str:
    """Return the configuration of the Prometheus that watches the stores, and asks every health endpoint by our prober."""
    interval = duration(plan.scaled(_EXPORTERS_S, 5.0))
    guard = plan.at("guard")
    stores = ", ".join(admin.name for admin in plan.admins)
    return f"""\
# Watches the stores: redis_exporter, necropsy, and its prober, which asks for health endpoints alone.
global:
  scrape_interval: {interval}
  scrape_timeout: {interval}
  evaluation_interval: 1s

rule_files: ['{plan.folder}/configuration/necropsy.rules.yml']

alerting:
  alertmanagers:
    - static_configs:
        - targets: ['{plan.at("alertmanager")}']

scrape_configs:
  - job_name: redis_exporter
    static_configs:
      - targets: ['{plan.at("redis-exporter-a")}', '{plan.at("redis-exporter-b")}']
  - job_name: necropsy
    static_configs:
      - targets: ['{guard}']
  - job_name: necropsy_stores
    metrics_path: /scrape
    static_configs:
      - targets: [{stores}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: '{guard}'}}
  - job_name: necropsy_prober
    metrics_path: /probe
    params:
      module: [http_2xx]
    file_sd_configs:
      - files: ['{plan.folder}/prometheus/targets.json']
        refresh_interval: 5s
{_asks_for_health(guard)}"""


def _asks_for_health(prober: ListeningAddress) -> str:
    """Return the relabel rules of a job that has the prober ask each target for its health endpoint."""
    return f"""\
    relabel_configs:
      - source_labels: [__meta_consul_tags]
        regex: .*,{TAG},.*
        action: keep
      - source_labels: [__address__]
        target_label: __param_target
        replacement: 'http://$1/{HEALTH_ENDPOINT}'
      - source_labels: [__param_target]
        target_label: instance
      - target_label: __address__
        replacement: '{prober}'
"""


def victoria_metrics(plan: LabPlan) -> str:
    """Return the configuration of VictoriaMetrics: targets from Consul, each asked for its health endpoint by our prober."""
    interval = duration(plan.scaled(_EXPORTERS_S, 5.0))
    servers = "".join(
        f"      - server: '{plan.at(name)}'\n"
        for name, _ in plan.places
        if name.startswith("consul-server-") and name.endswith("/http")
    )
    return f"""\
# Reads Consul beside Prometheus, and asks for health endpoints alone; the stores' metrics as Prometheus has them.
global:
  scrape_interval: {interval}
  scrape_timeout: {interval}

scrape_configs:
  - job_name: redis_exporter
    static_configs:
      - targets: ['{plan.at("redis-exporter-a")}', '{plan.at("redis-exporter-b")}']
  - job_name: necropsy
    static_configs:
      - targets: ['{plan.at("guard")}']
  - job_name: health
    metrics_path: /probe
    params:
      module: [http_2xx]
    consul_sd_configs:
{servers}\
{_asks_for_health(plan.at("guard"))}"""


def scaled_rules(plan: LabPlan) -> str:
    """Return the rules that ``necropsy guard rules`` writes, with every time as many times shorter as time is faster."""
    import yaml

    document: dict[str, Any] = yaml.safe_load(rules.as_yaml())
    for group in document["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = duration(plan.scaled(_seconds(rule["for"][:-1], rule["for"][-1])))
            if "record" not in rule:
                rule["expr"] = _scaled(plan, rule["expr"])
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _scaled(plan: LabPlan, expression: str) -> str:
    shorter = _RANGE.sub(lambda m: f"[{duration(plan.scaled(_seconds(m[1], m[2]), 5.0))}]", expression)
    return shorter.replace(_DAY, f"{plan.scaled(86_400):g}")


def _seconds(number: str, unit: str) -> float:
    return float(number) * _UNITS[unit]


def alertmanager(plan: LabPlan) -> dict[str, Any]:
    """Return ``alertmanager.yml``: everything goes to the chat."""
    return {
        "route": {
            "receiver": "chat",
            "group_by": ["alertname", "store"],
            "group_wait": "1s",
            "group_interval": "5s",
            "repeat_interval": "1h",
        },
        "receivers": [
            {
                "name": "chat",
                "slack_configs": [
                    {
                        "api_url": f"http://{plan.at('chat')}/services/lab",
                        "channel": CHANNEL,
                        "send_resolved": True,
                        "title": "{{ .Status }}: {{ .CommonLabels.alertname }} {{ .CommonLabels.store }}",
                        "text": "{{ range .Alerts }}{{ .Annotations.summary }}. {{ .Annotations.runbook }}\n{{ end }}",
                    }
                ],
            }
        ],
    }


def incident(plan: LabPlan, *, consul: bool) -> str:
    """Return ``incident.toml``: every source of evidence while the lab runs, and the guard."""
    consul_sources = [f"http://{plan.at('consul-server-001/http')}"] if consul else []
    consul_sources += [f"{m.proxy.host}=configuration/consul/{m.name}/services.json" for m in plan.machines]
    every = max(10.0, plan.scaled(600))
    lines = [
        "# The evidence of this lab, live: necropsy examine incident.toml",
        'access-log = ["servers/*/access.log"]',
        f"app-log = {json.dumps([search.address(plan) if plan.found('opensearch') else 'servers/*/error-*.log'])}",
        f"nginx = {json.dumps([f'configuration/nginx/{machine.name}.conf' for machine in plan.machines])}",
        'prometheus = ["configuration/prometheus.yml", "configuration/monitoring.yml"]',
        'blackbox = ["configuration/blackbox.yml"]',
        f"consul = {json.dumps(consul_sources)}",
    ]
    for admin in plan.admins:
        lines += ["", "[[store]]", f'name = "{admin.name}"', f'redis = "redis://{admin.redis}"']
    lines += ["", "[guard]", f'listen = "{plan.at("guard")}"', f'every = "{duration(every)}"',
              'blackbox = "configuration/blackbox.yml"']  # fmt: skip
    return "\n".join(lines) + "\n"


def as_path(plan: LabPlan, name: str) -> Path:
    """Return where a file of the configuration is."""
    return plan.folder / "configuration" / name
