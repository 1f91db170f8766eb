"""The labels that Kubernetes discovery gives a target before relabelling: ``__meta_kubernetes_*`` and ``__address__``."""

from __future__ import annotations

import re
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.kubernetes.objects import name_of, namespace_of, text_at, texts_at
from necropsy.probes.session_risk import UNKNOWN_ADDRESS
from necropsy.probes.syntax.node import Node

META: Final = "__meta_kubernetes_"
UNSAFE: Final = re.compile(r"[^a-zA-Z0-9_]")
"""Characters that a label name may not have; replaced by an underscore."""
_CONTROLLERS: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job")


def described(manifest: Node, role: str) -> dict[str, str]:
    """Labels that every role has: namespace, name, and the object's own labels and annotations."""
    labels = {f"{META}{role}_name": name_of(manifest)}
    if role != "node":
        labels[f"{META}namespace"] = namespace_of(manifest)
    for kind, path in (("label", "labels"), ("annotation", "annotations")):
        for name, value in texts_at(manifest, "metadata", path).items():
            safe = UNSAFE.sub("_", name)
            labels[f"{META}{role}_{kind}_{safe}"] = value
            labels[f"{META}{role}_{kind}present_{safe}"] = "true"
    return labels


def origin_of(manifest: Node, role: str) -> tuple[Origin, ...]:
    """Return the line that names an object."""
    line = manifest.at("metadata", "name") or manifest
    return (line.origin(f"{role} {name_of(manifest)}"),)


def pod_of(manifest: Node) -> Node | None:
    """Return the pod that a manifest is, or the template of those that it makes."""
    kind = text_at(manifest, "kind")
    return manifest if kind == "Pod" else manifest.at("spec", "template") if kind in _CONTROLLERS else None


def pod_labels(manifest: Node) -> dict[str, str]:
    """Return the labels of a pod, or of the pods that a controller makes."""
    pod, kind = pod_of(manifest) or manifest, text_at(manifest, "kind")
    labels = described(pod, "pod")
    labels[f"{META}namespace"] = namespace_of(manifest)
    labels[f"{META}pod_name"] = name_of(manifest)
    labels[f"{META}pod_ip"] = text_at(manifest, "status", "podIP") or UNKNOWN_ADDRESS
    labels[f"{META}pod_node_name"] = text_at(pod, "spec", "nodeName")
    labels[f"{META}pod_phase"] = text_at(manifest, "status", "phase")
    if kind != "Pod":
        labels[f"{META}pod_controller_kind"] = "ReplicaSet" if kind == "Deployment" else kind
        labels[f"{META}pod_controller_name"] = name_of(manifest)
    return labels


def container_port(host: str, port: Node) -> dict[str, str]:
    """Return the labels of one port of a container."""
    return {
        "__address__": join(host, text_at(port, "containerPort")),
        f"{META}pod_container_port_name": text_at(port, "name"),
        f"{META}pod_container_port_number": text_at(port, "containerPort"),
        f"{META}pod_container_port_protocol": text_at(port, "protocol") or "TCP",
    }


def join(host: str, port: str) -> str:
    """Join as Go's ``net.JoinHostPort`` does."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
