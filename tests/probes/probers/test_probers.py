"""Probers with a configuration of their own: each text becomes the requests that it makes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.model.probe import Probe
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.probers.command import CommandRequest, request_of
from necropsy.probes.probers.nginx_checks import nginx_probes
from necropsy.probes.probers.registry import BY_KIND, PROBERS
from necropsy.probes.simulate import simulate
from necropsy.probes.syntax.hcl import parse_hcl


def probes(kind: str, text: str, file: str = "file") -> list[Probe]:
    found = BY_KIND[kind].read(text, file)
    assert found.problems == []
    return found.probes


def short(probe: Probe) -> tuple[object, ...]:
    return probe.prober, probe.kind, probe.method, probe.url, probe.period_s, probe.creates_sessions


# -- Kubernetes -----------------------------------------------------------------------------------------------------

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: admin}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: web
          ports: [{name: http, containerPort: 8080}]
          livenessProbe:
            periodSeconds: 5
            httpGet:
              path: /
              port: http
              httpHeaders: [{name: Host, value: admin.example.com}]
          readinessProbe: {tcpSocket: {port: http}}
          startupProbe: {httpGet: {path: login, port: 8080, scheme: HTTPS}}
---
kind: List
items:
  - {kind: Pod, metadata: {name: one}, spec: {containers: [{name: c, livenessProbe: {exec: {command: [true]}}}]}}
  - {kind: CronJob, metadata: {name: cron}, spec: {jobTemplate: {spec: {template: {spec: {containers: [
      {name: c, livenessProbe: {grpc: {port: 9000}, periodSeconds: 7}}]}}}}}}
"""


def test_every_replica_of_a_deployment_is_asked_by_its_kubelet() -> None:
    found = probes("kubernetes", DEPLOYMENT)
    liveness = [probe for probe in found if probe.prober == "kubelet/deployment/admin/web/liveness"]
    assert [short(probe)[1:] for probe in liveness] == [
        ("kubelet-http", "GET", "http://<address>:8080/", 5.0, True)
    ] * 2
    assert (liveness[0].host, liveness[0].user_agents, liveness[0].timing) == (
        "admin.example.com",
        ("kube-probe/",),
        "ticker",
    )
    assert str(liveness[0].origin[0]) == "file:14"


def test_probes_of_containers_that_send_no_request_or_only_at_the_start_are_harmless() -> None:
    found = {probe.prober: probe for probe in probes("kubernetes", DEPLOYMENT)}
    assert {name: (probe.kind, probe.url) for name, probe in found.items() if not probe.creates_sessions} == {
        "kubelet/deployment/admin/web/readiness": ("kubelet-tcpSocket", "<address>:8080"),
        "kubelet/deployment/admin/web/startup": ("kubelet-http", "https://<address>:8080/login"),
        "kubelet/pod/one/c/liveness": ("kubelet-exec", "<address>"),
        "kubelet/cronjob/cron/c/liveness": ("kubelet-grpc", "<address>:9000"),
    }


def test_a_port_that_no_container_has_is_a_problem() -> None:
    text = "kind: Pod\nspec: {containers: [{livenessProbe: {httpGet: {port: web}}}]}"
    [problem] = BY_KIND["kubernetes"].read(text, "pod.yml").problems
    assert "no container port is named web" in problem.reason


# -- Caddy ----------------------------------------------------------------------------------------------------------

CADDYFILE = """{
	admin off
}
(check) {
	health_uri {args[0]}
	health_interval 1m30s
}
shop.example, www.shop.example {
	@api path /api/*
	reverse_proxy @api 10.0.0.1:8001-8002 {
		import check "/up?a=1"  # every node
		health_headers {
			Host admin.example
			User-Agent checker
		}
		health_follow_redirects
	}
	handle /old* {
		reverse_proxy {
			to https://old {$NEW}
			health_path login
			health_port 9000
		}
	}
	reverse_proxy unchecked:80
}
"""


def test_caddy_asks_each_upstream_of_a_proxy_that_has_a_check() -> None:
    found = probes("caddy", CADDYFILE)
    assert [short(probe)[:-1] for probe in found] == [
        ("caddy/shop.example", "caddy-health-check", "GET", "http://10.0.0.1:8001/up?a=1", 90.0),
        ("caddy/shop.example", "caddy-health-check", "GET", "http://10.0.0.1:8002/up?a=1", 90.0),
        ("caddy/shop.example", "caddy-health-check", "GET", "https://old:9000/login", 30.0),
        ("caddy/shop.example", "caddy-health-check", "GET", "http://<address>:9000/login", 30.0),
    ]
    first, old = found[0], found[2]
    assert (first.host, first.user_agents, first.follows_redirects) == ("admin.example", ("checker",), True)
    assert (old.user_agents, old.follows_redirects, str(old.origin[0])) == (("Go-http-client/1.1",), False, "file:21")
    assert str(first.origin[0]) == "file:5"  # where the path is written: in the snippet


def test_upstreams_that_caddy_finds_as_it_runs_are_said_to_be_unknown() -> None:
    text = ":80 {\n\treverse_proxy {\n\t\tdynamic a shop 80\n\t\thealth_uri /\n\t}\n}\n"
    found = BY_KIND["caddy"].read(text, "Caddyfile")
    assert (found.probes, [str(problem) for problem in found.problems]) == (
        [],
        ["Caddyfile:4: its upstreams are found as it runs"],
    )


# -- Traefik --------------------------------------------------------------------------------------------------------

TRAEFIK = """http:
  services:
    Shop:
      loadBalancer:
        healthcheck:
          path: /login
          interval: 10s
          headers: {User-Agent: checker, X-Key: secret}
        servers:
          - url: http://10.0.0.1:8080
          - url: "http://[::1]:8080/app"
    rpc:
      loadBalancer:
        healthCheck: {mode: grpc, port: 9000}
        servers: [{url: "h2c://10.0.0.3:9000"}]
    quiet:
      loadBalancer:
        servers: [{url: "http://10.0.0.4"}]
"""
TRAEFIK_TOML = """[http.services.shop.loadBalancer.healthCheck]
  interval = "1m"
  followRedirects = false
  scheme = "https"
  port = 8443
  path = "/"
  hostname = "shop.example"
[[http.services.shop.loadBalancer.servers]]
  url = "http://10.0.0.1/"
"""


def test_traefik_asks_each_server_of_a_service_that_has_a_check() -> None:
    found = probes("traefik", TRAEFIK)
    assert [short(probe) for probe in found] == [
        ("traefik/Shop", "traefik-health-check", "GET", "http://10.0.0.1:8080/login", 10.0, True),
        ("traefik/Shop", "traefik-health-check", "GET", "http://[::1]:8080/login", 10.0, True),
        ("traefik/rpc", "traefik-grpc", "", "10.0.0.3:9000", 30.0, False),
    ]
    assert (str(found[0].origin[0]), found[0].user_agents, found[0].follows_redirects) == ("file:6", ("checker",), True)
    assert "secret" not in repr(found)


def test_traefik_has_the_same_keys_in_toml() -> None:
    [probe] = probes("traefik", TRAEFIK_TOML)
    assert short(probe)[3:5] == ("https://10.0.0.1:8443/", 60.0)
    assert (probe.host, probe.follows_redirects, str(probe.origin[0])) == ("shop.example", False, "file:6")


@pytest.mark.parametrize(
    "labels",
    [
        '["traefik.enable=true", "traefik.http.services.a.loadbalancer.healthcheck.path=/", "%s.server.port=8080"]',
        '{traefik.http.services.a.loadbalancer.healthcheck.path: /, "%s.server.port": 8080}',
    ],
)
def test_labels_of_a_container_have_traefik_ask_it(labels: str) -> None:
    written = labels % "traefik.http.services.a.loadbalancer"
    [probe] = probes("compose", f"services:\n  web:\n    labels: {written}\n")
    assert short(probe) == ("traefik/a", "traefik-health-check", "GET", "http://<address>:8080/", 30.0, True)
    assert str(probe.origin[0]) == "file:3"


# -- load balancers -------------------------------------------------------------------------------------------------

TERRAFORM = """
variable "zones" { type = list(string) }
resource "aws_lb_target_group" "admin" {
  name     = "admin-${var.environment}"
  port     = var.port + 1
  protocol = "HTTP"
  vpc_id   = aws_vpc.main.id
  health_check {
    path     = "/"
    port     = 8080
    interval = 15
    matcher  = "200,302"
  }
}
resource "aws_lb_target_group" "off" {
  port = 80
  health_check { enabled = false }
}
resource "aws_lb_target_group" "tcp" {
  port = 443
  protocol = "TCP"
  tags = merge(local.tags, { Name = "x" })
  health_check {}
}
resource "aws_elb" "old" {
  health_check {
    target   = "HTTP:80/index.html"
    interval = 30
  }
}
"""


def test_terraform_says_what_load_balancers_ask() -> None:
    assert [short(probe) for probe in probes("terraform", TERRAFORM, "main.tf")] == [
        ("elb/admin", "elb-http", "GET", "http://<address>:8080/", 15.0, True),
        ("elb/tcp", "elb-check", "", "<address>:443", 30.0, False),
        ("elb/old", "elb-http", "GET", "http://<address>:80/index.html", 30.0, True),
    ]
    first = probes("terraform", TERRAFORM, "main.tf")[0]
    assert (str(first.origin[0]), first.user_agents, first.follows_redirects) == (
        "main.tf:9",
        ("ELB-HealthChecker/2.0",),
        False,
    )


GROUPS = """
resource "aws_lb_target_group" "bare" {
  port     = 8080
  protocol = "HTTP"
}
resource "aws_lb_target_group" "function" { target_type = "lambda" }
resource "aws_lb_target_group" "net" {
  port     = 443
  protocol = "TCP"
}
"""


def test_a_target_group_without_a_check_is_asked_for_the_page_all_the_same() -> None:
    (probe,) = probes("terraform", GROUPS, "main.tf")
    assert short(probe) == ("elb/bare", "elb-http", "GET", "http://<address>:8080/", 30.0, True)
    assert str(probe.origin[0]) == "main.tf:2"


def test_expressions_of_terraform_stay_texts() -> None:
    root = parse_hcl(
        'a = var.x + 1\nb = f("}", {c = 1})\nd = [for x in y : x]\ne = "s"\ng = a ? "1" : "2"\n', "f", expressions=True
    )
    assert root.to_python() == {
        "a": "var.x + 1",
        "b": 'f("}", {c = 1})',
        "d": "[for x in y : x]",
        "e": "s",
        "g": 'a ? "1" : "2"',
    }
    with pytest.raises(ConfigurationError):
        parse_hcl("a = var.x + 1", "f")


def problems(kind: str, text: str, file: str) -> list[tuple[int, str]]:
    found = BY_KIND[kind].read(text, file)
    assert all(isinstance(problem, NotJudged) for problem in found.problems)
    return [(problem.line, problem.reason) for problem in found.problems]


@pytest.mark.parametrize(
    ("resource", "line", "said"),
    [
        (
            'resource "aws_lb_target_group" "a" {\n health_check {\n path = var.path\n}\n}',
            3,
            "path is an expression (var.path)",
        ),
        (
            'resource "aws_lb_target_group" "a" {\n protocol = "HTTP"\n dynamic "health_check" {\n for_each = var.c\n}\n}',
            3,
            "its health check is a dynamic block",
        ),
        (
            'resource "aws_elb" "a" {\n health_check {\n target = "HTTP:80${var.path}"\n}\n}',
            3,
            "target is an expression",
        ),
        (
            'resource "azurerm_lb_probe" "a" {\n protocol = local.p\n request_path = "/"\n}',
            2,
            "protocol is an expression",
        ),
        (
            'resource "google_compute_health_check" "a" {\n http_health_check {\n request_path = coalesce(a, "/")\n}\n}',
            3,
            "request_path",
        ),
        ('resource "digitalocean_loadbalancer" "a" {\n healthcheck {\n path = "/"\n}\n}', 2, "are not supported"),
        ('resource "kubernetes_deployment" "a" {\n spec {\n liveness_probe {\n}\n}\n}', 3, "are not supported"),
        ('resource "pingdom_check" "a" {\n host = "shop.example"\n}', 1, "are not supported"),
    ],
)
def test_what_terraform_does_not_tell_is_not_examined(resource: str, line: int, said: str) -> None:
    [(place, reason)] = problems("terraform", resource, "main.tf")
    assert place == line
    assert said in reason
    assert BY_KIND["terraform"].read(resource, "main.tf").probes == []


def test_a_resource_that_checks_nothing_is_no_problem() -> None:
    text = 'resource "aws_lb" "a" {\n name = var.name\n}\nresource "aws_lb_listener" "b" {\n port = 80\n}\n'
    assert problems("terraform", text, "main.tf") == []


def test_health_checks_of_other_clouds_are_read() -> None:
    text = """
resource "google_compute_health_check" "shop" {
  check_interval_sec = 7
  https_health_check {
    port = 8443
  }
}
resource "google_compute_http_health_check" "old" {
  request_path = "/login"
}
resource "google_compute_region_health_check" "plain" {
  tcp_health_check {
    port = 22
  }
}
resource "azurerm_lb_probe" "probe" {
  protocol = "Http"
  port = 8080
  request_path = "/"
}
resource "azurerm_lb_probe" "tcp" {
  port = 25
}
resource "aws_route53_health_check" "world" {
  fqdn = "shop.example"
  port = 443
  type = "HTTPS_STR_MATCH"
  request_interval = 10
}
"""
    assert [short(probe) for probe in probes("terraform", text, "main.tf")] == [
        ("google/shop", "google-http", "GET", "https://<address>:8443/", 7.0, True),
        ("google/old", "google-http", "GET", "http://<address>:80/login", 5.0, True),
        ("google/plain", "google-check", "", "<address>:22", 5.0, False),
        ("azure/probe", "azure-http", "GET", "http://<address>:8080/", 15.0, True),
        ("azure/tcp", "azure-check", "", "<address>:25", 15.0, False),
        ("route53/world", "route53-http", "GET", "https://shop.example:443/", 10.0, True),
    ]


def test_an_interval_that_is_an_expression_is_assumed_and_said() -> None:
    text = 'resource "aws_lb_target_group" "a" {\n port = 80\n health_check {\n path = "/"\n interval = var.every\n}\n}'
    [probe] = probes("terraform", text, "main.tf")
    assert (probe.period_s, "the default of 30 s is assumed" in probe.origin[0].what) == (30.0, True)


@pytest.mark.parametrize("path", ["!Sub '/${Stage}'", "!Ref Path", "{Ref: Path}", "{'Fn::Sub': '/${Stage}'}"])
def test_a_function_of_cloudformation_is_not_taken_for_a_path(path: str) -> None:
    text = f"Resources:\n  G:\n    Type: AWS::ElasticLoadBalancingV2::TargetGroup\n    Properties: {{Port: !Ref P, HealthCheckPath: {path}}}\n"
    [(line, reason)] = problems("cloudformation", text, "t.yaml")
    assert (line, "HealthCheckPath is an expression" in reason) == (4, True)
    assert BY_KIND["cloudformation"].read(text, "t.yaml").probes == []


def test_a_check_of_cloudformation_that_is_not_read_is_not_examined() -> None:
    text = "Resources: {R: {Type: 'AWS::Route53::HealthCheck', Properties: {HealthCheckConfig: {ResourcePath: /}}}}"
    [(line, reason)] = problems("cloudformation", text, "t.yaml")
    assert (line, "not supported" in reason) == (1, True)


CLOUDFORMATION = {
    "Resources": {
        "Group": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
                  "Properties": {"Port": 8080, "Protocol": "HTTP", "HealthCheckPath": "/health", "HealthCheckPort": "traffic-port"}},
        "Off": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {"HealthCheckEnabled": False}},
        "Function": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {"TargetType": "lambda"}},
        "Classic": {"Type": "AWS::ElasticLoadBalancing::LoadBalancer",
                    "Properties": {"HealthCheck": {"Target": "HTTP:80/", "Interval": "10"}}},
        "Other": {"Type": "AWS::S3::Bucket"},
    }
}  # fmt: skip


def test_cloudformation_says_the_same_in_json_and_yaml() -> None:
    expected = [
        ("elb/Group", "elb-http", "GET", "http://<address>:8080/health", 30.0, True),
        ("elb/Classic", "elb-http", "GET", "http://<address>:80/", 10.0, True),
    ]
    assert [short(probe) for probe in probes("cloudformation", json.dumps(CLOUDFORMATION))] == expected
    yaml = "# a comment\n" + json.dumps(CLOUDFORMATION).replace(
        '"Properties": {"Port"', '"Properties": {"X": !Ref A, "Port"'
    )
    assert [short(probe) for probe in probes("cloudformation", yaml)] == expected


# -- HAProxy --------------------------------------------------------------------------------------------------------

HAPROXY = r"""
defaults
  default-server inter 500
frontend f
  bind :80
backend one
  option httpchk
  server a 127.0.0.1:8080 check
backend two
  option httpchk GET "/h x" HTTP/1.1\r\nHost:\ admin.example.com
  server b 127.0.0.1:1 check port 8081 backup
  server bb 127.0.0.1:8081 check disabled
backend three
  option httpchk
  http-check send meth HEAD uri /health ver HTTP/1.1 hdr Host c.example.com hdr User-Agent mine
  default-server check ssl inter 3s
  server c ipv4@127.0.0.1:8443   # a comment
backend four
  server d 127.0.0.1:8083 check
  server dd 127.0.0.1:8083
"""


def test_haproxy_asks_what_its_version_2_6_was_seen_to_ask() -> None:
    found = probes("haproxy", HAPROXY, "haproxy.cfg")
    assert [short(probe) for probe in found] == [
        ("haproxy/one", "haproxy-httpchk", "OPTIONS", "http://127.0.0.1:8080/", 0.5, True),
        ("haproxy/two", "haproxy-httpchk", "GET", "http://127.0.0.1:8081/h%20x", 0.5, True),
        ("haproxy/three", "haproxy-httpchk", "HEAD", "https://127.0.0.1:8443/health", 3.0, True),
        ("haproxy/four", "haproxy-check", "", "127.0.0.1:8083", 0.5, False),
    ]
    assert [probe.host for probe in found[1:3]] == ["admin.example.com", "c.example.com"]
    assert [probe.user_agents for probe in found[1:3]] == [(), ("mine",)]
    assert [str(origin) for origin in found[1].origin] == ["haproxy.cfg:10", "haproxy.cfg:11"]


def test_what_is_no_configuration_of_haproxy_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        probes("haproxy", "modules: {}\n")


# -- containers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "curl -fsSLo /dev/null -H 'Host: a.b' http://localhost:8080/",
            ("http://localhost:8080/", "GET", "curl/", True, "a.b"),
        ),
        ("curl -f localhost/ || exit 1", ("http://localhost/", "GET", "curl/", False, "")),
        ("curl --head --user-agent=me https://a/x?b=c&d", ("https://a/x?b=c", "HEAD", "me", False, "")),
        (["curl", "-XPOST", "-m", "5", "http://a/"], ("http://a/", "POST", "curl/", False, "")),
        ("/usr/bin/wget -qO- --tries=1 http://a/", ("http://a/", "GET", "Wget/", True, "")),
        ("wget --no-verbose --spider --max-redirect=0 http://a/", ("http://a/", "HEAD", "Wget/", False, "")),
        ("python -c \"import urllib; urlopen('http://a:1/x')\"", ("http://a:1/x", "GET", "", True, "")),
        ("pg_isready -U postgres", None),
        ("curl --version", None),
        ("echo 'unclosed", None),
    ],
)
def test_the_request_in_a_command_is_found(command: str | list[str], expected: tuple[object, ...] | None) -> None:
    found = request_of(command)
    assert (
        found and (found.url, found.method, found.user_agent, found.follows_redirects, found.host_header)
    ) == expected


COMPOSE = """services:
  admin:
    deploy: {replicas: 3}
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:8080/"]
      interval: 1m30s
  redis: {healthcheck: {test: redis-cli ping}}
  shell: {healthcheck: {test: ["CMD-SHELL", "wget -q --spider http://localhost/health || exit 1"]}}
  none: {healthcheck: {test: ["NONE"]}}
  disabled: {healthcheck: {disable: true, test: curl http://a}}
  plain: {image: x}
"""


def test_health_checks_of_containers_are_probes() -> None:
    found = probes("compose", COMPOSE, "compose.yml")
    assert [short(probe) for probe in found] == [
        *[("compose/admin", "compose-healthcheck", "GET", "http://localhost:8080/", 90.0, True)] * 3,
        ("compose/redis", "compose-command", "", "", 30.0, False),
        ("compose/shell", "compose-healthcheck", "HEAD", "http://localhost/health", 30.0, True),
    ]
    assert [probe.instance for probe in found[:3]] == ["admin-0", "admin-1", "admin-2"]
    assert str(found[0].origin[0]) == "compose.yml:5"


# -- Gatus, Uptime Kuma ---------------------------------------------------------------------------------------------


def test_gatus_asks_its_endpoints() -> None:
    text = """endpoints:
  - {name: admin, group: core, url: "https://admin.example.com/", interval: 30s, client: {ignore-redirect: true}}
  - {name: port, url: "tcp://10.0.0.1:6379"}
  - {name: names, url: 8.8.8.8, dns: {query-name: example.com}}
  - {name: socket, url: "ws://a/live", method: GET, headers: {User-Agent: mine, Host: b}}
  - {name: off, url: "http://off/", enabled: false}
"""
    found = probes("gatus", text, "gatus.yml")
    assert [short(probe) for probe in found] == [
        ("gatus/core/admin", "gatus-http", "GET", "https://admin.example.com/", 30.0, True),
        ("gatus/port", "gatus-tcp", "", "10.0.0.1:6379", 60.0, False),
        ("gatus/names", "gatus-dns", "", "8.8.8.8", 60.0, False),
        ("gatus/socket", "gatus-http", "GET", "http://a/live", 60.0, True),
    ]
    assert (found[0].follows_redirects, found[3].user_agents, found[3].host) == (False, ("mine",), "b")


def test_uptime_kuma_asks_its_monitors() -> None:
    monitors = [
        {
            "name": "admin",
            "type": "keyword",
            "url": "http://u:p@a/x",
            "interval": 20,
            "method": "GET",
            "maxredirects": 0,
        },
        {"name": "redis", "type": "port", "hostname": "10.0.0.1", "port": 6379, "interval": 60},
        {"name": "paused", "type": "http", "url": "http://b/", "active": False},
        {"name": "pushed", "type": "push"},
    ]
    found = probes("uptime_kuma", json.dumps({"monitorList": monitors}, indent=1), "kuma.json")
    assert [short(probe) for probe in found] == [
        ("uptime-kuma/admin", "uptime-kuma-http", "GET", "http://a/x", 20.0, True),
        ("uptime-kuma/redis", "uptime-kuma-port", "", "10.0.0.1:6379", 60.0, False),
    ]
    assert not found[0].follows_redirects


@pytest.mark.parametrize("kind", ["gatus", "uptime_kuma"])
def test_an_address_that_nobody_can_ask_is_a_problem_with_its_line(kind: str) -> None:
    entry = {"name": "a", "type": "http", "url": "http:///nowhere"}
    text = json.dumps({"endpoints": [entry], "monitorList": [entry]})
    [problem] = BY_KIND[kind].read(text, "f").problems
    assert "cannot be probed" in problem.reason
    assert problem.hint


# -- nginx ----------------------------------------------------------------------------------------------------------


def test_nginx_asks_its_upstreams_when_it_is_told_to() -> None:
    text = r"""http {
  upstream plus { zone p 64k; server 10.0.0.1:8080; server 10.0.0.2; }
  upstream tengine { server 10.0.0.3:80; check interval=3000 type=http; check_http_send "HEAD /s HTTP/1.0\r\n\r\n"; }
  upstream plain { server 10.0.0.4:80; check interval=1000; }
  server { location / { proxy_pass http://plus; health_check uri=/health interval=2s; } }
}"""
    assert [short(probe) for probe in nginx_probes({"nginx.conf": text})] == [
        ("nginx/plus", "nginx-health-check", "GET", "http://10.0.0.1:8080/health", 2.0, True),
        ("nginx/plus", "nginx-health-check", "GET", "http://10.0.0.2:80/health", 2.0, True),
        ("nginx/tengine", "nginx-health-check", "HEAD", "http://10.0.0.3:80/s", 3.0, True),
        ("nginx/plain", "nginx-check", "", "10.0.0.4:80", 1.0, False),
    ]


# -- all of them ----------------------------------------------------------------------------------------------------


def test_all_of_them_join_one_simulation_and_broken_ones_are_problems() -> None:
    files = [
        ConfigurationFile("pod.yml", DEPLOYMENT, "kubernetes"),
        ConfigurationFile("main.tf", TERRAFORM, "terraform"),
        ConfigurationFile("haproxy.cfg", HAPROXY, "haproxy"),
        ConfigurationFile("compose.yml", COMPOSE, "compose"),
        ConfigurationFile("broken.json", "{", "uptime_kuma"),
    ]
    found = simulate(files)
    assert {probe.prober.split("/")[0] for probe in found.probes} == {"kubelet", "elb", "haproxy", "compose"}
    assert [problem.file for problem in found.problems] == ["broken.json"]


@given(st.text(alphabet='ab:{}[]"\n -/.1', max_size=40))
def test_any_text_gives_probes_or_an_error_with_its_line(text: str) -> None:
    for prober in PROBERS:
        try:
            found = prober.read(text, "f")
            lines = [problem.line for problem in found.problems]
            lines += [origin.line for probe in found.probes for origin in probe.origin]
        except ConfigurationError as error:
            lines = [error.line]
        assert all(1 <= line <= text.count("\n") + 2 for line in lines)


def test_a_request_of_a_command_has_all_its_parts() -> None:
    assert request_of(["curl", "http://a/"]) == CommandRequest("http://a/", "GET", "curl/", follows_redirects=False)
