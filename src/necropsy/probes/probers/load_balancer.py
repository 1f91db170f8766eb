"""AWS: health checks of target groups and classic load balancers, in Terraform (HCL) and CloudFormation (YAML, JSON).

Sample::

    resource "aws_lb_target_group" "admin" {
      port = 80
      health_check { path = "/" interval = 15 }
    }

Each node of a balancer, one for every availability zone at least, asks on its own: every probe here stands for at least one.
A redirect is not followed, and cookies are not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.consul.fields import Fields
from necropsy.probes.probers.interface import Prober, ProberReading, Schedule, add, harmless_probe, http_probe
from necropsy.probes.session_risk import UNKNOWN_ADDRESS
from necropsy.probes.syntax.document import parse_json, parse_yaml
from necropsy.probes.syntax.hcl import parse_hcl
from necropsy.probes.syntax.node import Node

_DEFAULT_INTERVAL_S: Final = 30.0
_GROUP: Final = "AWS::ElasticLoadBalancingV2::TargetGroup"
_CLASSIC: Final = "AWS::ElasticLoadBalancing::LoadBalancer"


def read_terraform(text: str, file: str) -> ProberReading:
    """Read Terraform's ``aws_lb_target_group``, ``aws_alb_target_group`` and ``aws_elb``; expressions are not evaluated."""
    root = parse_json(text, file) if file.endswith(".json") else parse_hcl(text, file, expressions=True)
    found = ProberReading()
    for kind, name, body in _resources(root):
        fields = Fields(body)
        for check in fields.mappings("healthcheck"):
            if kind == "aws_elb":
                _classic(name, check, found)
            elif kind in ("aws_lb_target_group", "aws_alb_target_group") and check.text("enabled") != "false":
                _target_group(name, fields, _Names("path", "port", "protocol", "interval"), check, found)
    return found


def _resources(root: Node) -> Iterator[tuple[str, str, Node]]:
    for key, kinds in root.pairs:
        if key.text() != "resource":
            continue
        for kind, names in kinds.pairs:
            for name, body in names.pairs:
                yield kind.text(), name.text(), body


def read_cloudformation(text: str, file: str) -> ProberReading:
    """Read a template's target groups and classic load balancers; intrinsic functions are not evaluated."""
    root = parse_json(text, file) if text.lstrip().startswith("{") else parse_yaml(text, file)
    found = ProberReading()
    resources = root.get("Resources")
    for name, resource in resources.items() if resources is not None else ():
        kind, body = resource.get("Type"), resource.get("Properties")
        if kind is None or body is None:
            continue
        fields = Fields(body)
        if kind.text() == _GROUP and fields.text("healthcheckenabled") != "false":
            names = _Names("healthcheckpath", "healthcheckport", "healthcheckprotocol", "healthcheckintervalseconds")
            _target_group(name, fields, names, fields, found)
        elif kind.text() == _CLASSIC:
            for check in fields.mappings("healthcheck"):
                _classic(name, check, found)
    return found


class _Names:
    """What the fields of a check are called."""

    def __init__(self, path: str, port: str, protocol: str, interval: str) -> None:
        self.path, self.port, self.protocol, self.interval = path, port, protocol, interval


def _target_group(name: str, group: Fields, names: _Names, check: Fields, found: ProberReading) -> None:
    protocol = (check.text(names.protocol) or group.text("protocol") or "HTTP").upper()
    port = check.text(names.port)
    if port in ("", "traffic-port"):
        port = group.text("port")
    path = check.text(names.path) or "/"
    origin = check.origin(names.path, names.protocol, what=f"health check of {name} asks {path}")
    _balancer(
        f"elb/{name}",
        protocol,
        port,
        path,
        _schedule(check.text(names.interval)),
        origin,
        "ELB-HealthChecker/2.0",
        found,
    )


def _classic(name: str, check: Fields, found: ProberReading) -> None:
    """Read a target such as ``HTTP:8080/health`` or ``TCP:22``."""
    protocol, _, rest = check.text("target").partition(":")
    port, slash, path = rest.partition("/")
    origin = check.origin("target", what=f"health check of {name}")
    schedule = _schedule(check.text("interval"))
    _balancer(f"elb/{name}", protocol.upper(), port, slash + path, schedule, origin, "ELB-HealthChecker/1.0", found)


def _schedule(text: str) -> Schedule:
    return Schedule(float(text) if text.isdigit() and int(text) else _DEFAULT_INTERVAL_S)


def _balancer(
    prober: str,
    protocol: str,
    port: str,
    path: str,
    schedule: Schedule,
    origin: Origin,
    user_agent: str,
    found: ProberReading,
) -> None:
    service = prober.partition("/")[2]
    where = f"{UNKNOWN_ADDRESS}:{port}" if port.isdigit() else UNKNOWN_ADDRESS
    if protocol not in ("HTTP", "HTTPS"):
        because = f"a {protocol} check opens a connection and asks nothing"
        found.probes.append(harmless_probe(prober, "elb-check", where, schedule, (origin,), because, service=service))
        return
    probe = http_probe(
        prober,
        "elb-http",
        f"{protocol.lower()}://{where}{path or '/'}",
        schedule,
        (origin,),
        user_agents=(user_agent,),
        follows_redirects=False,
        service=service,
    )
    add(found, probe, origin)


TERRAFORM: Final = Prober("terraform", "AWS load balancers in Terraform", read_terraform)
CLOUDFORMATION: Final = Prober("cloudformation", "AWS load balancers in CloudFormation", read_cloudformation)
