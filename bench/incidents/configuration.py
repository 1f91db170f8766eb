"""The configuration of an incident: what its owners wrote, with the checks that are visible in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from incidents.logs import FORMATS, Style
from incidents.scene import Check, Scene


def write(scene: Scene, style: Style | None, folder: Path) -> list[str]:
    """Write all files; return the options of ``necropsy examine`` that name them."""
    options: list[str] = []
    folder.mkdir(parents=True, exist_ok=True)
    by_family: dict[str, list[Check]] = {}
    for check in scene.checks:
        by_family.setdefault(check.family, []).append(check)

    def save(name: str, text: str, option: str, prefix: str = "") -> None:
        (folder / name).write_text(text, encoding="utf-8")
        options.extend([option, f"{prefix}{folder / name}"])

    answered = by_family.get("registered", []) + by_family.get("zombie", [])
    discovered = by_family.get("consul-blackbox", []) + answered
    if (asked := by_family.get("blackbox", [])) or discovered:
        save("prometheus.yml", prometheus(asked, discovered), "--prometheus")
        save("blackbox.yml", BLACKBOX, "--blackbox")
    registered = by_family.get("consul", []) + by_family.get("consul-blackbox", [])
    for address in dict.fromkeys(check.address for check in registered):
        text = consul([check for check in registered if check.address == address])
        save(f"consul-{address}.json", text, "--consul", f"{address}=")
    if answered:
        save("consul-health.json", consul_answer(answered), "--consul")
    if asked := by_family.get("kubelet", []):
        save("deployment.yaml", kubernetes(asked), "--prober", "kubernetes=")
    if asked := by_family.get("haproxy", []):
        save("haproxy.cfg", haproxy(asked), "--prober", "haproxy=")
    if asked := by_family.get("terraform", []):
        save("balancer.tf", terraform(asked), "--prober", "terraform=")
    for server, address in scene.servers.items():
        text = nginx(scene.hosts.get(server, "www.example.org"), address, style)
        save(f"nginx-{server}.conf", text, "--nginx")
    return options


BLACKBOX = """\
modules:
  http_2xx:
    prober: http
    timeout: 5s
"""


def prometheus(static: Iterable[Check], registered: Iterable[Check]) -> str:
    """``prometheus.yml``: a job for each path and interval, targets as URLs; and one job whose targets Consul lists."""
    out = ["global:", "  scrape_interval: 1m", "scrape_configs:"]
    jobs: dict[tuple[str, float], list[Check]] = {}
    for check in static:
        jobs.setdefault((check.job, check.period_s), []).append(check)
    for number, ((job, period), checks) in enumerate(jobs.items()):
        out += [
            f"  - job_name: '{job}-{number}'", f"    scrape_interval: {_duration(period)}",
            f"    scrape_timeout: {_duration(min(period, 5))}", "    metrics_path: /probe",
            "    params: {module: [http_2xx]}", "    static_configs:", "      - targets:",
            *(f"          - http://{check.address}:{check.port}{check.path}" for check in checks),
            "    relabel_configs:", "      - source_labels: [__address__]", "        target_label: __param_target",
            "      - source_labels: [__param_target]", "        target_label: instance",
            "      - target_label: __address__", "        replacement: blackbox:9115",
        ]  # fmt: skip
    registered = list(registered)
    knows_health = any(check.path != "/" for check in registered)
    for period in dict.fromkeys(check.period_s for check in registered):
        out += [
            f"  - job_name: 'services-{int(period)}'", f"    scrape_interval: {_duration(period)}",
            f"    scrape_timeout: {_duration(min(period, 5))}", "    metrics_path: /probe",
            "    params: {module: [http_2xx]}", "    consul_sd_configs:", "      - server: 'consul.example.org:8500'",
            "    relabel_configs:", "      - source_labels: [__meta_consul_tags]", "        regex: .*,http,.*",
            "        action: keep", *_TARGET[knows_health], "      - target_label: __address__",
            "        replacement: blackbox:9115",
        ]  # fmt: skip
    return "\n".join(out) + "\n"


_TARGET = {
    False: ["      - source_labels: [__address__]", "        target_label: __param_target"],
    True: ["      - source_labels: [__address__, __meta_consul_service_metadata_health_check_endpoint]",
           "        target_label: __param_target", r"        regex: '(.*)(\/*);(.*)'", "        replacement: '$1/$3'"],
}  # fmt: skip
"""An address has no path, unless a rule joins one to it."""


def consul(checks: Iterable[Check]) -> str:
    """Service definitions of one agent, each with its own check on the health endpoint."""
    services = []
    for check in checks:
        service: dict[str, object] = {
            "id": f"{check.service}-{check.port}", "name": check.service,
            "tags": ["http"] if check.family == "consul-blackbox" else [], "port": check.port,
        }  # fmt: skip
        if check.family == "consul-blackbox" and check.path != "/":
            service["meta"] = {"health_check_endpoint": check.path.lstrip("/")}
        url = f"http://localhost:{check.port}/health"
        service["check"] = {"http": url, "interval": _duration(check.period_s), "timeout": "1s"}
        services.append(service)
    return json.dumps({"services": services}, indent=2) + "\n"


def consul_answer(checks: Iterable[Check]) -> str:
    """What ``/v1/health/service/NAME`` answers; the node of a zombie does not answer any more."""
    instances = []
    for number, check in enumerate(checks):
        alive = check.family == "registered"
        meta = {"health_check_endpoint": check.path.lstrip("/")} if check.path != "/" else {}
        node = {"ID": f"{number:08d}-0000-4000-8000-000000000000", "Node": f"node-{number}", "Address": check.address,
                "Datacenter": "dc1", "TaggedAddresses": {}, "Meta": {}}  # fmt: skip
        service = {"ID": f"{check.service}-{number}-{check.port}", "Service": check.service, "Tags": ["http"], "Address": "",
                   "Meta": meta, "Port": check.port, "Weights": {"Passing": 1, "Warning": 1}}  # fmt: skip
        serf = {"Node": node["Node"], "CheckID": "serfHealth", "Name": "Serf Health Status", "Notes": "", "ServiceID": "",
                "ServiceName": "", "ServiceTags": [], "Definition": {}, "Status": "passing" if alive else "critical",
                "Output": "Agent alive and reachable" if alive else "Agent not live or unreachable"}  # fmt: skip
        instances.append({"Node": node, "Service": service, "Checks": [serf]})
    return json.dumps(instances, indent=2) + "\n"


def kubernetes(checks: Iterable[Check]) -> str:
    documents = []
    checks = list(checks)
    for name in dict.fromkeys(check.service for check in checks):
        of = [check for check in checks if check.service == name]
        probes = "".join(
            f"        {check.job}:\n          httpGet: {{path: {check.path}, port: {check.port}}}\n"
            f"          periodSeconds: {int(check.period_s)}\n"
            for check in of
        )
        documents.append(
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: {of[0].replicas}\n"
            f"  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n"
            f"      containers:\n      - name: {name}\n        image: registry.example.org/{name}:7\n"
            f"        ports: [{{name: http, containerPort: {of[0].port}}}]\n{probes}"
        )
    return "---\n".join(documents)


def haproxy(checks: Iterable[Check]) -> str:
    out = ["defaults", "  mode http", "  timeout connect 5s", "  timeout client 30s", "  timeout server 30s",
           "frontend www", "  bind :8000"]  # fmt: skip
    backends: dict[tuple[str, float], list[Check]] = {}
    for check in checks:
        backends.setdefault((check.path, check.period_s), []).append(check)
    out += [f"  default_backend app{0}"]
    for number, ((path, period), of) in enumerate(backends.items()):
        out += [
            f"backend app{number}",
            f"  option httpchk GET {path}",
            f"  default-server inter {_duration(period)} fall 3 rise 2",
        ]
        out += [f"  server s{place} {check.address}:{check.port} check" for place, check in enumerate(of)]
    return "\n".join(out) + "\n"


def terraform(checks: Iterable[Check]) -> str:
    return "\n".join(
        f'resource "aws_lb_target_group" "{check.service}_{number}" {{\n  port     = {check.port}\n  protocol = "HTTP"\n'
        f'  health_check {{\n    path     = "{check.path}"\n    interval = {int(check.period_s)}\n  }}\n}}\n'
        for number, check in enumerate(checks)
    )


def nginx(host: str, address: str, style: Style | None) -> str:
    """``nginx.conf`` of one proxy: port 80, the application behind it."""
    if style is None or style.format == "combined":
        log = "    access_log /var/log/nginx/access.log combined;\n"
    else:
        escape = " escape=json" if style.format.startswith("json") else ""
        text = FORMATS[style.format].replace("$http_x", "$http_x")
        log = f"    log_format site{escape} '{text}';\n    access_log /var/log/nginx/access.log site;\n"
    return (
        "events {}\nhttp {\n" + log + "    upstream application {\n        server 127.0.0.1:8080;\n    }\n"
        f"    server {{\n        listen 80;\n        server_name {host} {address} localhost;\n"
        "        location / {\n            proxy_pass http://application;\n        }\n    }\n}\n"
    )


def _duration(seconds: float) -> str:
    return f"{int(seconds)}s" if seconds == int(seconds) else f"{int(seconds * 1000)}ms"
