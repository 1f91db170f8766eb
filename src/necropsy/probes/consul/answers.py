"""Saved answers of Consul's API, recognised by their shape.

=================================== =====================================================================
``/v1/health/service/NAME``         ``[{"Node": {…}, "Service": {…}, "Checks": [{…}]}]``
``/v1/catalog/service/NAME``        ``[{"Node": "n1", "Address": …, "ServiceID": …, "ServicePort": …}]``
``/v1/catalog/nodes``               ``[{"Node": "n1", "Address": …, "Meta": …}]``
``/v1/catalog/node/NAME``           ``{"Node": {…}, "Services": {"ID": {…}}}``
``/v1/catalog/services``            ``{"web": ["tag", …]}``
``/v1/agent/services``              ``{"web-1": {"ID": "web-1", "Service": "web", "Port": …}}``
``/v1/agent/checks``                ``{"service:web-1": {"CheckID": …, "Status": …}}``
``/v1/agent/self``                  ``{"Config": {…}, "Member": {…}}``
``/v1/health/state/any`` and kin    ``[{"Node": "n1", "CheckID": …, "Status": …}]``
=================================== =====================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from necropsy.probes.consul.fields import NormalisedFields
from necropsy.probes.consul.model import Check, ConsulNode, Instance, check_kind, go_seconds
from necropsy.probes.session_risk import UNKNOWN_ADDRESS
from necropsy.probes.syntax.node import Node

_OUTPUT: Final = re.compile(r"HTTP ([A-Z]+) (\S+?): ")


@dataclass(slots=True)
class Answers:
    """Everything that one answer says."""

    nodes: list[ConsulNode] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    service_tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """From ``/v1/catalog/services``."""
    agent: ConsulNode | None = None
    """The agent that answered ``/v1/agent/…``; its instances and checks name no node."""
    local: bool = False
    """Whether the instances are those of the agent that answered."""


def read_answers(root: Node) -> Answers | None:
    """Read one saved answer; None when it is none of those that are known. An empty answer says nothing."""
    if root.kind in ("sequence", "mapping") and not len(root):
        return Answers()
    for recognise, read in _SHAPES:
        if recognise(root):
            answers = Answers()
            read(root, answers)
            return answers
    return None


# -- shapes ---------------------------------------------------------------------------------------------------------


def _all(root: Node, kind: str, test: Callable[[NormalisedFields], bool]) -> bool:
    """Whether it is a non-empty list (or mapping) of mappings that all pass."""
    if root.kind != kind:
        return False
    items = list(root.elements) if kind == "sequence" else [value for _, value in root.pairs]
    return bool(items) and all(item.kind == "mapping" and test(NormalisedFields(item)) for item in items)


def _is_health(root: Node) -> bool:
    return _all(root, "sequence", lambda fields: "service" in fields and "checks" in fields)


def _is_catalog_service(root: Node) -> bool:
    return _all(
        root, "sequence", lambda fields: "serviceid" in fields and "servicename" in fields and "address" in fields
    )


def _is_checks(root: Node) -> bool:
    return _all(root, "sequence", lambda fields: "checkid" in fields and "status" in fields)


def _is_nodes(root: Node) -> bool:
    return _all(root, "sequence", lambda fields: "node" in fields and "address" in fields)


def _is_agent_services(root: Node) -> bool:
    return _all(root, "mapping", lambda fields: "service" in fields and "id" in fields)


def _is_agent_checks(root: Node) -> bool:
    return _all(root, "mapping", lambda fields: "checkid" in fields and "status" in fields and "node" in fields)


def _is_catalog_node(root: Node) -> bool:
    node, services = root.get("Node"), root.get("Services")
    return node is not None and node.kind == "mapping" and services is not None


def _is_agent_self(root: Node) -> bool:
    config, member = root.get("Config"), root.get("Member")
    return config is not None and config.kind == "mapping" and member is not None


def _is_catalog_services(root: Node) -> bool:
    values = [value for _, value in root.pairs]
    return bool(values) and all(
        value.kind == "sequence" and all(item.kind == "scalar" for item in value.elements) for value in values
    )


# -- readers --------------------------------------------------------------------------------------------------------


def _health(root: Node, answers: Answers) -> None:
    for item in root:
        entry = NormalisedFields(item)
        node = next((_node(found) for found in entry.mappings("node")), None)
        checks = tuple(_check(found) for found in entry.mappings("checks"))
        for service in entry.mappings("service"):
            answers.instances.append(_instance(service, node or ConsulNode()).with_checks(checks))
        answers.local = answers.local or node is None  # /v1/agent/health/service/name/NAME


def _catalog_service(root: Node, answers: Answers) -> None:
    for item in root:
        entry = NormalisedFields(item)
        node = ConsulNode(
            name=entry.text("node"),
            address=entry.text("address") or UNKNOWN_ADDRESS,
            datacenter=entry.text("datacenter"),
            meta=entry.mapping("nodemeta"),
            tagged_addresses=entry.mapping("taggedaddresses"),
        )
        answers.instances.append(_instance(entry, node, "service"))


def _nodes(root: Node, answers: Answers) -> None:
    answers.nodes.extend(_node(NormalisedFields(item)) for item in root)


def _catalog_node(root: Node, answers: Answers) -> None:
    entry = NormalisedFields(root)
    for found in entry.mappings("node"):
        node = _node(found)
        answers.nodes.append(node)
        services = root.get("Services") or root
        items = services.elements if services.kind == "sequence" else [value for _, value in services.pairs]
        answers.instances.extend(_instance(NormalisedFields(item), node) for item in items if item.kind == "mapping")


def _agent_services(root: Node, answers: Answers) -> None:
    answers.local = True
    answers.instances.extend(_instance(NormalisedFields(value), ConsulNode()) for _, value in root.pairs)


def _agent_checks(root: Node, answers: Answers) -> None:
    answers.local = True
    answers.checks.extend(_check(NormalisedFields(value)) for _, value in root.pairs)


def _checks(root: Node, answers: Answers) -> None:
    answers.checks.extend(_check(NormalisedFields(item)) for item in root)


def _agent_self(root: Node, answers: Answers) -> None:
    config, member = (NormalisedFields(root.get(name) or root) for name in ("Config", "Member"))
    answers.agent = ConsulNode(
        name=config.text("nodename") or member.text("name"),
        address=member.text("addr") or UNKNOWN_ADDRESS,
        datacenter=config.text("datacenter"),
        meta=NormalisedFields(root).mapping("meta"),
    )


def _catalog_services(root: Node, answers: Answers) -> None:
    answers.service_tags.update({key.text(): tuple(value.texts()) for key, value in root.pairs})


def _node(fields: NormalisedFields) -> ConsulNode:
    return ConsulNode(
        name=fields.text("node"),
        address=fields.text("address") or UNKNOWN_ADDRESS,
        datacenter=fields.text("datacenter"),
        meta=fields.mapping("meta"),
        tagged_addresses=fields.mapping("taggedaddresses"),
    )


def _instance(fields: NormalisedFields, node: ConsulNode, prefix: str = "") -> Instance:
    """Read a service: its fields are called ``Port`` in one answer and ``ServicePort`` in the next."""
    name = fields.text("servicename") if prefix else fields.text("service")
    port = fields.number(f"{prefix}port")
    service_id = fields.text(f"{prefix}id") or name
    return Instance(
        service_id=service_id,
        name=name,
        node=node,
        address=fields.text(f"{prefix}address"),
        port=port,
        tags=fields.texts(f"{prefix}tags"),
        meta=fields.mapping(f"{prefix}meta"),
        namespace=fields.text("namespace"),
        partition=fields.text("partition"),
        answered=True,
        origin=(fields.origin(f"{prefix}id", f"{prefix}port", what=f"Consul lists {service_id}, port {port}"),),
        meta_lines=fields.lines(f"{prefix}meta"),
    )


def _check(fields: NormalisedFields) -> Check:
    definition = next(_definitions(fields), fields)
    url, method = definition.text("http"), definition.text("method")
    source = definition.origin("http") if url else fields.origin("output", "checkid")
    if not url:  # Consul keeps no definition of a check that an agent registered; its last output names the URL
        match = _OUTPUT.match(fields.text("output"))
        if match:
            method, url = match.groups()
    return Check(
        identity=fields.text("checkid"),
        name=fields.text("name"),
        kind="http" if url else fields.text("type") or check_kind(definition.names),
        url=url,
        method=(method or "GET").upper(),
        interval_s=go_seconds(definition.text("interval") or fields.text("interval")),
        follows_redirects=not definition.flag("disableredirects"),
        status=fields.text("status"),
        service_id=fields.text("serviceid"),
        node=fields.text("node"),
        origin=source,
    )


def _definitions(fields: NormalisedFields) -> Iterator[NormalisedFields]:
    for definition in fields.mappings("definition"):
        if definition.names:
            yield definition


_SHAPES: Final[tuple[tuple[Callable[[Node], bool], Callable[[Node, Answers], None]], ...]] = (
    (_is_health, _health),
    (_is_catalog_service, _catalog_service),
    (_is_checks, _checks),
    (_is_nodes, _nodes),
    (_is_agent_services, _agent_services),
    (_is_agent_checks, _agent_checks),
    (_is_catalog_node, _catalog_node),
    (_is_agent_self, _agent_self),
    (_is_catalog_services, _catalog_services),
)
"""In this order: a list of checks also names nodes, a catalogue of services also has addresses."""
