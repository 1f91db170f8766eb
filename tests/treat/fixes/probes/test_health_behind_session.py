from __future__ import annotations

import pytest

from necropsy.model.finding import Finding
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.simulate import simulate
from necropsy.treat.fixes.attach import attach_fixes
from treat.configurations import BLACKBOX_JOB, added, effect, removed, said

NGINX = """
http {
    upstream shop { server 127.0.0.1:8080; }
    server {
        listen 80;
        location / {   # everything
            proxy_pass http://shop;
        }
    }
}
"""
CHECK = """{"service": {"name": "shop", "port": 8080,
  "check": {"http": "http://10.0.0.1:8080/health", "interval": "10s"}}}
"""
_CONFIRM = "A guess: confirm that something else still checks the application, on a path without sessions"


def test_what_comes_through_nginx_is_answered_by_it() -> None:
    prometheus = BLACKBOX_JOB.replace(
        "'http://10.0.0.1:8080/health', 'http://10.0.0.1:8081/health'", "'http://10.0.0.1/health'"
    )
    files = (
        ConfigurationFile("prometheus.yml", prometheus, "prometheus"),
        ConfigurationFile("nginx.conf", NGINX, "nginx"),
    )
    accused = said("probes/health-behind-session", "GET http://10.0.0.1/health")
    (finding,) = attach_fixes([accused], files, simulate(files), simulate)
    assert added(finding) == ["location = /health { return 200; }"]
    assert removed(finding) == []
    assert effect(finding) == f"nginx itself answers /health to 1 probe. {_CONFIRM}"


def test_a_check_of_consul_that_goes_to_the_application_knocks_at_its_port() -> None:
    files = (ConfigurationFile("shop.json", CHECK, "consul"), ConfigurationFile("nginx.conf", NGINX, "nginx"))
    simulation = simulate(files)
    asked = [probe for probe in simulation.probes if probe.kind == "consul-check"]
    accused = said("probes/health-behind-session", f"GET {asked[0].url}")
    (finding,) = attach_fixes([accused], files, simulation, simulate)
    assert added(finding) == ['"check": {"tcp": "10.0.0.1:8080", "interval": "10s"}}}']
    assert effect(finding) == f"1 check opens a connection and requests nothing. {_CONFIRM}"


def test_a_prober_that_cannot_ask_less_and_a_check_with_a_header_keep_the_advice_alone() -> None:
    text = CHECK.replace('"interval"', '"header": {"Host": ["shop"]}, "interval"')
    files = (
        ConfigurationFile("shop.json", text, "consul"),
        ConfigurationFile("prometheus.yml", BLACKBOX_JOB, "prometheus"),
    )
    requests = ("GET http://10.0.0.1:8080/health", "GET http://10.0.0.1:8081/health")
    accused = said("probes/health-behind-session", *requests)
    (finding,) = attach_fixes([accused], files, simulate(files), simulate)
    assert finding == accused


POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
      - name: web
        livenessProbe:
          httpGet:   # asks the application
            path: /health
            port: 8080
          periodSeconds: 5
        readinessProbe: {httpGet: {path: /health, port: 8080}, periodSeconds: 5}
"""
HAPROXY = """
backend shop
    option httpchk GET /health   # every two seconds
    server a 10.0.0.1:8080 check inter 2s
"""


def _fixed(text: str, kind: str) -> tuple[ConfigurationFile, Finding]:
    file = ConfigurationFile("given", text, kind)
    simulation = simulate((file,))
    probe = next(one for one in simulation.probes if one.creates_sessions)
    accused = said("probes/health-behind-session", f"{probe.method} {probe.url}")
    (finding,) = attach_fixes([accused], (file,), simulation, simulate)
    return file, finding


def test_a_kubelet_that_asks_the_application_knocks_at_its_port() -> None:
    _, finding = _fixed(POD, "kubernetes")
    assert removed(finding) == [
        "httpGet:   # asks the application",
        "path: /health",
        "readinessProbe: {httpGet: {path: /health, port: 8080}, periodSeconds: 5}",
    ]
    assert added(finding) == [
        "tcpSocket:   # asks the application",
        "readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 5}",
    ]
    assert effect(finding) == f"2 checks open connections and request nothing. {_CONFIRM}"


def test_haproxy_knocks_where_nothing_says_what_to_expect() -> None:
    _, finding = _fixed(HAPROXY, "haproxy")
    assert removed(finding) == ["option httpchk GET /health   # every two seconds"]
    assert added(finding) == ["option tcp-check   # every two seconds"]
    assert effect(finding) == f"1 check opens a connection and requests nothing. {_CONFIRM}"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            POD.replace("path: /health", "scheme: HTTPS, path: /health").replace(
                "scheme: HTTPS, path: /health\n", "scheme: HTTPS\n            path: /health\n"
            ),
            "kubernetes",
        ),
        (HAPROXY.replace("    server", "    http-check expect status 200\n    server"), "haproxy"),
    ],
)
def test_a_check_that_says_more_than_path_and_port_keeps_the_advice_alone(text: str, kind: str) -> None:
    _, finding = _fixed(text, kind)
    assert finding.remedy is not None
    assert not finding.remedy.patches
