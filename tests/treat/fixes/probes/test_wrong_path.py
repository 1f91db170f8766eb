"""The path of a prober is exchanged where somebody wrote it: in every format that a prober has."""

from __future__ import annotations

from pathlib import Path

import pytest

from necropsy.autopsy.linting import lint

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
