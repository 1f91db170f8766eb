"""Discovery other than Consul's: files are in test_simulate; here saved HTTP answers, zones, Kubernetes and its operator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.discovery.dns_zone import records
from necropsy.probes.discovery.mechanisms import FINDERS
from necropsy.probes.kubernetes.discovery import discover, selected
from necropsy.probes.kubernetes.objects import manifests
from necropsy.probes.simulate import Simulation, simulate
from necropsy.probes.syntax.document import parse_yaml

BLACKBOX = ConfigurationFile("blackbox.yml", "modules: {http_2xx: {prober: http}}", "blackbox")


def prometheus(**job: Any) -> ConfigurationFile:
    return ConfigurationFile("prometheus.yml", json.dumps({"scrape_configs": [{"job_name": "a", **job}]}), "prometheus")


def urls(found: Simulation) -> list[str]:
    return [probe.url for probe in found.probes]


def labels(role: str, text: str, more: str = "") -> list[dict[str, str]]:
    """Labels of all targets that a role finds in manifests, empty ones left out."""
    settings = parse_yaml(f"{{role: {role}{more}}}", "prometheus.yml")
    groups = discover(settings, list(manifests(text, "all.yml"))) or []
    return [
        {name: value for name, value in {**group.labels, **dict(target)}.items() if value}  # type: ignore[arg-type]
        for group in groups
        for target in group.targets
    ]


# -- HTTP, DNS ------------------------------------------------------------------------------------------------------


def test_a_saved_answer_of_http_discovery_is_found_with_the_url_it_came_from() -> None:
    rule = {"source_labels": ["__meta_url"], "target_label": "from"}
    job = prometheus(http_sd_configs=[{"url": "http://cmdb/targets"}], relabel_configs=[rule])
    answer = ConfigurationFile("answer.json", '[{"targets": ["a:80"], "labels": {"x": "y"}}]', "http_sd")
    [probe] = simulate([job, answer]).probes
    assert (probe.url, dict(probe.labels)["from"], dict(probe.labels)["x"]) == (
        "http://a:80/metrics",
        "http://cmdb/targets",
        "y",
    )
    assert "answer.json:1" in [str(origin) for origin in probe.origin]


def test_an_answer_that_is_said_to_be_of_another_url_is_not_taken() -> None:
    job = prometheus(http_sd_configs=[{"url": "http://cmdb/targets"}])
    answer = ConfigurationFile("answer.json", '[{"targets": ["a:80"]}]', "http_sd", "http://other/")
    found = simulate([job, answer])
    assert found.probes == ()
    assert "http_sd are not known" in found.problems[0].reason


ZONE = """; <<>> DiG 9.18 <<>>
_web._tcp.example.com. 60 IN SRV 0 5 8080 Admin-1.example.com.
_web._tcp.example.com. 60 IN SRV 0 5 8081 admin-2.example.com.
admin.example.com IN A 10.0.0.1
admin.example.com. AAAA fd00::1
example.com. 60 MX 10 mail.example.com.
nonsense
"""


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"names": ["_web._tcp.example.com"]}, ["http://Admin-1.example.com:8080/metrics", "http://admin-2.example.com:8081/metrics"]),
        ({"names": ["Admin.example.com."], "type": "A", "port": 9100}, ["http://10.0.0.1:9100/metrics"]),
        ({"names": ["admin.example.com"], "type": "AAAA", "port": 1}, ["http://[fd00::1]:1/metrics"]),
        ({"names": ["example.com"], "type": "MX", "port": 25}, ["http://mail.example.com:25/metrics"]),
    ],
)  # fmt: skip
def test_names_are_looked_up_in_a_saved_answer_of_the_name_server(
    settings: dict[str, Any], expected: list[str]
) -> None:
    found = simulate([prometheus(dns_sd_configs=[settings]), ConfigurationFile("zone", ZONE, "dns_sd")])
    assert urls(found) == expected
    assert found.problems == ()


def test_a_record_says_its_line() -> None:
    assert [(name, kind, str(origin)) for name, kind, _, origin in records(ZONE, "zone")][2:] == [
        ("admin.example.com", "A", "zone:4"), ("admin.example.com", "AAAA", "zone:5"), ("example.com", "MX", "zone:6")
    ]  # fmt: skip


# -- Kubernetes -----------------------------------------------------------------------------------------------------

MANIFESTS = """
kind: Ingress
metadata: {name: admin, namespace: shop, labels: {app: admin, tier.x/y: web}, annotations: {a/b: c}}
spec:
  ingressClassName: nginx
  tls: [{hosts: ["*.example.com"]}]
  rules:
    - host: admin.example.com
      http: {paths: [{path: /login}, {}]}
    - host: plain.example.org
---
kind: Service
metadata: {name: admin}
spec: {clusterIP: 10.9.0.1, ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]}
---
kind: Deployment
metadata: {name: admin, labels: {outer: x}}
spec: {template: {metadata: {labels: {app: admin}}, spec: {containers: [
  {name: web, image: i, ports: [{name: http, containerPort: 8080}]}, {name: side}]}}}
---
kind: Pod
metadata: {name: admin-1}
spec: {nodeName: n1, containers: [{name: web, ports: [{containerPort: 8080}]}]}
status: {podIP: 10.8.0.1}
---
kind: Endpoints
metadata: {name: admin}
subsets: [{addresses: [{ip: 10.8.0.1, nodeName: n1, targetRef: {kind: Pod, name: admin-1}}],
           notReadyAddresses: [{ip: 10.8.0.2}], ports: [{name: http, port: 8080}]}]
---
kind: Node
metadata: {name: n1}
spec: {providerID: aws:///i-1}
status: {addresses: [{type: Hostname, address: n1.local}, {type: InternalIP, address: 10.7.0.1}]}
"""


def test_an_ingress_is_found_by_host_and_path_with_the_scheme_of_its_tls() -> None:
    found = labels("ingress", MANIFESTS)
    assert [
        (f["__address__"], f["__meta_kubernetes_ingress_scheme"], f["__meta_kubernetes_ingress_path"]) for f in found
    ] == [
        ("admin.example.com", "https", "/login"),
        ("admin.example.com", "https", "/"),
        ("plain.example.org", "http", "/"),
    ]
    assert found[0]["__meta_kubernetes_ingress_label_tier_x_y"] == "web"
    assert found[0]["__meta_kubernetes_ingress_annotationpresent_a_b"] == "true"
    assert (found[0]["__meta_kubernetes_namespace"], found[0]["__meta_kubernetes_ingress_class_name"]) == (
        "shop",
        "nginx",
    )


def test_a_service_is_found_once_for_each_port() -> None:
    assert [(f["__address__"], f["__meta_kubernetes_service_port_protocol"]) for f in labels("service", MANIFESTS)] == [
        ("admin.default.svc:80", "TCP"),
        ("admin.default.svc:53", "UDP"),
    ]


def test_pods_are_found_by_their_address_or_with_the_placeholder() -> None:
    found = labels("pod", MANIFESTS)
    assert [
        (f["__address__"], f["__meta_kubernetes_pod_name"], f["__meta_kubernetes_pod_container_name"]) for f in found
    ] == [
        ("<address>:8080", "admin", "web"),
        ("<address>", "admin", "side"),
        ("10.8.0.1:8080", "admin-1", "web"),
    ]
    assert found[0]["__meta_kubernetes_pod_label_app"] == "admin"
    assert found[0]["__meta_kubernetes_pod_controller_kind"] == "ReplicaSet"


def test_endpoints_and_nodes_are_found() -> None:
    assert [(f["__address__"], f["__meta_kubernetes_endpoint_ready"]) for f in labels("endpoints", MANIFESTS)] == [
        ("10.8.0.1:8080", "true"),
        ("10.8.0.2:8080", "false"),
    ]
    [node] = labels("node", MANIFESTS)
    assert (node["__address__"], node["instance"]) == ("10.7.0.1:10250", "n1")
    assert node["__meta_kubernetes_node_address_Hostname"] == "n1.local"


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ("", 3),
        (", namespaces: {names: [shop]}", 3),
        (", namespaces: {names: [other]}", 0),
        (", selectors: [{role: ingress, label: app=admin}]", 3),
        (", selectors: [{role: ingress, label: app!=admin}]", 0),
        (", selectors: [{role: pod, label: app=none}]", 3),
    ],
)
def test_namespaces_and_selectors_limit_what_is_found(more: str, count: int) -> None:
    assert len(labels("ingress", MANIFESTS, more)) == count


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier!=db", True),
        ("tier", False),
        ("!tier", True),
        ("!app", False),
        ("app in (web, db)", True),
        ("app notin (web, db)", False),
        ("app in (db),app=web", False),
        ("a b", False),
    ],
)
def test_selectors_are_those_of_kubernetes(selector: str, matches: bool) -> None:
    assert selected(selector, {"app": "web"}) is matches


def test_a_role_that_nobody_knows_is_a_problem() -> None:
    job = prometheus(kubernetes_sd_configs=[{"role": "endpointslice"}])
    found = simulate([job, ConfigurationFile("all.yml", MANIFESTS, "kubernetes")])
    assert "kubernetes_sd are not known" in found.problems[0].reason


# -- prometheus-operator --------------------------------------------------------------------------------------------

OPERATOR = """
kind: Probe
metadata: {name: sites, namespace: shop}
spec:
  prober: {url: "blackbox:9115"}
  module: http_2xx
  interval: 10s
  targets:
    staticConfig:
      static: [admin.example.com, "http://b/health"]
      labels: {team: x}
---
kind: Probe
metadata: {name: gates, namespace: shop}
spec:
  prober: {url: "blackbox:9115"}
  targets:
    ingress: {selector: {matchLabels: {app: admin}}}
"""


def test_a_probe_of_the_operator_asks_its_static_targets() -> None:
    found = simulate([ConfigurationFile("probes.yml", OPERATOR.split("---", maxsplit=1)[0], "kubernetes"), BLACKBOX])
    assert [(p.prober, p.url, p.period_s) for p in found.probes] == [
        ("prometheus/probe/shop/sites", "http://admin.example.com/", 10.0),
        ("prometheus/probe/shop/sites", "http://b/health", 10.0),
    ]
    assert str(found.probes[0].origin[0]) == "probes.yml:10"
    assert dict(found.probes[0].labels)["team"] == "x"
    assert dict(found.probes[0].labels)["instance"] == "admin.example.com"


def test_a_probe_of_the_operator_asks_the_root_of_an_ingress_rule_without_a_path() -> None:
    files = [
        ConfigurationFile("probes.yml", OPERATOR, "kubernetes"),
        ConfigurationFile("all.yml", MANIFESTS, "kubernetes"),
        BLACKBOX,
    ]
    gates = [p for p in simulate(files).probes if p.prober == "prometheus/probe/shop/gates"]
    assert [(p.url, p.period_s, p.service) for p in gates] == [
        ("https://admin.example.com/login", 30.0, "admin"),
        ("https://admin.example.com/", 30.0, "admin"),
        ("http://plain.example.org/", 30.0, "admin"),
    ]


def test_every_kind_of_discovery_that_is_simulated_is_listed_once() -> None:
    assert [kind for kind, _ in FINDERS] == ["consul", "file", "http", "dns", "kubernetes"]
