"""Prometheus' ``kubernetes_sd`` for the roles node, service, ingress, pod, endpoints and endpointslice.

Only what the manifests say: a pod that was never started has no address, so that of a pod template is ``<address>``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from necropsy.probes.kubernetes.endpoints import Cluster
from necropsy.probes.kubernetes.labels import (
    META,
    UNSAFE,
    container_port,
    described,
    join,
    origin_of,
    pod_labels,
    pod_of,
)
from necropsy.probes.kubernetes.objects import name_of, namespace_of, text_at, texts_at
from necropsy.probes.prometheus.target_group import TargetGroup
from necropsy.probes.session_risk import UNKNOWN_ADDRESS
from necropsy.probes.syntax.node import Node


def discover(settings: Node, manifests: Iterable[Node]) -> list[TargetGroup] | None:
    """Return the groups that one ``kubernetes_sd_configs`` entry finds; None for a role that is not known here.

    Source: discovery/kubernetes/*.go. ``namespaces`` and the label selectors of ``selectors`` are applied, field selectors
    are not.
    """
    role = text_at(settings, "role")
    find = _ROLES.get(role)
    if role in ("endpoints", "endpointslice"):
        manifests = list(manifests)
        find = Cluster(manifests, role).groups
    if find is None:
        return None
    names = settings.at("namespaces", "names")
    wanted = names.texts() if names is not None else []
    selectors = [s for s in settings.get("selectors") or () if text_at(s, "role") == role]
    groups: list[TargetGroup] = []
    for manifest in manifests:
        in_namespace = role == "node" or not wanted or namespace_of(manifest) in wanted
        labels = texts_at(manifest, "metadata", "labels")
        if in_namespace and all(selected(text_at(s, "label"), labels) for s in selectors):
            groups.extend(find(manifest))
    return groups


def selected(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a selector: ``a=b,c!=d,e in (f,g),h,!i``.

    >>> selected("app=web,tier in (a, b),!old", {"app": "web", "tier": "b"})
    True
    """
    for term in re.findall(r"(?:[^,(]|\([^)]*\))+", selector):
        match = re.fullmatch(r"\s*(!?)([^\s=!(]+)\s*(?:(==?|!=)\s*(\S*)|(in|notin)\s*\(([^)]*)\))?\s*", term)
        if match is None:
            return False
        absent, key, operator, value, membership, values = match.groups()
        have = labels.get(key)
        members = [item.strip() for item in (values or "").split(",")]
        good = {
            "=": have == value,
            "==": have == value,
            "!=": have != value,
            "in": have in members,
            "notin": have not in members,
        }.get(operator or membership or "", (have is None) == bool(absent))
        if not good:
            return False
    return True


def _group(manifest: Node, role: str, targets: list[dict[str, str]]) -> Iterator[TargetGroup]:
    if targets:
        yield TargetGroup(tuple(targets), described(manifest, role), origin_of(manifest, role))


def _nodes(manifest: Node) -> Iterator[TargetGroup]:
    if text_at(manifest, "kind") != "Node":
        return
    addresses: dict[str, str] = {}
    for address in manifest.at("status", "addresses") or ():
        addresses.setdefault(text_at(address, "type"), text_at(address, "address"))
    order = ("InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname")
    host = next((addresses[kind] for kind in order if kind in addresses), UNKNOWN_ADDRESS)
    port = text_at(manifest, "status", "daemonEndpoints", "kubeletEndpoint", "Port") or "10250"
    target = {"__address__": join(host, port), "instance": name_of(manifest)}
    target[f"{META}node_provider_id"] = text_at(manifest, "spec", "providerID")
    target.update({f"{META}node_address_{UNSAFE.sub('_', kind)}": value for kind, value in addresses.items()})
    yield from _group(manifest, "node", [target])


def _services(manifest: Node) -> Iterator[TargetGroup]:
    if text_at(manifest, "kind") != "Service":
        return
    kind = text_at(manifest, "spec", "type") or "ClusterIP"
    more = {f"{META}service_type": kind}
    if kind == "ExternalName":
        more[f"{META}service_external_name"] = text_at(manifest, "spec", "externalName")
    else:
        more[f"{META}service_cluster_ip"] = text_at(manifest, "spec", "clusterIP")
    if kind == "LoadBalancer":
        more[f"{META}service_loadbalancer_ip"] = text_at(manifest, "spec", "loadBalancerIP")
    targets = [
        {
            "__address__": f"{name_of(manifest)}.{namespace_of(manifest)}.svc:{text_at(port, 'port')}",
            f"{META}service_port_name": text_at(port, "name"),
            f"{META}service_port_number": text_at(port, "port"),
            f"{META}service_port_protocol": text_at(port, "protocol") or "TCP",
            **more,
        }
        for port in manifest.at("spec", "ports") or ()
    ]
    yield from _group(manifest, "service", targets)


def _ingresses(manifest: Node) -> Iterator[TargetGroup]:
    if text_at(manifest, "kind") != "Ingress":
        return
    secure = [host.text() for tls in manifest.at("spec", "tls") or () for host in tls.get("hosts") or ()]
    targets: list[dict[str, str]] = []
    for rule in manifest.at("spec", "rules") or ():
        host = text_at(rule, "host")
        paths = [text_at(path, "path") or "/" for path in rule.at("http", "paths") or ()] or ["/"]
        scheme = "https" if any(_host_matches(pattern, host) for pattern in secure) else "http"
        targets += [
            {
                "__address__": host,
                f"{META}ingress_scheme": scheme,
                f"{META}ingress_host": host,
                f"{META}ingress_path": path,
                f"{META}ingress_class_name": text_at(manifest, "spec", "ingressClassName"),
            }
            for path in paths
        ]
    yield from _group(manifest, "ingress", targets)


def _host_matches(pattern: str, host: str) -> bool:
    """Whether a host of ``tls`` covers a rule's: equal, or a wildcard in place of its first part."""
    return pattern == host or (pattern.startswith("*.") and pattern[2:] == host.partition(".")[2])


def _pods(manifest: Node) -> Iterator[TargetGroup]:
    pod = pod_of(manifest)
    if pod is None:
        return
    host = text_at(manifest, "status", "podIP") or UNKNOWN_ADDRESS
    labels = pod_labels(manifest)
    targets: list[dict[str, str]] = []
    for group in ("containers", "initContainers"):
        for container in pod.at("spec", group) or ():
            shared = {
                f"{META}pod_container_name": text_at(container, "name"),
                f"{META}pod_container_image": text_at(container, "image"),
                f"{META}pod_container_init": str(group == "initContainers").lower(),
            }
            ports = list(container.get("ports") or ())
            targets += [container_port(host, port) | shared for port in ports]
            targets += [{"__address__": host} | shared] if not ports else []
    if targets:
        yield TargetGroup(tuple(targets), labels, origin_of(manifest, "pod"))


_ROLES: Final[dict[str, Callable[[Node], Iterator[TargetGroup]]]] = {
    "node": _nodes,
    "service": _services,
    "ingress": _ingresses,
    "pod": _pods,
}
