"""Labels that discovery gives to targets: which names there are, who chose them, and whether one is another misspelt.

A label may be absent for three reasons. It is documented, and these targets, or the evidence, do not have it: manifests do
not say on which node a pod runs. Its owner did not write it: an annotation is there for those who want it. Or its name is
misspelt: then somebody wrote a name like it that no rule reads.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import SequenceMatcher, get_close_matches
from typing import Final

_KUBERNETES: Final = frozenset(
    f"__meta_kubernetes_{name}"
    for name in """
    namespace node_name node_provider_id service_cluster_ip service_loadbalancer_ip service_external_name service_name
    service_port_name service_port_number service_port_protocol service_type pod_name pod_ip pod_container_init
    pod_container_name pod_container_id pod_container_image pod_container_port_name pod_container_port_number
    pod_container_port_protocol pod_ready pod_phase pod_node_name pod_host_ip pod_uid pod_controller_kind
    pod_controller_name pod_deployment_name pod_cronjob_name pod_job_name endpoints_name endpoint_hostname
    endpoint_node_name endpoint_ready endpoint_port_name endpoint_port_protocol endpoint_address_target_kind
    endpoint_address_target_name endpointslice_name endpointslice_address_target_kind endpointslice_address_target_name
    endpointslice_address_type endpointslice_endpoint_conditions_ready endpointslice_endpoint_conditions_ready_present
    endpointslice_endpoint_conditions_serving endpointslice_endpoint_conditions_serving_present
    endpointslice_endpoint_conditions_terminating endpointslice_endpoint_conditions_terminating_present
    endpointslice_endpoint_hostname endpointslice_endpoint_node_name endpointslice_endpoint_zone endpointslice_port
    endpointslice_port_name endpointslice_port_protocol endpointslice_port_app_protocol ingress_name ingress_host
    ingress_class_name ingress_scheme ingress_path
    """.split()  # noqa: SIM905 -- seventy names are read more easily as text
)
_CONSUL: Final = frozenset(
    f"__meta_consul_{name}"
    for name in (
        "address", "dc", "health", "partition", "namespace", "node", "service", "service_address", "service_id",
        "service_port", "tags",
    )
)  # fmt: skip
_OTHERS: Final = frozenset(
    ("__meta_filepath", "__meta_url", "__meta_dns_name", "__meta_dns_srv_record_target", "__meta_dns_srv_record_port",
     "__meta_dns_mx_record_target", "__meta_dns_ns_record_target")
)  # fmt: skip
_DOCUMENTED: Final = _KUBERNETES | _CONSUL | _OTHERS
_FAMILIES: Final = ("__meta_kubernetes_node_address_", "__meta_kubernetes_endpointslice_endpoint_topology_",
                    "__meta_consul_tagged_address_")  # fmt: skip
"""Documented names that go on with a word of the platform."""
_OWNED: Final = re.compile(
    r"(__meta_(?:kubernetes_\w*?_(?:label|annotation)(?:present)?|consul_(?:service_)?metadata|consul_node_meta)_)(\w+)"
)
_DOMAIN: Final = re.compile(r".*_(?:io|com|org|net|dev|sh|cloud)_")
_LIKENESS: Final = 0.8


def is_documented(label: str) -> bool:
    """Whether some kind of discovery documents this very name.

    >>> is_documented("__meta_kubernetes_pod_phase"), is_documented("__meta_consul_tag")
    (True, False)
    """
    return label in _DOCUMENTED or label.startswith(_FAMILIES)


def owned(label: str) -> tuple[str, str] | None:
    """Split a label that whoever owns the target named: prefix and name; None for every other label.

    >>> owned("__meta_kubernetes_service_annotation_prometheus_io_path")
    ('__meta_kubernetes_service_annotation_', 'prometheus_io_path')
    """
    match = _OWNED.fullmatch(label)
    return (match[1], match[2]) if match else None


def is_of_manifests(label: str) -> bool:
    """Whether a label comes from Kubernetes: what manifests say of a cluster is never all."""
    return label.startswith("__meta_kubernetes_")


def misspelt(absent: str, seen: Iterable[str], read: Collection[str]) -> str | None:
    """Return the label that somebody meant; None if the absent one is not misspelt as far as can be told.

    Parameters
    ----------
    absent
        A label that none of the targets has.
    seen
        Those that they have.
    read
        Labels that the rules of the job read: one that is read is not what an absent one was to be.

    >>> misspelt("__meta_consul_tag", ["__meta_consul_tags", "__meta_consul_dc"], ())
    '__meta_consul_tags'
    """
    if is_documented(absent):
        return None
    mine = owned(absent)
    if mine is None:
        return next(iter(get_close_matches(absent, sorted(seen), n=1, cutoff=_LIKENESS)), None)
    candidates = [(label, other[1]) for label in sorted(seen) if (other := owned(label)) and other[0] == mine[0]]
    likely = [(_likeness(mine[1], name), label) for label, name in candidates if label not in read]
    best = max(likely, default=(0.0, ""))
    return best[1] if best[0] >= _LIKENESS else None


def _likeness(one: str, other: str) -> float:
    """Similarity of two names of one owner, from 0 to 1: the different parts count, not the domain that both begin with."""
    domain = _DOMAIN.match(one)
    shared = domain[0] if domain and other.startswith(domain[0]) else ""
    if not shared and (domain or _DOMAIN.match(other)):
        return 0.0
    left, right = one[len(shared) :], other[len(shared) :]
    words = {*left.split("_")}, {*right.split("_")}
    if words[0] < words[1] or words[1] < words[0]:  # metric_path for path
        return 1.0
    return SequenceMatcher(None, left, right).ratio()
