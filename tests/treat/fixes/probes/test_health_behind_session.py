from __future__ import annotations

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
    assert effect(finding) == f"1 check of Consul opens a connection and requests nothing. {_CONFIRM}"


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
