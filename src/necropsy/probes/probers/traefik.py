"""Traefik: ``healthCheck`` of a service, in a file of its dynamic configuration or in labels (pkg/healthcheck/healthcheck.go).

Sample::

    http:
      services:
        shop:
          loadBalancer:
            healthCheck: {path: /, interval: 10s}
            servers:
              - url: http://10.0.0.1:8080

Each server is asked by itself, by Go's client without cookies, which follows redirects unless told not to. Names of keys
count in any case. TOML has the same keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from necropsy.model.evidence import Origin
from necropsy.model.toml_document import parse_toml
from necropsy.probes.consul.model import go_seconds
from necropsy.probes.http.request import set_headers
from necropsy.probes.probers.interface import Prober, ProberReading, Schedule, add, harmless_probe, http_probe
from necropsy.probes.syntax.document import parse_yaml

_DEFAULT_INTERVAL_S: Final = 30.0
_AGENT: Final = "Go-http-client/1.1"
_FIELDS: Final = 12
"""Lines that a check has at most, about."""
_LABEL: Final = re.compile(r"traefik\.http\.services\.([^.]+)\.loadbalancer\.(.+)", re.IGNORECASE)
_TOML: Final = re.compile(r"^\s*\[+http\.services", re.IGNORECASE | re.MULTILINE)


def read(text: str, file: str) -> ProberReading:
    """Read a file of Traefik's dynamic configuration.

    Raises
    ------
    ConfigurationError
        It is no TOML, or no YAML.
    """
    found = ProberReading()
    root = _toml(text, file) if is_toml(text) else parse_yaml(text, file).to_python()
    for name, service in _mapping(_lowered(root), "http", "services").items():
        balancer = _mapping(service, "loadbalancer")
        check = _mapping(balancer, "healthcheck")
        servers = [str(server.get("url", "")) for server in balancer.get("servers") or () if isinstance(server, dict)]
        if check:
            _check(
                name, check, [url for url in servers if url], Origin(file, _line(text, name), f"checks {name}"), found
            )
    return found


def of_labels(labels: Iterator[tuple[str, str, Origin]], found: ProberReading) -> None:
    """Add what labels of a container have Traefik ask; nobody knows its address.

    Parameters
    ----------
    labels
        Name, value and place of each.
    """
    checks: dict[str, dict[str, Any]] = {}
    ports: dict[str, str] = {}
    places: dict[str, Origin] = {}
    for label, value, origin in labels:
        parts = _LABEL.fullmatch(label)
        if parts is None:
            continue
        service, key = parts[1], parts[2].lower()
        if key.startswith("healthcheck."):
            names = key.split(".")[1:]
            inside = checks.setdefault(service, {})
            if names[0] == "headers" and len(names) == 2:
                inside.setdefault("headers", {})[names[1]] = value
            else:
                inside[names[0]] = value
            if service not in places or names[0] == "path":
                places[service] = origin
        elif key == "server.port":
            ports[service] = value
    for service, check in checks.items():
        port = f":{ports[service]}" if service in ports else ""
        origin = Origin(places[service].file, places[service].line, f"checks {service}")
        _check(service, check, [f"http://<address>{port}"], origin, found)


def is_toml(text: str) -> bool:
    """Whether a text is such a configuration in TOML."""
    return _TOML.search(text) is not None


def _check(name: str, check: Mapping[str, Any], servers: list[str], origin: Origin, found: ProberReading) -> None:
    interval = str(check.get("interval", ""))
    seconds = float(interval) if interval.isdigit() else go_seconds(interval)  # a bare number is seconds
    schedule = Schedule(seconds or _DEFAULT_INTERVAL_S, "ticker")
    headers = {str(key).lower(): str(value) for key, value in (check.get("headers") or {}).items()}
    for server in servers:
        if str(check.get("mode", "http")).lower() == "grpc":
            where, because = urlsplit(server).netloc, "calls the gRPC health service, not a page"
            probe = harmless_probe(f"traefik/{name}", "traefik-grpc", where, schedule, (origin,), because, service=name)
            found.probes.append(probe)
            continue
        probe_or_reason = http_probe(
            f"traefik/{name}",
            "traefik-health-check",
            _url(server, check),
            schedule,
            (origin,),
            method=str(check.get("method") or "GET"),
            user_agents=(headers.get("user-agent") or _AGENT,),
            follows_redirects=str(check.get("followredirects", True)).lower() != "false",
            host_header=str(check.get("hostname") or ""),
            headers=set_headers(headers),
            service=name,
            instance=urlsplit(server).netloc,
        )
        add(found, probe_or_reason, origin)


def _url(server: str, check: Mapping[str, Any]) -> str:
    """Return what is asked of a server.

    >>> _url("http://web:8080/app/", {"path": "/up", "port": 9000}), _url("http://[::1]", {"scheme": "https", "path": ""})
    ('http://web:9000/up', 'https://[::1]')
    """
    parts = urlsplit(server)
    place = parts.netloc.rpartition("@")[2]
    if check.get("port"):
        place = f"{re.sub(r':[0-9]+$', '', place)}:{check['port']}"
    scheme = check.get("scheme") or {"h2c": "http"}.get(parts.scheme, parts.scheme)
    return urljoin(f"{scheme}://{place}{parts.path}", str(check.get("path") or ""))


def _mapping(value: Any, *path: str) -> dict[str, Any]:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _lowered(value: Any, depth: int = 0) -> Any:
    """Return the value with the names of keys in small letters; those of services and headers stay as they are."""
    if isinstance(value, dict):
        return {str(key) if depth == 2 else str(key).lower(): _lowered(one, depth + 1) for key, one in value.items()}
    return [_lowered(one, depth + 1) for one in value] if isinstance(value, list) else value


def _toml(text: str, file: str) -> Any:
    return parse_toml(text, file, "Correct it; Traefik refuses it, too.")


def _line(text: str, service: str) -> int:
    """Return the line of a service's check: that of its path, if it has one."""
    name = re.escape(service)
    begin = re.search(
        rf"""^\s*["']?{name}["']?\s*:|^\s*\[+http\.services\.["']?{name}["']?\.""", text, re.IGNORECASE | re.MULTILINE
    )
    check = re.compile(r"health_?check", re.IGNORECASE).search(text, begin.start() if begin else 0)
    if check is None:
        return 1
    path = re.compile(r"\bpath\b", re.IGNORECASE).search(text, check.end())
    near = path is not None and text.count("\n", check.end(), path.start()) <= _FIELDS
    place = path.start() if path is not None and near else check.start()
    return text.count("\n", 0, place) + 1


PROBER: Final = Prober("traefik", "Traefik", read)
