"""Docker: ``healthcheck`` of the services in a compose file.

Sample::

    services:
      admin:
        image: admin
        healthcheck:
          test: ["CMD", "curl", "-f", "http://localhost:8080/"]
          interval: 10s

Docker runs the test inside the container, ``interval`` after the last one ended; a test that an image brings itself is not
in the file. Labels may have Traefik ask the containers of a service, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.consul.model import go_seconds
from necropsy.probes.probers import traefik
from necropsy.probes.probers.command import request_of
from necropsy.probes.probers.interface import Prober, ProberReading, Schedule, add, harmless_probe, http_probe, times
from necropsy.probes.syntax.document import parse_yaml
from necropsy.probes.syntax.node import Node

_DEFAULT_INTERVAL_S: Final = 30.0
_MOST_REPLICAS: Final = 1_000


def read(text: str, file: str) -> ProberReading:
    """Read a compose file."""
    found = ProberReading()
    services = parse_yaml(text, file).get("services")
    for name, service in services.items() if services is not None else ():
        check = service.get("healthcheck")
        disabled = service.at("healthcheck", "disable")
        if check is not None and (disabled is None or disabled.text() != "true"):
            _check(name, service, check, found)
        traefik.of_labels(_labels(service), found)
    return found


def _labels(service: Node) -> Iterator[tuple[str, str, Origin]]:
    """Yield name, value and place of each label: a mapping, or a list of ``name=value``."""
    for labels in (service.get("labels"), service.at("deploy", "labels")):
        if labels is None:
            continue
        for key, value in labels.entries() if labels.kind == "mapping" else ():
            yield key.text(), value.text(), key.origin("")
        for element in labels:
            name, _, text = element.text().partition("=")
            yield name, text, element.origin("")


def _check(name: str, service: Node, check: Node, found: ProberReading) -> None:
    test = check.get("test")
    words = test.texts() if test is not None else []
    if not words or words[0] == "NONE":
        return
    # A text alone, or behind CMD-SHELL, goes through a shell; behind CMD it is a list of words.
    shell = test is not None and test.kind == "scalar"
    command = words[0] if shell else words[1] if words[0] == "CMD-SHELL" and len(words) > 1 else words[1:]
    interval = check.get("interval")
    schedule = Schedule(
        go_seconds(interval.text()) or _DEFAULT_INTERVAL_S if interval is not None else _DEFAULT_INTERVAL_S
    )
    origin = (check.key("test") or check).origin(f"health check of {name}")
    request = request_of(command)
    if request is None:
        because = "runs a command in the container, without a visible HTTP request"
        found.probes.append(
            harmless_probe(f"compose/{name}", "compose-command", "", schedule, (origin,), because, service=name)
        )
        return
    probe = http_probe(
        f"compose/{name}",
        "compose-healthcheck",
        request.url,
        schedule,
        (origin,),
        method=request.method,
        user_agents=(request.user_agent,) if request.user_agent else (),
        follows_redirects=request.follows_redirects,
        host_header=request.host_header,
        service=name,
        instance=name,
    )
    replicas = service.at("deploy", "replicas")
    count = int(replicas.text()) if replicas is not None and replicas.text().isdigit() else 1
    for one in times(probe, min(count, _MOST_REPLICAS)):
        add(found, one, origin)


PROBER: Final = Prober("compose", "Docker Compose", read)
