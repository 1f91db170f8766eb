"""ServiceMonitor and PodMonitor as prometheus-operator turns them into scrape jobs, and the endpoints that they find."""

from __future__ import annotations

import json

import pytest

from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.kubernetes.discovery import discover
from necropsy.probes.kubernetes.objects import manifests
from necropsy.probes.kubernetes.operator import operated
from necropsy.probes.simulate import Simulation, simulate
from necropsy.probes.syntax.document import parse_yaml

APPLICATION = """
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web, tier/x: front}}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: app}, {name: admin, port: 81, targetPort: 8081}]
---
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web, team: a}}
    spec:
      containers:
        - {name: java, image: web, ports: [{name: app, containerPort: 8080}, {name: other, containerPort: 8081}]}
"""
MONITOR = """
kind: ServiceMonitor
metadata: {name: web, namespace: shop}
spec:
  selector:
    matchLabels: {app: web}
    matchExpressions: [{key: tier/x, operator: In, values: [front, back]}]
  jobLabel: app
  podTargetLabels: [team]
  endpoints:
    - port: http
      path: /actuator/prometheus
      interval: 15s
      scheme: HTTPS
      params: {format: [text]}
      relabelings:
        - {sourceLabels: [__meta_kubernetes_pod_container_name], targetLabel: seen, action: Replace}
"""
POD_MONITOR = """
kind: PodMonitor
metadata: {name: web, namespace: monitoring}
spec:
  selector: {matchLabels: {team: a}}
  namespaceSelector: {matchNames: [shop]}
  podMetricsEndpoints: [{port: app}, {targetPort: 8081, path: /health, filterRunning: false}]
"""


def simulated(*texts: str, version: str | None = None) -> Simulation:
    file = ConfigurationFile("all.yml", "\n---\n".join(texts), "kubernetes")
    return simulate([file], prometheus_version=version)


def test_a_service_monitor_scrapes_the_pods_of_the_services_that_it_selects() -> None:
    [probe] = [probe for probe in simulated(APPLICATION, MONITOR).probes if probe.kind == "scrape"]
    assert probe.url == "https://<address>:8080/actuator/prometheus?format=text"
    assert (probe.prober, probe.period_s) == ("prometheus/serviceMonitor/shop/web/0", 15.0)
    labels = dict(probe.labels)
    assert {name: labels[name] for name in ("job", "namespace", "service", "pod", "container", "endpoint", "team", "seen")} == {
        "job": "web", "namespace": "shop", "service": "web", "pod": "web", "container": "java", "endpoint": "http",
        "team": "a", "seen": "java",
    }  # fmt: skip
    assert all(origin.file == "all.yml" and origin.line for origin in probe.origin)


def test_a_pod_monitor_scrapes_the_ports_of_the_pods_that_it_selects() -> None:
    probes = [probe for probe in simulated(APPLICATION, POD_MONITOR).probes if probe.kind == "scrape"]
    assert [(probe.url, dict(probe.labels)["job"], dict(probe.labels)["endpoint"]) for probe in probes] == [
        ("http://<address>:8080/metrics", "monitoring/web", "app"),
        ("http://<address>:8081/health", "monitoring/web", "8081"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ("matchLabels: {app: web}", "matchLabels: {app: other}", 0),
        ("matchLabels: {app: web}", 'matchLabels: {app: "w.*"}', 1),  # the operator does not quote it
        ("operator: In", "operator: NotIn", 0),
        ("operator: In", "operator: Exists", 1),
        ("operator: In", "operator: DoesNotExist", 0),
        ("port: http\n", "port: admin\n", 1),
        ("port: http\n", "targetPort: app\n", 1),
        ("port: http\n", "targetPort: 8081\n", 1),
        ("port: http\n", "port: nothing\n", 0),
        ("namespace: shop}", "namespace: other}", 0),
        ("namespace: shop}\nspec:", "namespace: other}\nspec:\n  namespaceSelector: {any: true}", 1),
        ("namespace: shop}\nspec:", "namespace: other}\nspec:\n  namespaceSelector: {matchNames: [shop]}", 1),
    ],
)
def test_selectors_namespaces_and_ports_decide_what_is_scraped(old: str, new: str, count: int) -> None:
    assert old in MONITOR
    found = simulated(APPLICATION, MONITOR.replace(old, new, 1))
    assert len([probe for probe in found.probes if probe.kind == "scrape"]) == count


def test_the_interval_is_that_of_the_prometheus_object_or_thirty_seconds() -> None:
    plain = MONITOR.replace("      interval: 15s\n", "")
    server = "kind: Prometheus\nmetadata: {name: p}\nspec: {scrapeInterval: 20s}"
    assert [probe.period_s for probe in simulated(APPLICATION, plain).probes] == [30.0]
    assert [probe.period_s for probe in simulated(APPLICATION, plain, server).probes] == [20.0]


def test_one_monitor_that_prometheus_refuses_leaves_the_others() -> None:
    broken = MONITOR.replace("name: web, namespace", "name: broken, namespace").replace(
        "interval: 15s", "interval: often"
    )
    found = simulated(APPLICATION, broken, MONITOR)
    assert len(found.probes) == 1
    [problem] = found.problems
    assert (problem.file, "often" in problem.reason) == ("all.yml", True)
    assert problem.line > 20


def test_a_probe_sets_its_address_before_its_own_relabelings_as_the_operator_does() -> None:
    probe = """
kind: Probe
metadata: {name: a, namespace: shop}
spec:
  prober: {url: "blackbox:9115"}
  jobName: up
  targets:
    staticConfig:
      static: [admin.example.com]
      relabelingConfigs: [{sourceLabels: [__address__], targetLabel: asked, action: replace}]
"""
    [found] = simulated(probe).probes
    labels = dict(found.labels)
    assert (found.url, labels["asked"], labels["job"], labels["namespace"], labels["instance"]) == (
        "http://admin.example.com/", "blackbox:9115", "up", "shop", "admin.example.com",
    )  # fmt: skip


# -- endpoints ------------------------------------------------------------------------------------------------------

ENDPOINTS = """
kind: Endpoints
metadata: {name: web, namespace: shop}
subsets:
  - addresses: [{ip: 10.1.0.1, nodeName: n1, targetRef: {kind: Pod, name: web-1}}]
    ports: [{name: http, port: 8080}]
"""
SLICE = """
kind: EndpointSlice
metadata: {name: web-x7, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv6
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints: [{addresses: ["fd00::1"], conditions: {ready: true}, targetRef: {kind: Pod, name: web-1}}]
"""
POD = """
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
spec: {containers: [{name: java, image: web, ports: [{name: app, containerPort: 8080}]}]}
status: {podIP: 10.1.0.1, phase: Running}
"""


def labels(role: str, *texts: str) -> list[dict[str, str]]:
    settings = parse_yaml(f"role: {role}", "prometheus.yml")
    groups = discover(settings, list(manifests("\n---\n".join(texts), "all.yml"))) or []
    return [{**group.labels, **dict(target)} for group in groups for target in group.targets]  # type: ignore[arg-type]


def test_endpoints_carry_the_labels_of_their_service_and_their_pod() -> None:
    service = APPLICATION.partition("---")[0]
    [found] = labels("endpoints", ENDPOINTS, service, POD)
    assert found["__address__"] == "10.1.0.1:8080"
    for name, value in {
        "endpoint_port_name": "http", "endpoint_ready": "true", "endpoints_name": "web", "service_name": "web",
        "service_label_app": "web", "service_labelpresent_tier_x": "true", "pod_name": "web-1", "pod_label_app": "web",
        "pod_container_name": "java", "pod_container_port_name": "app", "pod_phase": "Running", "namespace": "shop",
    }.items():  # fmt: skip
        assert found[f"__meta_kubernetes_{name}"] == value


def test_a_slice_carries_the_labels_of_the_service_that_it_names() -> None:
    service = APPLICATION.partition("---")[0]
    [found] = labels("endpointslice", SLICE, service, POD)
    assert found["__address__"] == "[fd00::1]:8080"
    for name, value in {
        "endpointslice_name": "web-x7", "endpointslice_port_name": "http", "endpointslice_port": "8080",
        "endpointslice_address_type": "IPv6", "endpointslice_endpoint_conditions_ready": "true",
        "endpointslice_address_target_name": "web-1", "service_name": "web", "service_label_app": "web",
        "pod_container_port_name": "app",
    }.items():  # fmt: skip
        assert found[f"__meta_kubernetes_{name}"] == value


@pytest.mark.parametrize("role", ["endpoints", "endpointslice"])
def test_endpoints_that_only_the_cluster_has_are_derived_from_service_and_template(role: str) -> None:
    found = labels(role, APPLICATION)
    assert [target["__address__"] for target in found] == ["<address>:8080", "<address>:8081"]
    assert labels(role, APPLICATION.replace("selector: {app: web}", "selector: {app: other}")) == []


def test_a_bomb_of_aliases_among_manifests_is_refused_and_said() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)
    )
    found = simulate(
        [ConfigurationFile("bomb.yml", f"kind: Pod\n{bomb}\n", "kubernetes"),
         ConfigurationFile("all.yml", "\n---\n".join((APPLICATION, MONITOR)), "kubernetes")]
    )  # fmt: skip
    assert len(found.probes) == 1


def test_files_of_scrape_configurations_that_name_each_other_are_said() -> None:
    pairs = (("a.yml", "b.yml"), ("b.yml", "a.yml"))
    texts = [(name, json.dumps({"scrape_config_files": [other], "scrape_configs": []})) for name, other in pairs]
    found = simulate([ConfigurationFile(name, text, "prometheus") for name, text in texts])
    assert found.probes == ()
    assert "include each other" in found.problems[0].reason


def test_every_generated_job_is_one_that_prometheus_loads() -> None:
    found = list(manifests("\n---\n".join((APPLICATION, MONITOR, POD_MONITOR)), "all.yml"))
    for version in ("2.24", "2.42", "3.0", "3.12"):
        problems: list[Exception] = []
        assert len(operated(found, version, problems)) == 3  # type: ignore[arg-type]
        assert problems == []
