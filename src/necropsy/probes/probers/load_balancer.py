"""AWS: health checks of target groups and classic load balancers, in CloudFormation (YAML, JSON); Terraform's go the same way.

Sample::

    Resources:
      Admin:
        Type: AWS::ElasticLoadBalancingV2::TargetGroup
        Properties: {Port: 80, HealthCheckPath: /, HealthCheckIntervalSeconds: 15}

Each node of a balancer, one for every availability zone at least, asks on its own: every probe here stands for at least one.
A redirect is not followed, and cookies are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from necropsy.model.errors import NotJudged
from necropsy.model.evidence import Origin
from necropsy.probes.consul.fields import NormalisedFields
from necropsy.probes.probers.interface import Prober, ProberReading, Schedule, add, harmless_probe, http_probe
from necropsy.probes.session_risk import UNKNOWN_ADDRESS
from necropsy.probes.syntax.document import parse_json, parse_yaml
from necropsy.probes.syntax.node import Node

_DEFAULT_INTERVAL_S: Final = 30.0
_GROUP: Final = "AWS::ElasticLoadBalancingV2::TargetGroup"
_CHECKS: Final = re.compile(r"HealthCheck|Synthetics")
"""Types of resources that are nothing but a check."""
LOOK: Final = "Check which path it requests: a page such as / may start a session each time."
_CLASSIC: Final = "AWS::ElasticLoadBalancing::LoadBalancer"


def read_cloudformation(text: str, file: str) -> ProberReading:
    """Read a template's target groups and classic load balancers; intrinsic functions are not evaluated."""
    root = parse_json(text, file) if text.lstrip().startswith("{") else parse_yaml(text, file)
    found = ProberReading()
    resources = root.get("Resources")
    for name, resource in resources.items() if resources is not None else ():
        kind, body = resource.get("Type"), resource.get("Properties")
        if kind is None or body is None:
            continue
        fields = NormalisedFields(body)
        usual = "false" if fields.text("targettype") == "lambda" else "true"
        if kind.text() == _GROUP and (fields.text("healthcheckenabled") or usual) != "false":
            target_group(name, fields, _GROUP_NAMES, fields, found)
        elif kind.text() == _CLASSIC:
            for check in fields.mappings("healthcheck"):
                classic(name, check, found)
        elif _CHECKS.search(kind.text()):
            reason = f"{kind.text()} {name} sends checks at an interval; resources of this type are not supported"
            found.problems.append(NotJudged(resource.file, resource.line, reason, hint=LOOK))
    return found


@dataclass(frozen=True, slots=True)
class CheckFieldNames:
    """Names of the fields of a target group's check."""

    path: str
    port: str
    protocol: str
    interval: str


_GROUP_NAMES: Final = CheckFieldNames(
    "healthcheckpath", "healthcheckport", "healthcheckprotocol", "healthcheckintervalseconds"
)
"""Among the properties of a group in CloudFormation."""
CHECK_OF_GROUP: Final = CheckFieldNames("path", "port", "protocol", "interval")
"""In the block ``health_check`` of Terraform."""


@dataclass(frozen=True, slots=True)
class LoadBalancerCheck:
    """One health check of a load balancer."""

    prober: str
    protocol: str
    host: str
    port: str
    path: str
    schedule: Schedule
    user_agent: str


def target_group(
    name: str, group: NormalisedFields, names: CheckFieldNames, check: NormalisedFields, found: ProberReading
) -> None:
    """Read the check of a target group of AWS."""
    if not is_known(f"elb/{name}", check, (names.path, names.protocol), found):
        return
    protocol = (check.text(names.protocol) or literal(group, "protocol") or "HTTP").upper()
    port = literal(check, names.port)
    if port in ("", "traffic-port"):
        port = literal(group, "port")
    path = check.text(names.path) or "/"
    assumed = assumed_interval(check, names.interval, _DEFAULT_INTERVAL_S)
    origin = check.origin(names.path, names.protocol, what=f"health check of {name} requests {path}{assumed}")
    timing = schedule(check, names.interval, _DEFAULT_INTERVAL_S)
    add_check(
        LoadBalancerCheck(f"elb/{name}", protocol, UNKNOWN_ADDRESS, port, path, timing, "ELB-HealthChecker/2.0"),
        origin,
        found,
    )


def classic(name: str, check: NormalisedFields, found: ProberReading) -> None:
    """Read the check of a classic load balancer: a target such as ``HTTP:8080/health`` or ``TCP:22``."""
    if not is_known(f"elb/{name}", check, ("target",), found):
        return
    protocol, _, rest = check.text("target").partition(":")
    port, slash, path = rest.partition("/")
    assumed = assumed_interval(check, "interval", _DEFAULT_INTERVAL_S)
    origin = check.origin("target", what=f"health check of {name}{assumed}")
    timing = schedule(check, "interval", _DEFAULT_INTERVAL_S)
    add_check(
        LoadBalancerCheck(
            f"elb/{name}", protocol.upper(), UNKNOWN_ADDRESS, port, slash + path, timing, "ELB-HealthChecker/1.0"
        ),
        origin,
        found,
    )


def is_known(prober: str, check: NormalisedFields, names: Sequence[str], found: ProberReading) -> bool:
    """Whether these fields, where they are there, are literals; an expression is a problem: what is asked is not known."""
    for name in names:
        node = check.value(name)
        if node is not None and _is_expression(node):
            written = f" ({node.text()})" if node.kind == "scalar" else ""
            called = next(key.text() for key, value in check.node.pairs if value is node)
            what = f"{called} is an expression{written}"
            reason = f"{prober}: {what}, which is not evaluated: the requested path is unknown"
            found.problems.append(NotJudged(node.file, node.line, reason, hint=LOOK))
            return False
    return True


def _is_expression(node: Node) -> bool:
    """Whether a value is computed: an expression of HCL, ``${…}``, or a function of CloudFormation."""
    if node.kind != "scalar":
        return True
    computed = node.tag is not None and not node.tag.startswith(("!!", "tag:yaml.org"))
    return node.style == "expression" or computed or "${" in node.text()


def literal(fields: NormalisedFields, name: str) -> str:
    """Return the text of a field; empty when it is an expression."""
    node = fields.value(name)
    return "" if node is None or _is_expression(node) else node.text()


def schedule(fields: NormalisedFields, name: str, default_s: float) -> Schedule:
    """Return the interval of a check; the default where there is none, or it is an expression."""
    text = literal(fields, name)
    return Schedule(float(text) if text.isdigit() and int(text) else default_s)


def assumed_interval(fields: NormalisedFields, name: str, default_s: float) -> str:
    """Return what to say of an interval that is an expression; empty when it is none."""
    node = fields.value(name)
    if node is None or not _is_expression(node):
        return ""
    return f" (its interval is an expression; the default of {default_s:g} s is assumed)"


def add_check(check: LoadBalancerCheck, origin: Origin, found: ProberReading) -> None:
    """Keep the probe of a check."""
    service = check.prober.partition("/")[2]
    kind = check.prober.partition("/")[0]
    where = f"{check.host}:{check.port}" if check.port.isdigit() else check.host
    if check.protocol not in ("HTTP", "HTTPS"):
        because = f"a {check.protocol} check opens a connection, sends no request"
        found.probes.append(
            harmless_probe(check.prober, f"{kind}-check", where, check.schedule, (origin,), because, service=service)
        )
        return
    slash = "" if check.path.startswith("/") else "/"
    probe = http_probe(
        check.prober,
        f"{kind}-http",
        f"{check.protocol.lower()}://{where}{slash}{check.path}",
        check.schedule,
        (origin,),
        user_agents=(check.user_agent,),
        follows_redirects=False,
        service=service,
    )
    add(found, probe, origin)


PROBER: Final = Prober("cloudformation", "AWS load balancers in CloudFormation", read_cloudformation)
