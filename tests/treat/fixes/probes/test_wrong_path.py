"""The path of a prober is exchanged where somebody wrote it: in every format that a prober has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from necropsy.autopsy.linting import lint
from necropsy.model.evidence import Origin
from necropsy.model.finding import Exhibit, Finding
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.simulate import simulate
from necropsy.treat.fixes.attach import attach_fixes
from treat.configurations import added, effect, linted, removed, said

KUBERNETES = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
      - name: web
        livenessProbe:
          httpGet:
            path: /login   # what a person sees first
            port: 8080
        readinessProbe:
          httpGet: {path: /health, port: 8080}
"""
COMPOSE = """
services:
  web:
    image: shop
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:8080/login"]   # why not
      interval: 10s
  other:
    image: shop
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:8080/health"]
"""
HAPROXY = """
backend shop
    option httpchk GET /login
    server a 10.0.0.1:8080 check inter 2s   # the old one
backend rest
    option httpchk GET /health
    server b 10.0.0.1:8080 check inter 2s
"""
TERRAFORM = """
resource "aws_lb_target_group" "shop" {
  port = 8080
  health_check {
    path     = "/login" # a page
    interval = 10
  }
}
resource "aws_lb_target_group" "rest" {
  port = 8080
  health_check {
    path     = "/health"
    interval = 10
  }
}
"""
CLOUDFORMATION = """
Resources:
  Shop:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      Port: 8080
      HealthCheckPath: /login  # a page
      HealthCheckIntervalSeconds: 10
  Rest:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      Port: 8080
      HealthCheckPath: /health
      HealthCheckIntervalSeconds: 10
"""
GATUS = """
endpoints:
  - name: shop
    url: "http://10.0.0.1:8080/login"   # a page
    interval: 10s
    conditions: ["[STATUS] == 200"]
  - name: rest
    url: "http://10.0.0.1:8080/health"
    interval: 10s
    conditions: ["[STATUS] == 200"]
"""
KUMA = """{"version": "1.23.0", "monitorList": [
  {"id": 1, "name": "shop", "type": "http", "url": "http://10.0.0.1:8080/login", "interval": 20, "method": "GET", "active": true},
  {"id": 2, "name": "rest", "type": "http", "url": "http://10.0.0.1:8080/health", "interval": 20, "method": "GET", "active": true}
]}
"""
FILES = {
    "deployment.yaml": KUBERNETES,
    "docker-compose.yml": COMPOSE,
    "haproxy.cfg": HAPROXY,
    "main.tf": TERRAFORM,
    "template.yaml": CLOUDFORMATION,
    "gatus.yaml": GATUS,
    "kuma.json": KUMA,
}


@pytest.mark.parametrize("name", FILES)
def test_one_line_is_exchanged_and_its_comment_stays(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    findings = [one for one in lint([str(tmp_path)]).report.findings if one.slug == "probes/wrong-path"]
    patches = [patch for one in findings if one.remedy for patch in one.remedy.patches]
    assert len(patches) == 1, [one.title for one in lint([str(tmp_path)]).report.findings]
    (patch,) = patches
    lines = [line for line in patch.diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert len(lines) == 2
    old, new = lines
    assert old[1:].replace("/login", "/health") == new[1:]
    assert patch.effect.endswith("requests /health instead")


def test_without_a_health_endpoint_that_is_known_nothing_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "haproxy.cfg").write_text(HAPROXY.partition("backend rest")[0], encoding="utf-8")
    findings = [one for one in lint([str(tmp_path)]).report.findings if one.slug == "probes/wrong-path"]
    assert [patch for one in findings if one.remedy for patch in one.remedy.patches] == []


WITHOUT = {
    "haproxy.cfg": (
        HAPROXY.replace("option httpchk GET /login", "option httpchk   # as ever"),
        "option httpchk /health   # as ever",
    ),
    "main.tf": (TERRAFORM.replace('    path     = "/login" # a page\n', ""), 'path = "/health"'),
    "template.yaml": (
        CLOUDFORMATION.replace("      HealthCheckPath: /login  # a page\n", ""),
        "HealthCheckPath: /health",
    ),
    "groups.tf": (
        """
resource "aws_alb_target_group" "shop" { # with the default check
  port     = 8080
  protocol = "HTTP"
}
resource "aws_lb_target_group" "rest" {
  port = 8080
  health_check { path = "/health" }
}
""",
        'path = "/health"',
    ),
    "flow.yaml": (
        CLOUDFORMATION.replace(
            """    Properties:
      Port: 8080
      HealthCheckPath: /login  # a page
      HealthCheckIntervalSeconds: 10
""",
            "    Properties: {Port: 8080}   # with the default check\n",
        ),
        "Properties: {HealthCheckPath: /health, Port: 8080}   # with the default check",
    ),
    "template.json": (
        """{"Resources": {
  "Shop": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "Properties": {"Port": 8080}},
  "Fun": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {"TargetType": "lambda"}},
  "Rest": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {
    "Port": 8080, "HealthCheckPath": "/health"}}
}}
""",
        '"Properties": {"HealthCheckPath": "/health", "Port": 8080}},',
    ),
    "nginx.conf": (
        """http {
    upstream shop { zone shop 64k; server 10.0.0.1:8080; }
    upstream rest { zone rest 64k; server 10.0.0.1:8081; }
    server {
        location / { proxy_pass http://shop; health_check interval=5; }
        location /rest { proxy_pass http://rest; health_check interval=5 uri=/health; }
    }
}
""",
        "location / { proxy_pass http://shop; health_check uri=/health interval=5; }",
    ),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_where_nobody_wrote_a_path_it_is_written(name: str, tmp_path: Path) -> None:
    text, line = WITHOUT[name]
    (finding,) = linted(tmp_path, **{name.replace(".", "__"): text}).values()
    assert finding.slug == "probes/wrong-path"
    assert line in added(finding)
    assert effect(finding) == "1 probe requests /health instead"


PODS = """
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
      - name: shop
        readinessProbe:
          httpGet:
            port: 8080
        livenessProbe: {httpGet: {path: /health, port: 8080}}
"""


@pytest.mark.parametrize(
    ("text", "origin", "written"),
    [
        (PODS, 11, "path: /health"),
        (
            PODS.replace(":\n          httpGet:\n            port: 8080", ": {httpGet: {port: 8080}}"),
            9,
            "readinessProbe: {httpGet: {path: /health, port: 8080}}",
        ),
        (
            """{"kind": "Pod", "metadata": {"name": "shop"}, "spec": {"containers": [{
  "name": "shop",
  "readinessProbe": {"httpGet": {"port": 8080}},
  "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}}
}]}}
""",
            3,
            '"readinessProbe": {"httpGet": {"path": "/health", "port": 8080}},',
        ),
        (
            """{"kind": "Pod", "metadata": {"name": "shop"}, "spec": {"containers": [{
  "name": "shop",
  "readinessProbe": {
    "httpGet": {
      "port": 8080
    }
  },
  "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}}
}]}}
""",
            4,
            '"path": "/health",',
        ),
    ],
)
def test_a_kubelet_that_is_told_no_path_is_told_one(text: str, origin: int, written: str) -> None:
    assert added(_accused(text, "kubernetes", origin)) == [written]


CONSUL = {
    "json": """{"services": [
  {"name": "shop", "port": 8080, "check": {"http": "http://10.0.0.1:8080/login", "interval": "10s"}},
  {"name": "rest", "port": 8080, "check": {"http": "http://10.0.0.2:8080/health", "interval": "10s"}}
]}
""",
    "hcl": """
service {
  name = "shop"
  port = 8080
  check {
    http     = "http://10.0.0.1:8080/login" # a page
    interval = "10s"
  }
}
service {
  name = "rest"
  port = 8080
  check {
    http     = "http://10.0.0.2:8080/health"
    interval = "10s"
  }
}
""",
}


@pytest.mark.parametrize(("syntax", "line"), [("json", 2), ("hcl", 6)])
def test_a_check_of_consul_that_asks_for_a_login_is_no_health_check(syntax: str, line: int) -> None:
    finding = _accused(CONSUL[syntax], "consul", line)
    (old,), (new,) = removed(finding), added(finding)
    assert old.replace("/login", "/health") == new
    assert finding.remedy is not None
    (stopped,) = finding.remedy.patches[0].stops
    assert stopped.endswith(" GET http://10.0.0.1:8080/login")


def test_an_instance_that_one_check_asks_for_its_health_needs_no_second_page() -> None:
    """Both checks are the same then: they are counted, not taken for one."""
    text = CONSUL["json"].replace(
        '"check": {"http": "http://10.0.0.1:8080/login", "interval": "10s"}}',
        '"checks": [{"http": "http://10.0.0.1:8080/login", "interval": "10s"},'
        ' {"http": "http://10.0.0.1:8080/health", "interval": "30s"}]}',
    )
    finding = _accused(text, "consul", 2)
    (old,), (new,) = removed(finding), added(finding)
    assert old.replace("/login", "/health") == new
    assert effect(finding) == "1 probe requests /health instead"


def _accused(text: str, kind: str, line: int) -> Finding:
    """Return the finding that this line's probe creates sessions, with what mends it."""
    files = (ConfigurationFile("given", text, kind),)
    exhibit = Exhibit("it asks for a page", origin=Origin("given", line, "it asks for a page"))
    accused = replace(said("probes/creates-sessions"), primary=exhibit, remedy=None)
    (finding,) = attach_fixes([accused], files, simulate(files), simulate)
    return finding


LABELLED = """
scrape_configs:
  - job_name: web
    metrics_path: /probe
    static_configs:
      - targets: [one]
        labels: {ask: "http://10.0.0.1:8080"}
      - targets: [two]
        labels: {ask: "http://10.0.0.2:8080/health"}
    relabel_configs:
      - {source_labels: [ask], target_label: __param_target}
      - {target_label: __address__, replacement: "blackbox:9115"}
"""


def test_a_url_in_a_label_is_patched_where_it_stands(tmp_path: Path) -> None:
    finding = linted(tmp_path, prometheus__yml=LABELLED)["probes/wrong-path"]
    assert finding.primary is not None
    assert str(finding.primary.origin).endswith("prometheus.yml:7")
    assert added(finding) == ['labels: {ask: "http://10.0.0.1:8080/health"}']
    assert effect(finding) == "1 probe requests /health instead"
