"""The roles ``endpoints`` and ``endpointslice`` (discovery/kubernetes/endpoints.go, endpointslice.go).

A repository holds services and pod templates; their endpoints are made by the cluster. So for a service with a selector
and no endpoints object they are derived as the cluster would: each pod that the selector selects, at each port.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from necropsy.probes.kubernetes.labels import META, container_port, described, join, origin_of, pod_labels, pod_of
from necropsy.probes.kubernetes.objects import name_of, namespace_of, text_at, texts_at
from necropsy.probes.prometheus.target_group import TargetGroup
from necropsy.probes.session_risk import UNKNOWN_ADDRESS
from necropsy.probes.syntax.node import Node

_SERVICE_NAME: Final = "kubernetes.io/service-name"


class Cluster:
    """All manifests, as one object's targets take labels from others."""

    def __init__(self, manifests: Sequence[Node], role: str) -> None:
        self._role = role
        self._own = "Endpoints" if role == "endpoints" else "EndpointSlice"
        self._prefix = f"{META}{'endpoint' if role == 'endpoints' else 'endpointslice'}_"
        self._pods = [manifest for manifest in manifests if pod_of(manifest) is not None]
        self._services = {(namespace_of(m), name_of(m)): m for m in manifests if text_at(m, "kind") == "Service"}
        self._given = {(namespace_of(m), self._service_name(m)) for m in manifests if text_at(m, "kind") == self._own}

    def groups(self, manifest: Node) -> Iterator[TargetGroup]:
        """Yield the group of an endpoints object, or of a service whose object was not given."""
        kind = text_at(manifest, "kind")
        if kind == self._own:
            service = self._services.get((namespace_of(manifest), self._service_name(manifest)))
            find = self._of_endpoints if self._role == "endpoints" else self._of_slice
            yield from self._group(manifest, service, list(find(manifest)))
        elif kind == "Service" and (namespace_of(manifest), name_of(manifest)) not in self._given:
            yield from self._group(manifest, manifest, list(self._derived(manifest)))

    def _service_name(self, manifest: Node) -> str:
        if self._role == "endpoints":
            return name_of(manifest)
        return texts_at(manifest, "metadata", "labels").get(_SERVICE_NAME, "")

    def _group(self, manifest: Node, service: Node | None, targets: list[dict[str, str]]) -> Iterator[TargetGroup]:
        if not targets:
            return
        labels = {f"{META}namespace": namespace_of(manifest)}
        if self._role == "endpoints":
            labels[f"{META}endpoints_name"] = name_of(manifest)
            labels[f"{META}service_name"] = name_of(manifest)
        if text_at(manifest, "kind") == self._own:
            labels.update(described(manifest, self._role))
            labels[f"{self._prefix}address_type"] = text_at(manifest, "addressType")
        origin = origin_of(manifest, self._role if text_at(manifest, "kind") == self._own else "service")
        if service is not None:
            labels.update(described(service, "service"))
            origin += tuple(line for line in origin_of(service, "service") if line not in origin)
        yield TargetGroup(tuple(targets), labels, origin)

    def _of_endpoints(self, manifest: Node) -> Iterator[dict[str, str]]:
        for subset in manifest.get("subsets") or ():
            for port in subset.get("ports") or ():
                for field, ready in (("addresses", "true"), ("notReadyAddresses", "false")):
                    for address in subset.get(field) or ():
                        more = {
                            "ready": ready,
                            "node_name": text_at(address, "nodeName"),
                            "hostname": text_at(address, "hostname"),
                        }
                        host = text_at(address, "ip")
                        yield self._target(host, port, address, more, namespace_of(manifest))

    def _of_slice(self, manifest: Node) -> Iterator[dict[str, str]]:
        for endpoint in manifest.get("endpoints") or ():
            conditions = texts_at(endpoint, "conditions")
            more = {f"endpoint_conditions_{name}": value for name, value in conditions.items()}
            more["endpoint_hostname"] = text_at(endpoint, "hostname")
            more["endpoint_node_name"] = text_at(endpoint, "nodeName")
            more["endpoint_zone"] = text_at(endpoint, "zone")
            for port in manifest.get("ports") or ():
                for address in endpoint.get("addresses") or ():
                    yield self._target(address.text(), port, endpoint, more, namespace_of(manifest))

    def _target(self, host: str, port: Node, endpoint: Node, more: dict[str, str], namespace: str) -> dict[str, str]:
        number = text_at(port, "port")
        kind, name = text_at(endpoint, "targetRef", "kind"), text_at(endpoint, "targetRef", "name")
        labels = self._labels(host, number, text_at(port, "name"), text_at(port, "protocol"), kind, name)
        labels.update({self._prefix + key: value for key, value in more.items()})
        if kind == "Pod":
            for pod in self._pods:
                if (namespace_of(pod), name_of(pod)) == (namespace, name):
                    labels.update(_of_pod(pod, host, number))
        return labels

    def _labels(self, host: str, number: str, port: str, protocol: str, kind: str, name: str) -> dict[str, str]:
        labels = {
            "__address__": join(host, number) if number else host,
            f"{self._prefix}port_name": port,
            f"{self._prefix}port_protocol": protocol or "TCP",
            f"{self._prefix}address_target_kind": kind,
            f"{self._prefix}address_target_name": name,
        }
        if self._role == "endpointslice":
            labels[f"{self._prefix}port"] = number
        return labels

    def _derived(self, service: Node) -> Iterator[dict[str, str]]:
        selector = texts_at(service, "spec", "selector")
        if not selector:
            return
        for manifest in self._pods:
            pod = pod_of(manifest) or manifest
            if namespace_of(manifest) != namespace_of(service):
                continue
            if not selector.items() <= texts_at(pod, "metadata", "labels").items():
                continue
            host = text_at(manifest, "status", "podIP") or UNKNOWN_ADDRESS
            for port in service.at("spec", "ports") or ():
                number = _number(pod, text_at(port, "targetPort") or text_at(port, "port"))
                if number:
                    name, protocol = text_at(port, "name"), text_at(port, "protocol")
                    labels = self._labels(host, number, name, protocol, "Pod", name_of(manifest))
                    yield labels | _of_pod(manifest, host, number)


def _of_pod(manifest: Node, host: str, number: str) -> dict[str, str]:
    """Labels of a pod, and those of its container that listens on this port."""
    pod = pod_of(manifest) or manifest
    labels = pod_labels(manifest)
    for container in pod.at("spec", "containers") or ():
        for port in container.get("ports") or ():
            if text_at(port, "containerPort") == number:
                labels.update(container_port(host, port))
                labels.pop("__address__")
                labels[f"{META}pod_container_name"] = text_at(container, "name")
                labels[f"{META}pod_container_image"] = text_at(container, "image")
                return labels
    return labels


def _number(pod: Node, target: str) -> str:
    """Return the number of a target port; a name is looked up among the ports of the pod."""
    if target.isdecimal():
        return target
    for container in pod.at("spec", "containers") or ():
        for port in container.get("ports") or ():
            if text_at(port, "name") == target:
                return text_at(port, "containerPort")
    return ""
