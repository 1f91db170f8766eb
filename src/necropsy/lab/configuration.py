"""The configuration files of a story: Prometheus, blackbox exporter, Consul and nginx, as their owners wrote them."""

from __future__ import annotations

import json
import random
from typing import Final

from necropsy.lab.events import session_id
from necropsy.lab.story import Admin, AppPort, StoryMachine, StoryProber

TAG: Final = "blackbox_exporter_http"
HEALTH_ENDPOINT: Final = "health"

BLACKBOX: Final = """\
modules:
  http_2xx:
    prober: http
    timeout: 5s
    http:
      preferred_ip_protocol: ip4
"""

RELABEL: Final = {
    # The address becomes the target as it is. An address has no path.
    False: """\
      - source_labels: [__address__]
        target_label: __param_target
""",
    True: """\
      - source_labels: [__address__, __meta_consul_service_metadata_health_check_endpoint]
        target_label: __param_target
        regex: '(.*)(\\/*);(.*)'
        replacement: '$1/$3'
""",
}

LOG_FORMAT: Final = """\
    log_format admin_json escape=json
        '{"@timestamp":"$time_iso8601","remote_addr":"$http_x_real_ip","host":"$http_host",'
        '"request":"$request","status": "$status","body_bytes_sent":"$body_bytes_sent",'
        '"request_time":"$request_time","http_referrer":"$http_referer","http_user_agent":"$http_user_agent"}';
"""


def prometheus(prober: StoryProber) -> str:
    """Return ``prometheus.yml``: all targets come from Consul, the blackbox exporter asks them."""
    return f"""\
# Tells us on Slack when an admin is down.
global:
  scrape_interval: {prober.interval_s}s
  evaluation_interval: 1s

scrape_configs:
  - job_name: '{prober.job}'
    metrics_path: /probe
    params:
      module: [http_2xx]
    # Any of the three knows every service.
    consul_sd_configs:
      - server: 'http://consul-server-001.dns:8500'
      - server: 'http://consul-server-002.dns:8500'
      - server: 'http://consul-server-003.dns:8500'
    relabel_configs:
      # Only services that ask for it, by this tag.
      - source_labels: [__meta_consul_tags]
        regex: .*,{TAG},.*
        action: keep
      # What blackbox is to ask for ...
{RELABEL[prober.knows_health]}\
      # ... and where blackbox is.
      - target_label: '__address__'
        replacement: 'blackbox-exporter:9115'
"""


def nginx(admin: Admin, server: StoryMachine) -> str:
    """Return ``nginx.conf`` of one server: port 80 in front of the live application port, the other one marked down."""
    ports = "".join(
        f"        server 127.0.0.1:{target.port}{'' if target.live else ' down'};\n"
        for target in server.targets
        if target.port != 80
    )
    return f"""\
user www-data;
worker_processes auto;

events {{
    worker_connections 1024;
}}

http {{
    default_type application/octet-stream;
    sendfile on;
    keepalive_timeout 65;

{LOG_FORMAT}    access_log /var/log/nginx/access.log admin_json;

    # Blue/green: one of them works, the other waits for a rollback.
    upstream application {{
{ports}    }}

    server {{
        listen 80;
        server_name {server.address} {admin.host} localhost;

        location /static/ {{
            root /srv/{admin.name};
        }}

        location / {{
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_pass http://application;
        }}
    }}
}}
"""


def consul_definitions(admin: Admin, server: StoryMachine) -> str:
    """Return the service definitions that the Consul agent of one server reads."""
    services = []
    for target in server.targets:
        identifier, label = _names(target)
        service: dict[str, object] = {
            "id": identifier,
            "name": admin.name,
            "tags": [TAG],
            "port": target.port,
        }
        if server.fixed_at is not None:
            service["meta"] = {"health_check_endpoint": HEALTH_ENDPOINT}
        service["check"] = {
            "id": f"{label} Health Check",
            "name": f"{label} Status",
            "http": _health_url(target),
            "method": "GET",
            "interval": "10s",
            "timeout": "1s",
        }
        services.append(service)
    return json.dumps({"services": services}, indent=2) + "\n"


def consul_answer(admin: Admin, chance: random.Random) -> str:
    """Return what ``/v1/health/service/NAME`` answers: every instance with its checks; the idle port's is critical."""
    instances: list[dict[str, object]] = []
    index = 1_000 + chance.randrange(9_000)
    for server in admin.servers:
        node = {
            "ID": session_id(chance),
            "Node": server.name,
            "Address": server.address,
            "Datacenter": "dc1",
            "TaggedAddresses": {"lan": server.address, "wan": server.address},
            "Meta": {"consul-network-segment": ""},
            "CreateIndex": index,
            "ModifyIndex": index + 2,
        }
        for target in server.targets:
            index += chance.randrange(3, 40)
            identifier, label = _names(target)
            meta = {"health_check_endpoint": HEALTH_ENDPOINT} if server.fixed_at is not None else {}
            indices = {"CreateIndex": index, "ModifyIndex": index + 1}
            instances.append(
                {
                    "Node": node,
                    "Service": {
                        "ID": identifier,
                        "Service": admin.name,
                        "Tags": [TAG],
                        "Address": "",
                        "Meta": meta,
                        "Port": target.port,
                        "Weights": {"Passing": 1, "Warning": 1},
                        "EnableTagOverride": False,
                        "Proxy": {},
                        "Connect": {},
                        **indices,
                    },
                    "Checks": [
                        {
                            "Node": server.name,
                            "CheckID": "serfHealth",
                            "Name": "Serf Health Status",
                            "Status": "passing",
                            "Notes": "",
                            "Output": "Agent alive and reachable",
                            "ServiceID": "",
                            "ServiceName": "",
                            "ServiceTags": [],
                            "Definition": {},
                            **indices,
                        },
                        {
                            "Node": server.name,
                            "CheckID": f"{label} Health Check",
                            "Name": f"{label} Status",
                            "Status": "passing" if target.live else "critical",
                            "Notes": "",
                            "Output": _output(target),
                            "ServiceID": identifier,
                            "ServiceName": admin.name,
                            "ServiceTags": [TAG],
                            "Definition": {},
                            **indices,
                        },
                    ],
                }
            )
    return json.dumps(instances, indent=2) + "\n"


def _names(target: AppPort) -> tuple[str, str]:
    """Return service id and the label of its check."""
    return ("Nginx", "Nginx") if target.port == 80 else (f"Server:{target.port}", f"Server:{target.port}")


def _health_url(target: AppPort) -> str:
    return "http://localhost/health" if target.port == 80 else f"http://localhost:{target.port}/health"


def _output(target: AppPort) -> str:
    if target.live:
        return f"HTTP GET {_health_url(target)}: 200 OK Output: health"
    return f"Get {_health_url(target)}: dial tcp 127.0.0.1:{target.port}: connect: connection refused"
