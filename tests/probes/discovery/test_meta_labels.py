from __future__ import annotations

import pytest

from necropsy.probes.discovery.meta_labels import is_documented, misspelt, owned

NOTE = "__meta_kubernetes_service_annotation_prometheus_io_"
LABEL = "__meta_kubernetes_pod_label_app_kubernetes_io_"


@pytest.mark.parametrize(
    ("absent", "seen", "read", "meant"),
    [
        ("__meta_consul_tag", ["__meta_consul_tags"], [], "__meta_consul_tags"),
        ("__adress__", ["__address__"], [], "__address__"),
        (f"{NOTE}metric_path", [f"{NOTE}path"], [], f"{NOTE}path"),
        (f"{NOTE}prot", [f"{NOTE}port"], [], None),  # four letters are too few to tell
        (f"{NOTE}probe_pth", [f"{NOTE}probe_path"], [], f"{NOTE}probe_path"),
        ("__meta_consul_service_metadata_helth", ["__meta_consul_service_metadata_health"], [], "__meta_consul_service_metadata_health"),
        # A label that another rule reads is not what this one was to be.
        (f"{NOTE}metric_path", [f"{NOTE}path"], [f"{NOTE}path"], None),
        (f"{NOTE}scheme", [f"{NOTE}scrape"], [], None),
        (f"{LABEL}instance", [f"{LABEL}name"], [], None),
        (f"{LABEL}component", [f"{LABEL}name"], [], None),
        ("__meta_kubernetes_service_label_app", [f"{LABEL}name"], [], None),
        # Documented: the evidence, or these targets, do not have it.
        ("__meta_kubernetes_pod_node_name", ["__meta_kubernetes_pod_name"], [], None),
        ("__meta_kubernetes_pod_phase", ["__meta_kubernetes_pod_name"], [], None),
        ("__meta_consul_partition", ["__meta_consul_service_port"], [], None),
    ],
)  # fmt: skip
def test_a_label_is_misspelt_if_somebody_wrote_one_like_it_that_nobody_reads(
    absent: str, seen: list[str], read: list[str], meant: str | None
) -> None:
    assert misspelt(absent, seen, read) == meant


@pytest.mark.parametrize("name", ["ready", "host_ip", "controller_kind", "container_port_name", "uid"])
def test_labels_of_the_documentation_are_known(name: str) -> None:
    assert is_documented(f"__meta_kubernetes_pod_{name}")
    assert owned(f"__meta_kubernetes_pod_{name}") is None
