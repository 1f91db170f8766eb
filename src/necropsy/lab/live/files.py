"""The files of a lab: what its owners keep under ``configuration/``, and what of it is in use on each machine.

::

    lab.json                              the plan
    incident.toml                         names all sources of evidence, and the guard
    configuration/                        as in version control: here patches go
        prometheus.yml  blackbox.yml      of the prober
        consul/a1/services.json           what the Consul agent of a machine should register
        nginx/a1.conf
        monitoring.yml  necropsy.rules.yml  alertmanager.yml    the second Prometheus and its alerts
    servers/a1/                           access.log, error-blue.log, and consul.d/ as it was last deployed
    prometheus/prometheus.yml             as it was last deployed
    truth/                                what each application noted of its sessions, and the users' diaries
    processes/  logs/                     of the supervisor
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, Final

from necropsy.lab.configuration import BLACKBOX, HEALTH_ENDPOINT, LOG_FORMAT, RELABEL, TAG
from necropsy.lab.live import monitoring
from necropsy.lab.live.plan import LabPlan, Machine

CONSUL_SERVERS: Final = ("consul-server-001", "consul-server-002", "consul-server-003")
JOB: Final = "blackbox_exporter_http"
_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def write_all(plan: LabPlan, *, consul: bool, consul_sd: bool) -> None:
    """Write everything that must be there before the first process starts; the prober is not switched on yet."""
    folder = plan.folder
    for name in ("truth", "logs", "prometheus", "configuration/nginx"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for machine in plan.machines:
        home = folder / "servers" / machine.name
        for name in ("access.log", *(f"error-{colour}.log" for colour, _ in machine.colours)):
            _touch(home / name)
        for colour, _ in machine.colours:
            _touch(notes(plan, machine, colour))
        _write(folder / "configuration" / "nginx" / f"{machine.name}.conf", nginx(plan, machine))
        _write(definitions(plan, machine), services(plan, machine))
        deploy_services(plan, machine)
        if consul:
            write_agent(plan, machine)
    for admin in plan.admins:
        _touch(diary(plan, admin.name))
    _touch(folder / "truth" / "chat.jsonl")
    _touch(folder / "truth" / "events.jsonl")
    _write(folder / "configuration" / "blackbox.yml", BLACKBOX)
    write_prometheus(plan, on=False, consul_sd=consul_sd)
    deploy_prometheus(plan)
    monitoring.write_all(plan)
    if consul:
        for name in CONSUL_SERVERS:
            write_server(plan, name)
    _write(folder / "incident.toml", monitoring.incident(plan, consul=consul))


def notes(plan: LabPlan, machine: Machine, colour: str) -> Path:
    """File in which a process notes each session that it creates."""
    return plan.folder / "truth" / f"births-{machine.name}-{colour}.jsonl"


def diary(plan: LabPlan, admin: str) -> Path:
    """File in which the users of an application note their requests."""
    return plan.folder / "truth" / f"users-{admin}.jsonl"


def definitions(plan: LabPlan, machine: Machine) -> Path:
    """Service definitions of a machine, as in version control."""
    return plan.folder / "configuration" / "consul" / machine.name / "services.json"


def deployed(plan: LabPlan, machine: Machine) -> Path:
    """Service definitions of a machine, as its agent reads them."""
    return plan.folder / "servers" / machine.name / "consul.d" / "services.json"


def write_prometheus(plan: LabPlan, *, on: bool, consul_sd: bool) -> None:
    """Write the prober's Prometheus configuration, as in version control."""
    _write(plan.folder / "configuration" / "prometheus.yml", prometheus(plan, on=on, consul_sd=consul_sd))


def deploy_prometheus(plan: LabPlan) -> None:
    """Copy it to where Prometheus reads it."""
    shutil.copyfile(plan.folder / "configuration" / "prometheus.yml", plan.folder / "prometheus" / "prometheus.yml")


def deploy_services(plan: LabPlan, machine: Machine) -> None:
    """Copy the service definitions of a machine to where its agent reads them."""
    home = plan.folder / "servers" / machine.name / "consul.d"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(definitions(plan, machine), home / "services.json")


def prometheus(plan: LabPlan, *, on: bool, consul_sd: bool) -> str:
    """Return ``prometheus.yml`` of the incident, with the lab's addresses; without its one job when the prober is off."""
    interval = monitoring.duration(plan.interval_s)
    head = f"""\
# Tells us on Slack when an admin is down.
global:
  scrape_interval: {interval}
  scrape_timeout: {monitoring.duration(min(plan.interval_s, 10.0))}
  evaluation_interval: 1s
"""
    if not on:
        return head + "\nscrape_configs: []\n"
    return f"{head}\nscrape_configs:\n{probing_job(plan, consul_sd=consul_sd)}"


def probing_job(plan: LabPlan, *, consul_sd: bool) -> str:
    """Return the job that asks every registered port through the blackbox exporter."""
    if consul_sd:
        servers = "".join(f"      - server: 'http://{plan.at(f'{name}/http')}'\n" for name in CONSUL_SERVERS)
        discovery = f"    # Any of the three knows every service.\n    consul_sd_configs:\n{servers}"
    else:
        discovery = (
            "    # A copy of Consul's catalogue.\n    file_sd_configs:\n"
            f"      - files: ['{plan.folder}/prometheus/targets.json']\n        refresh_interval: 5s\n"
        )
    return f"""\
  - job_name: '{JOB}'
    metrics_path: /probe
    params:
      module: [http_2xx]
{discovery}\
    relabel_configs:
      # Only services that ask for it, by this tag.
      - source_labels: [__meta_consul_tags]
        regex: .*,{TAG},.*
        action: keep
      # What blackbox is to ask for ...
{RELABEL[False]}\
      # ... and where blackbox is.
      - target_label: '__address__'
        replacement: '{plan.at("blackbox")}'
"""


def nginx(plan: LabPlan, machine: Machine) -> str:
    """Return ``nginx.conf`` of a machine: the blue process has the traffic, the green one waits for a rollback."""
    home = plan.folder / "servers" / machine.name
    paths = "".join(f"    {name}_temp_path {home}/{name};\n" for name in _TEMPORARY)
    user = "user root;\n" if os.geteuid() == 0 else ""
    return f"""\
{user}worker_processes 1;
daemon off;
pid {home}/nginx.pid;
error_log {home}/nginx-error.log;

events {{
    worker_connections 1024;
}}

http {{
    default_type application/octet-stream;
    keepalive_timeout 65;
{paths}
{LOG_FORMAT}    access_log {home}/access.log admin_json;

    # Blue/green: one of them works, the other waits for a rollback.
    upstream application {{
        server {machine.blue};
        server {machine.green} down;
    }}

    server {{
        listen {machine.proxy};
        server_name {machine.proxy.host} {machine.admin}.corp.example localhost;

        location / {{
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_pass http://application;
        }}
    }}
}}
"""


def services(plan: LabPlan, machine: Machine) -> str:
    """Return the service definitions of a machine, as in the incident before it was understood."""
    listed = []
    for label, place in (
        ("Nginx", machine.proxy),
        *((f"Server:{place.port}", place) for _, place in machine.colours),
    ):
        check = {
            "id": f"{machine.name} {label} Health Check",
            "name": f"{label} Status",
            "http": f"http://{place}/{HEALTH_ENDPOINT}",
            "method": "GET",
            "interval": monitoring.duration(plan.check_s),
            "timeout": "5s",
        }
        listed.append({"id": label, "name": machine.admin, "tags": [TAG], "port": place.port, "check": check})
    return json.dumps({"services": listed}, indent=2) + "\n"


def write_server(plan: LabPlan, name: str) -> None:
    """Write the configuration of one of Consul's three servers."""
    given = _node(plan, name, plan.folder / "consul" / name) | {"server": True, "bootstrap_expect": len(CONSUL_SERVERS)}
    _write(plan.folder / "consul" / name / "agent.json", json.dumps(given, indent=1))


def write_agent(plan: LabPlan, machine: Machine) -> None:
    """Write the configuration of the Consul agent of a machine."""
    given = _node(plan, f"consul-{machine.name}", plan.folder / "consul" / machine.node) | {
        "server": False,
        "node_name": machine.node,
    }
    _write(plan.folder / "servers" / machine.name / "consul.d" / "agent.json", json.dumps(given, indent=1))


def _node(plan: LabPlan, name: str, data: Path) -> dict[str, Any]:
    http = plan.at(f"{name}/http")
    return {
        "node_name": name,
        "datacenter": "dc1",
        "bind_addr": http.host,
        "client_addr": http.host,
        "advertise_addr": http.host,
        "data_dir": str(data / "data"),
        "retry_join": [str(plan.at(f"{server}/serf")) for server in CONSUL_SERVERS],
        "retry_interval": "1s",
        "disable_update_check": True,
        "enable_script_checks": False,
        "performance": {"raft_multiplier": 1},
        "ports": {
            "http": http.port,
            "serf_lan": plan.at(f"{name}/serf").port,
            "server": plan.at(f"{name}/rpc").port,
            "dns": -1,
            "grpc": -1,
            "serf_wan": -1,
        },
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
