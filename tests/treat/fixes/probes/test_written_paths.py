"""A path that somebody wrote by hand, in a target of the blackbox exporter and in an annotation of an Ingress."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from necropsy.model.evidence import Origin
from necropsy.model.finding import Exhibit
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.simulate import simulate
from necropsy.treat.fixes.attach import attach_fixes
from treat.configurations import RELABEL, added, effect, linted, removed, said

TARGETS = f"""
scrape_configs:
  - job_name: web
    metrics_path: /probe
    scrape_interval: 10s
    static_configs:
    - targets:
      - http://10.0.0.1:8080/health   # as it should be
      - http://10.0.0.2:8080/
      - 'http://10.0.0.3:8080'
{RELABEL}"""

INGRESS = """
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/healthcheck-path: /        # whatever
    alb.ingress.kubernetes.io/healthcheck-interval-seconds: '5'
spec:
  ingressClassName: alb
  rules:
  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: admin, port: {number: 8080}}}}]}
---
kind: Deployment
metadata: {name: admin}
spec:
  template:
    spec:
      containers:
      - name: admin
        ports: [{containerPort: 8080}]
        livenessProbe: {httpGet: {path: /health, port: 8080}}
"""


def test_targets_of_the_blackbox_exporter_ask_for_what_their_neighbours_are_asked_for(tmp_path: Path) -> None:
    finding = linted(tmp_path, prometheus__yml=TARGETS)["probes/wrong-path"]
    assert removed(finding) == ["- http://10.0.0.2:8080/", "- 'http://10.0.0.3:8080'"]
    assert added(finding) == ["- http://10.0.0.2:8080/health", "- 'http://10.0.0.3:8080/health'"]
    assert effect(finding) == "2 probes request /health instead"
    assert finding.remedy is not None
    assert finding.remedy.title == "Point the probes at /health"
    assert finding.remedy.patches[0].stops == (
        "prometheus/web GET http://10.0.0.2:8080/",
        "prometheus/web GET http://10.0.0.3:8080/",
    )


def test_no_target_is_patched_where_nobody_says_what_a_health_endpoint_is_called(tmp_path: Path) -> None:
    finding = linted(tmp_path, prometheus__yml=TARGETS.replace("/health ", "/ "))["probes/wrong-path"]
    assert finding.remedy is None or not finding.remedy.patches


def test_the_annotation_of_an_ingress_names_the_endpoint_that_the_kubelet_asks(tmp_path: Path) -> None:
    finding = linted(tmp_path, shop__yaml=INGRESS)["probes/wrong-path"]
    assert finding.title.startswith("elb/ingress/shop/admin requests")
    assert removed(finding) == ["alb.ingress.kubernetes.io/healthcheck-path: /        # whatever"]
    assert added(finding) == ["alb.ingress.kubernetes.io/healthcheck-path: /health        # whatever"]
    assert effect(finding) == "1 probe requests /health instead"


def test_an_ingress_of_another_controller_asks_nothing(tmp_path: Path) -> None:
    other = INGRESS.replace("alb.ingress.kubernetes.io", "nginx.ingress.kubernetes.io").replace(
        "Name: alb", "Name: nginx"
    )
    assert "probes/wrong-path" not in linted(tmp_path, shop__yaml=other)


def test_a_kubelet_that_creates_sessions_is_given_the_path_of_its_other_check() -> None:
    pods = """
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: shop
        readinessProbe: {httpGet: {path: /, port: 8080}}
        livenessProbe: {httpGet: {path: /actuator/health, port: 8080}}
"""
    files = (ConfigurationFile("shop.yaml", pods, "kubernetes"),)
    line = Exhibit("readiness probe asks /", origin=Origin("shop.yaml", 10, "readiness probe asks /"))
    accused = replace(said("probes/creates-sessions"), primary=line, remedy=None)
    (finding,) = attach_fixes([accused], files, simulate(files), simulate)
    assert added(finding) == ["readinessProbe: {httpGet: {path: /actuator/health, port: 8080}}"]
    assert effect(finding) == "3 probes request /actuator/health instead"
