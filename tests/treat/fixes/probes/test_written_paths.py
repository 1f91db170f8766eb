"""A path that somebody wrote by hand, in a target of the blackbox exporter and in an annotation of an Ingress."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

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


OTHERS = """
  - job_name: others
    metrics_path: /probe
    static_configs: [{targets: ['http://10.0.0.8:8080/health', 'http://10.0.0.8:9090/ready']}]
""" + RELABEL.lstrip("\n")
BARE = f"""
scrape_configs:
  - job_name: web
    metrics_path: /probe
    static_configs:
    - targets: ['10.0.0.1:8080', "10.0.0.1:80801"]
{RELABEL}{OTHERS}"""
AT_8080 = BARE.replace("10.0.0.1:80801", "10.0.0.2:8080")


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (AT_8080, [], ["replacement: $1/health"]),
        (
            AT_8080.replace("param_target\n", "param_target\n      replacement: 'http://${1}/'   # page\n", 1),
            ["replacement: 'http://${1}/'   # page"],
            ["replacement: 'http://${1}/health'   # page"],
        ),
        (
            BARE.replace("10.0.0.1:80801", "10.0.0.1:9090"),
            ["""- targets: ['10.0.0.1:8080', "10.0.0.1:9090"]"""],
            ["""- targets: ['10.0.0.1:8080/health', "10.0.0.1:9090/ready"]"""],
        ),
        (
            BARE.replace("10.0.0.1:80801", "10.0.0.2:8080/health"),
            ["""- targets: ['10.0.0.1:8080', "10.0.0.2:8080/health"]"""],
            ["""- targets: ['10.0.0.1:8080/health', "10.0.0.2:8080/health"]"""],
        ),
    ],
    ids=["a rule without replacement", "a rule with one", "two ports", "a neighbour on the same line"],
)
def test_addresses_without_a_path_get_one_by_the_rule_where_all_have_the_same(
    text: str, old: list[str], new: list[str], tmp_path: Path
) -> None:
    finding = linted(tmp_path, prometheus__yml=text)["probes/wrong-path"]
    assert removed(finding) == old
    assert added(finding) == new


def test_a_target_that_stands_among_the_parameters_is_changed_there(tmp_path: Path) -> None:
    text = """
scrape_configs:
  - job_name: web
    metrics_path: /probe
    params:
      module: [http_2xx]
      target: ["http://10.0.0.1:8080/"]   # page
    static_configs: [{targets: ['blackbox:9115']}]
"""
    finding = linted(tmp_path, prometheus__yml=text + OTHERS)["probes/wrong-path"]
    assert removed(finding) == ['target: ["http://10.0.0.1:8080/"]   # page']
    assert added(finding) == ['target: ["http://10.0.0.1:8080/health"]   # page']


@pytest.mark.parametrize(
    ("annotations", "new"),
    [
        ("    alb.ingress.kubernetes.io/scheme: internal\n", "alb.ingress.kubernetes.io/healthcheck-path: /health"),
        (
            None,
            "annotations: {alb.ingress.kubernetes.io/healthcheck-path: /health, alb.ingress.kubernetes.io/scheme: internal}",
        ),
    ],
)
def test_an_ingress_whose_annotations_name_no_path_gets_one(annotations: str | None, new: str, tmp_path: Path) -> None:
    head, _, tail = INGRESS.partition("  annotations:\n")
    tail = tail[tail.index("spec:") :]
    written = (
        f"  annotations:\n{annotations}"
        if annotations
        else ("  annotations: {alb.ingress.kubernetes.io/scheme: internal}\n")
    )
    finding = linted(tmp_path, shop__yaml=head + written + tail)["probes/wrong-path"]
    assert added(finding) == [new]
    assert effect(finding) == "1 probe requests /health instead"


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
