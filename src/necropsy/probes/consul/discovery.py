"""Prometheus' ``consul_sd``: from the catalogue to targets with their ``__meta_consul_*`` labels (discovery/consul/consul.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.model.evidence import Origin
from necropsy.probes.consul.catalog import Catalog
from necropsy.probes.consul.model import ConsulNode, Instance
from necropsy.probes.consul.sd_filters import Sieve
from necropsy.probes.prometheus.target_group import TargetGroup
from necropsy.probes.prometheus.version import Version
from necropsy.probes.syntax.node import Node

_UNSAFE: Final = re.compile(r"[^a-zA-Z0-9_]")
_DEFAULT_VERSION: Final = Version(3, 0)
_DEFAULT_DATACENTER: Final = "dc1"
"""Consul's own default, used when no file says otherwise."""


def discover(
    settings: Node, catalog: Catalog, version: Version = _DEFAULT_VERSION, consul: tuple[int, int] | None = None
) -> tuple[list[TargetGroup], list[ConfigurationError]]:
    """Return the targets that one ``consul_sd_configs`` entry finds.

    Health does not filter: Prometheus asks for all instances, critical and in maintenance ones included. ``filter``
    chooses services by what the catalogue says of their instances, ``health_filter`` chooses instances; one that cannot
    be evaluated removes nothing, and a problem says so.

    Parameters
    ----------
    settings
        The entry, a mapping.
    catalog
        What Consul knows.
    version
        Version of Prometheus.
    consul
        Version of Consul; None: the newest.
    """
    problems: list[ConfigurationError] = []
    services = _texts(settings, "services")
    tags = _texts(settings, "tags")
    separator_node = settings.get("tag_separator")
    separator = separator_node.text() if separator_node is not None else ","
    wanted_meta = settings.get("node_meta")
    node_meta = dict(wanted_meta.to_python() or {}) if wanted_meta is not None and wanted_meta.kind == "mapping" else {}
    datacenter = _text(settings, "datacenter")
    sieve = Sieve(settings, version, problems, consul)
    known = [
        instance
        for instance in catalog.instances
        if (not services or instance.name in services)
        and _matches_node(instance.node, node_meta, datacenter)
        and _text(settings, "namespace") in ("", instance.namespace)
        and _text(settings, "partition") in ("", instance.partition)
    ]
    tags_of: dict[str, set[str]] = {}
    for instance in known:
        if sieve.counts(instance):
            tags_of.setdefault(instance.name, set()).update(instance.tags)
    lowered = {tag.lower() for tag in tags}
    groups: dict[str, list[Instance]] = {}
    for instance in known:
        if (
            instance.name in tags_of
            # Prometheus compares tags as they are, of the service as a whole; Consul, of each instance, without case.
            and tags_of[instance.name].issuperset(tags)
            and lowered <= {tag.lower() for tag in instance.tags}
            and sieve.answers(instance)
        ):
            groups.setdefault(instance.name, []).append(instance)
            problems.extend(_collisions(instance))
    return [_group(name, found, separator, datacenter) for name, found in groups.items()], problems


def _texts(settings: Node, name: str) -> list[str]:
    node = settings.get(name)
    return node.texts() if node is not None else []


def _text(settings: Node, name: str) -> str:
    node = settings.get(name)
    return node.text() if node is not None else ""


def _matches_node(node: ConsulNode, meta: Mapping[str, str], datacenter: str) -> bool:
    return all(node.meta.get(key) == value for key, value in meta.items()) and (
        not datacenter or not node.datacenter or node.datacenter == datacenter
    )


def _group(name: str, instances: list[Instance], separator: str, datacenter: str) -> TargetGroup:
    known = datacenter or next((i.node.datacenter for i in instances if i.node.datacenter), _DEFAULT_DATACENTER)
    return TargetGroup(
        targets=tuple(labels_of(instance, separator) for instance in instances),
        labels={"__meta_consul_service": name, "__meta_consul_dc": known},
        target_origins=tuple(origins_of(instance) for instance in instances),
    )


def origins_of(instance: Instance) -> tuple[Origin, ...]:
    """Lines of an instance: where it is defined, then the line that knows its health endpoint."""
    known = instance.health_endpoint
    if known is None or known[1] is None:
        return instance.origin
    path, line = known[0], known[1]
    # The definition, what it knows, then what merely repeats it (an answer of Consul).
    knows = Origin(line.file, line.line, f"names the health endpoint: {path}")
    return (*instance.origin[:1], knows, *instance.origin[1:])


def labels_of(instance: Instance, separator: str = ",") -> dict[str, str]:
    """Labels of one target before relabelling; without those of its group. An empty value is no label.

    >>> labels_of(Instance("web-1", "web", ConsulNode("n1", "10.0.0.1"), "", 80, ("a", "b")))["__meta_consul_tags"]
    ',a,b,'
    """
    health = instance.health
    labels = {
        "__address__": instance.host_port,
        "__meta_consul_address": instance.node.address,
        "__meta_consul_node": instance.node.name,
        "__meta_consul_tags": separator + separator.join(instance.tags) + separator,
        "__meta_consul_service_id": instance.service_id,
        "__meta_consul_service_address": instance.address,
        "__meta_consul_service_port": str(instance.port),
        "__meta_consul_namespace": instance.namespace,
        "__meta_consul_partition": instance.partition,
        # Nobody said how the instance does: a rule that keeps healthy ones is taken to keep it.
        "__meta_consul_health": "passing" if health is None else health,
    }
    for prefix, values in _dictionaries(instance):
        for key, value in values.items():
            labels[f"__meta_consul_{prefix}_{safe(key)}"] = value
    return {name: value for name, value in labels.items() if value}


def _dictionaries(instance: Instance) -> Iterator[tuple[str, Mapping[str, str]]]:
    yield "metadata", instance.node.meta
    yield "service_metadata", instance.meta
    yield "tagged_address", instance.node.tagged_addresses


def _collisions(instance: Instance) -> Iterator[ConfigurationError]:
    """Keys of a meta that become one label: which value wins is undefined, anew at each discovery."""
    for prefix, values in _dictionaries(instance):
        seen: dict[str, str] = {}
        for key, value in values.items():
            other = seen.setdefault(safe(key), key)
            if other != key and values[other] != value:
                origin = instance.meta_lines.get(key) or instance.origin[0]
                reason = (
                    f"{other} and {key} both become __meta_consul_{prefix}_{safe(key)}: Prometheus picks one at random"
                )
                yield ConfigurationError(origin.file, origin.line, reason, hint="Rename one of the two keys.")


def safe(name: str) -> str:
    """Turn a key into a part of a label's name: each character but letters, digits and ``_`` becomes ``_``.

    >>> safe("health-check.path"), safe("ü")
    ('health_check_path', '_')
    """
    return _UNSAFE.sub("_", name)
