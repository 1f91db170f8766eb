"""Definition files: what an agent reads at its start and then registers.

Sample (JSON; the same in HCL)::

    {"services": [{"id": "Nginx", "name": "b2b-admin", "port": 80, "tags": ["blackbox_exporter_http"],
                   "check": {"http": "http://localhost/health", "interval": "10s"}}]}

Field names as https://developer.hashicorp.com/consul/docs/reference/service has them, in any case, with or without
underscores; ``check`` and ``checks``, ``service`` and ``services``, and the body of ``PUT /v1/agent/service/register``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace

from necropsy.model.evidence import Origin
from necropsy.probes.consul.fields import NormalisedFields
from necropsy.probes.consul.model import Check, ConsulNode, Instance, check_kind, go_seconds
from necropsy.probes.session_risk import UNKNOWN_ADDRESS


@dataclass(frozen=True, slots=True)
class Definitions:
    """The services and checks that one file defines."""

    node: ConsulNode
    """As far as this file knows its agent: name, address, data centre."""
    instances: tuple[Instance, ...]
    checks: tuple[Check, ...]
    """Checks that stand beside the services: of the node, or of a service that they name."""


def read_definitions(root: NormalisedFields) -> Definitions | None:
    """Read a definition file; None when it is something else."""
    node = _node(root)
    services = list(root.mappings("service", "services"))
    checks = [_check(item, "", number) for number, item in enumerate(root.mappings("check", "checks"), 1)]
    if not services and "name" in root and root.names & {"port", "check", "checks", "address", "tags"}:
        services, checks = [root], []  # the body of PUT /v1/agent/service/register
    if not services and not checks and not (node.name or node.known or node.datacenter):
        return None
    return Definitions(node, tuple(_instance(item, node) for item in services), tuple(checks))


def _node(root: NormalisedFields) -> ConsulNode:
    address = next((text for name in ("advertiseaddr", "bindaddr") if _is_address(text := root.text(name))), "")
    wan = root.text("advertiseaddrwan")
    return ConsulNode(
        name=root.text("nodename"),
        address=address or UNKNOWN_ADDRESS,
        datacenter=root.text("datacenter"),
        meta=root.mapping("nodemeta"),
        tagged_addresses=own_addresses(address, wan if _is_address(wan) else "") if address else {},
    )


def own_addresses(lan: str, wan: str = "") -> dict[str, str]:
    """Return the tagged addresses that an agent gives its own node (agent/config/builder.go).

    >>> own_addresses("10.0.0.1")
    {'lan': '10.0.0.1', 'lan_ipv4': '10.0.0.1', 'wan': '10.0.0.1', 'wan_ipv4': '10.0.0.1'}
    """
    tagged: dict[str, str] = {}
    for name, address in (("lan", lan), ("wan", wan or lan)):
        tagged[name] = address
        if _is_address(address):
            tagged[f"{name}_ipv{6 if ':' in address else 4}"] = address
    return tagged


def _is_address(text: str) -> bool:
    """Whether it is one address, not a template (``{{ GetPrivateIP }}``) and not all of them (``0.0.0.0``)."""
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False


def _instance(fields: NormalisedFields, node: ConsulNode) -> Instance:
    name = fields.text("name")
    service_id = fields.text("id") or name
    port = fields.number("port")
    checks = list(fields.mappings("check", "checks"))
    return Instance(
        service_id=service_id,
        name=name,
        node=node,
        address=fields.text("address"),
        port=port,
        tags=fields.texts("tags"),
        meta=fields.mapping("meta"),
        namespace=fields.text("namespace"),
        partition=fields.text("partition"),
        checks=tuple(_named(check, name, len(checks)) for check in _checks(checks, service_id)),
        origin=(fields.origin("id", "name", what=f"defines {name}, port {port}"),),
        meta_lines=fields.lines("meta"),
    )


def _checks(found: list[NormalisedFields], service_id: str) -> Iterator[Check]:
    for number, item in enumerate(found, 1):
        yield _check(item, service_id, number)


def _named(check: Check, service: str, siblings: int) -> Check:
    """Fill in the name and the ID that an agent makes up (agent/structs: ``CheckTypes``)."""
    identity = check.identity or f"service:{check.service_id}"
    if siblings == 1 and identity == f"service:{check.service_id}:1":
        identity = f"service:{check.service_id}"
    return replace(check, identity=identity, name=check.name or f"Service '{service}' check")


def _check(fields: NormalisedFields, service_id: str, number: int) -> Check:
    kind = check_kind(fields.names)
    name = fields.text("name")
    headers = fields.value("header")
    return Check(
        identity=fields.text("id", "checkid") or (f"service:{service_id}:{number}" if service_id else name),
        name=name,
        kind=kind,
        url=fields.text("http"),
        method=(fields.text("method") or "GET").upper(),
        interval_s=go_seconds(fields.text("interval")),
        follows_redirects=not fields.flag("disableredirects"),
        user_agent=_header(NormalisedFields(headers), "user-agent") if headers is not None else "",
        header_names=tuple(key.text() for key, _ in headers.pairs) if headers is not None else (),
        service_id=service_id or fields.text("serviceid"),
        origin=_origin(fields, kind),
    )


def _origin(fields: NormalisedFields, kind: str) -> Origin:
    return fields.origin(kind, "name", "id")


def _header(headers: NormalisedFields, name: str) -> str:
    """Return the first value of one header; no other header is looked at, as they may hold credentials."""
    for key, value in headers.node.pairs:
        if key.text().lower() == name:
            return next(iter(value.texts()), "")
    return ""
