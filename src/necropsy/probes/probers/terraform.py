"""Terraform (HCL, JSON): health checks of load balancers at AWS, Google and Azure, and of Route 53.

Sample::

    resource "google_compute_health_check" "shop" {
      check_interval_sec = 5
      http_health_check { port = 80 request_path = "/" }
    }

Each node of a balancer asks on its own: every probe here stands for at least one. Expressions are not evaluated: what a check
asks by an expression is not known, and said to be so; likewise a check of a resource that is not in the tables here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from necropsy.model.errors import NotJudged
from necropsy.probes.consul.fields import NormalisedFields, normal
from necropsy.probes.probers.interface import Prober, ProberReading
from necropsy.probes.probers.load_balancer import (
    CHECK_OF_GROUP,
    LOOK,
    LoadBalancerCheck,
    add_check,
    assumed_interval,
    classic,
    is_known,
    literal,
    schedule,
    target_group,
)
from necropsy.probes.session_risk import UNKNOWN_ADDRESS
from necropsy.probes.syntax.document import parse_json
from necropsy.probes.syntax.hcl import parse_hcl
from necropsy.probes.syntax.node import Node

_GOOGLE: Final = "GoogleHC/1.0"
_ROUTE_53: Final = "Amazon-Route53-Health-Check-Service"
_BLOCKS: Final = re.compile(
    r"health_?(?:check|probe|monitor)s?(?:_?path)?|(?:liveness|readiness|startup)_?probe|request_?path|uptime_?check",
    re.IGNORECASE,
)
"""Names of blocks and arguments by which a resource tells that somebody asks regularly."""
_RESOURCES: Final = re.compile(
    r"uptime|synthetic|health_?check|pingdom|statuscake|checkly|canary|lb_monitor", re.IGNORECASE
)
"""Types of resources that are nothing but such a check."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """Arguments of a type of resource that hold the settings of its check: in the block or, without one, in the resource."""

    prober: str
    """First word of the prober's name."""
    user_agent: str
    block: str = ""
    """Block with the path; empty: in the resource itself."""
    path: str = "request_path"
    interval: str = "check_interval_sec"
    """Of the resource."""
    default_s: float = 5.0
    protocol: str = "HTTP"
    protocol_of: str = ""
    """Argument with the protocol, if there is one."""
    default_path: str = "/"


_PROTOCOLS: Final = {"http": "HTTP", "https": "HTTPS", "http2": "HTTPS", "tcp": "TCP", "ssl": "TCP", "grpc": "GRPC"}
_BY_BLOCK: Final = tuple(
    _Shape("google", _GOOGLE, f"{name}_health_check", protocol=protocol) for name, protocol in _PROTOCOLS.items()
)
_AZURE: Final = _Shape(
    "azure",
    "Load Balancer Agent",
    interval="interval_in_seconds",
    default_s=15.0,
    protocol="TCP",
    protocol_of="protocol",
)
_OF_ROUTE_53: Final = _Shape(
    "route53", _ROUTE_53, path="resource_path", interval="request_interval", default_s=30.0, protocol_of="type"
)
_SHAPES: Final[dict[str, tuple[_Shape, ...]]] = {
    "google_compute_health_check": _BY_BLOCK,
    "google_compute_region_health_check": _BY_BLOCK,
    "google_compute_http_health_check": (_Shape("google", _GOOGLE),),
    "google_compute_https_health_check": (_Shape("google", _GOOGLE, protocol="HTTPS"),),
    "azurerm_lb_probe": (_AZURE,),
    "aws_route53_health_check": (_OF_ROUTE_53,),
}
"""Defaults and names: the providers' documentation, resource by resource."""


def read(text: str, file: str) -> ProberReading:
    """Read the resources of the tables; say of the others that check something that they were not examined."""
    root = parse_json(text, file) if file.endswith(".json") else parse_hcl(text, file, expressions=True)
    found = ProberReading()
    for kind, name, body in _resources(root):
        fields = NormalisedFields(body)
        if kind in ("aws_lb_target_group", "aws_alb_target_group"):
            _group(name, fields, found)
        elif kind == "aws_elb":
            for check in fields.mappings("healthcheck"):
                classic(name, check, found)
        elif kind in _SHAPES:
            _shaped(kind, name, fields, found)
        else:
            _unread(kind, name, body, found)
    return found


def _resources(root: Node) -> Iterator[tuple[str, str, Node]]:
    for key, kinds in root.pairs:
        if key.text() != "resource":
            continue
        for kind, names in kinds.pairs:
            for name, body in names.pairs:
                yield kind.text(), name.text(), body


def _group(name: str, group: NormalisedFields, found: ProberReading) -> None:
    """Read the check of a target group: one without a block is asked for ``/``, where it speaks HTTP at all."""
    checks = list(group.mappings("healthcheck"))
    for check in checks:
        if check.text("enabled") != "false":
            target_group(name, group, CHECK_OF_GROUP, check, found)
    dynamic = next((value for value in group.mappings("dynamic") if "healthcheck" in value), None)
    if dynamic is not None:
        reason = (
            f"elb/{name}: its health check is a dynamic block, which is not evaluated: the requested path is unknown"
        )
        found.problems.append(NotJudged(dynamic.node.file, dynamic.node.line, reason, hint=LOOK))
    elif not checks and group.text("targettype") != "lambda" and group.text("protocol").upper() in {"HTTP", "HTTPS"}:
        target_group(name, group, CHECK_OF_GROUP, NormalisedFields(replace(group.node, pairs=())), found)


def _shaped(kind: str, name: str, fields: NormalisedFields, found: ProberReading) -> None:
    for shape in _SHAPES[kind]:
        for check in fields.mappings(normal(shape.block)) if shape.block else (fields,):
            protocol = (fields.text(normal(shape.protocol_of)) if shape.protocol_of else "") or shape.protocol
            names = (normal(shape.path), normal(shape.protocol_of or "protocol"), "fqdn")
            if not is_known(f"{shape.prober}/{name}", check, names, found):
                continue
            host = check.text("fqdn", "ipaddress") if shape.prober == "route53" else check.text("host")
            port = literal(check, "port") or ("443" if protocol.upper().startswith("HTTPS") else "80")
            path = check.text(normal(shape.path)) or shape.default_path
            assumed = assumed_interval(fields, normal(shape.interval), shape.default_s)
            add_check(
                LoadBalancerCheck(
                    f"{shape.prober}/{name}",
                    _plain_protocol(protocol),
                    host or UNKNOWN_ADDRESS,
                    port,
                    path,
                    schedule(fields, normal(shape.interval), shape.default_s),
                    shape.user_agent,
                ),
                check.origin(normal(shape.path), normal(shape.block), what=f"{kind} {name} requests {path}{assumed}"),
                found,
            )


def _plain_protocol(text: str) -> str:
    """Return HTTP or HTTPS of what asks so, ``HTTPS_STR_MATCH`` of Route 53 included; else the protocol as it is.

    >>> _plain_protocol("Https"), _plain_protocol("HTTP_STR_MATCH"), _plain_protocol("Tcp")
    ('HTTPS', 'HTTP', 'TCP')
    """
    return text.upper().partition("_")[0]


def _unread(kind: str, name: str, body: Node, found: ProberReading) -> None:
    """Say of a resource that asks regularly, and is in no table, that it was not examined."""
    place = body if _RESOURCES.search(kind) else _checking(body)
    if place is not None:
        reason = f"{kind} {name} sends checks at an interval; resources of this type are not supported"
        found.problems.append(NotJudged(place.file, place.line, reason, hint=LOOK))


def _checking(body: Node) -> Node | None:
    """Return the first place below a node that is named as a check."""
    waiting = [body]
    while waiting:
        node = waiting.pop()
        for key, value in node.pairs:
            if _BLOCKS.fullmatch(key.text()):
                return key
            if value.style == "expression" and re.search(r"\bhealth_?check\b|Probe\b", value.text(), re.IGNORECASE):
                return key
            waiting.append(value)
        waiting.extend(node.elements)
    return None


PROBER: Final = Prober("terraform", "load balancers in Terraform", read)
