"""A compose file: the guard, Prometheus, Alertmanager and Grafana around the stores that are there already.

Each service says its program and its whole command line. None runs as root, none writes outside its own volume and ``/tmp``,
and all listen on the loopback of the machine.
"""

from __future__ import annotations

from typing import Any, Final

PROMETHEUS: Final = "prom/prometheus:v3.5.3"
ALERTMANAGER: Final = "prom/alertmanager:v0.33.1"
GRAFANA: Final = "grafana/grafana:12.0.0"
GUARD: Final = "necropsy:latest"
"""Built from this checkout: ``docker build -t necropsy -f deploy/Dockerfile .``."""
GUARD_ADDRESS: Final = "guard:9120"
PROMETHEUS_URL: Final = "http://prometheus:9090"
ALERTMANAGER_ADDRESS: Final = "alertmanager:9093"
SLACK_SECRET: Final = "slack-url"  # noqa: S105 -- the name of one
SECRETS: Final = "/run/secrets"


def document(folder: str, file: str) -> dict[str, Any]:
    """Return the compose file as a mapping.

    Parameters
    ----------
    folder
        Where the guard's configuration and what it names are, on the machine.
    file
        The guard's file in it.
    """
    return {
        "services": {
            "guard": guard(folder, file),
            "prometheus": prometheus(),
            "alertmanager": alertmanager(),
            "grafana": grafana(),
        },
        "secrets": {SLACK_SECRET: {"file": "./secrets/slack.url"}},
        "volumes": {"guard": {}, "prometheus": {}, "alertmanager": {}, "grafana": {}},
    }


def as_yaml(folder: str, file: str) -> str:
    """Return the compose file."""
    import yaml

    header = (
        "# Written by `necropsy guard compose`. The guard's image: docker build -t necropsy -f deploy/Dockerfile .\n"
    )
    return header + yaml.safe_dump(document(folder, file), sort_keys=False, width=120)


def guard(folder: str, file: str) -> dict[str, Any]:
    """Return the service of the guard; its file names other files relative to itself."""
    command = ["guard", "run", f"/etc/necropsy/{file}", "--listen", "0.0.0.0:9120", "--host", "guard",
               "--case", "/var/lib/necropsy/guard.case"]  # fmt: skip
    return _service(GUARD, ["necropsy"], command, "10001:10001", 9120,
                    [f"{folder}:/etc/necropsy:ro", "guard:/var/lib/necropsy"], stop_grace_period="30s")  # fmt: skip


def prometheus() -> dict[str, Any]:
    """Return the service of Prometheus."""
    command = ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus",
               "--storage.tsdb.retention.time=30d", "--web.listen-address=0.0.0.0:9090"]  # fmt: skip
    return _service(PROMETHEUS, ["/bin/prometheus"], command, "65534:65534", 9090,
                    ["./prometheus:/etc/prometheus:ro", "prometheus:/prometheus"])  # fmt: skip


def alertmanager() -> dict[str, Any]:
    """Return the service of Alertmanager; the address of its Slack webhook is a secret."""
    command = ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager",
               "--web.listen-address=0.0.0.0:9093", "--cluster.listen-address="]  # fmt: skip
    return _service(ALERTMANAGER, ["/bin/alertmanager"], command, "65534:65534", 9093,
                    ["./alertmanager:/etc/alertmanager:ro", "alertmanager:/alertmanager"], secrets=[SLACK_SECRET])  # fmt: skip


def grafana() -> dict[str, Any]:
    """Return the service of Grafana, whose first password is asked for when it starts."""
    volumes = ["./grafana/provisioning:/etc/grafana/provisioning:ro", "./grafana/dashboards:/etc/grafana/dashboards:ro",
               "grafana:/var/lib/grafana"]  # fmt: skip
    service = _service(GRAFANA, None, None, "472:0", 3000, volumes)
    service["environment"] = {"GF_SECURITY_ADMIN_PASSWORD": "${GRAFANA_PASSWORD:?choose one}"}
    return service


def _service(
    image: str,
    program: list[str] | None,
    command: list[str] | None,
    user: str,
    port: int,
    volumes: list[str],
    **more: Any,
) -> dict[str, Any]:
    said = {"entrypoint": program, "command": command}
    return {
        "image": image,
        **{name: value for name, value in said.items() if value is not None},
        "user": user,
        "ports": [f"127.0.0.1:{port}:{port}"],
        "volumes": volumes,
        "tmpfs": ["/tmp"],  # noqa: S108 -- of the container
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        **more,
    }
