from __future__ import annotations

from dataclasses import replace

import pytest

from examine.cases import HEALTHY_PROBE, PROBE, cleared, scene
from necropsy.model.probe import UpstreamPort

PROXY = UpstreamPort("*", 80, "proxy", "live", access_log="access.log")


def test_a_probed_port_that_no_log_records_is_a_blind_spot() -> None:
    seen = replace(PROBE, url="http://10.0.0.1:80/", port=80)
    with scene() as s:
        s.source("prometheus", "access_log", "nginx").probe(PROBE, seen).backend(PROXY).visitors(
            0, "Go-http-client/1.1", "10.0.0.1:80"
        )
        findings = {f.slug: f for f in s.examine().findings}
    blind = findings["monitoring/log-blind-spot"]
    assert blind.primary is not None
    assert "http://10.0.0.1:8080/" in blind.primary.title
    assert not blind.supporting


@pytest.mark.parametrize(
    ("layouts", "told"),
    [
        (["spring-indexed"], "Spring Boot: server.tomcat.accesslog.enabled=true. Or probe only the proxy's address."),
        (["laravel"], "Switch on the access log of the application's own server, with Host and User-Agent in it."),
        (["spring", "fiber"], "Switch on the access log of the application's own server, with Host and User-Agent in"),
        ([], "Switch on the access log of the application's own server, with Host and User-Agent in it."),
    ],
)
def test_a_setting_of_spring_is_advised_where_the_sessions_are_springs_and_nowhere_else(
    layouts: list[str], told: str
) -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(PROBE).visitors(0, "Go-http-client/1.1", "10.0.0.1:80")
        for layout in layouts:
            s.sessions(20, layout=layout)
        (blind,) = (f for f in s.examine().findings if f.slug == "monitoring/log-blind-spot")
    assert blind.remedy is not None
    assert blind.remedy.text.startswith(told)


def test_an_unlogged_health_endpoint_is_worth_knowing_and_no_warning() -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(HEALTHY_PROBE).visitors(0, "Go-http-client/1.1", "10.0.0.1:80")
        examination = s.examine()
    (blind,) = (f for f in examination.findings if f.slug == "monitoring/log-blind-spot")
    assert blind.severity == "info"


@pytest.mark.parametrize("host", ["", "10.0.0.1"])
def test_a_log_without_ports_may_show_any_port_where_no_proxys_configuration_says_otherwise(host: str) -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(PROBE).visitors(0, "Go-http-client/1.1", host)
        assert "monitoring/log-blind-spot" in cleared(s.examine())
    with scene() as s:
        s.source("prometheus", "access_log", "nginx").probe(PROBE).backend(PROXY).visitors(
            0, "Go-http-client/1.1", host
        )
        assert "monitoring/log-blind-spot" in {f.slug for f in s.examine().findings}


def test_a_port_that_a_log_shows_is_no_blind_spot() -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(PROBE).visitors(0, "Go-http-client/1.1", "10.0.0.1:8080")
        examination = s.examine()
    assert "monitoring/log-blind-spot" in cleared(examination)


def test_a_probe_that_was_matched_with_a_client_of_a_log_is_shown_by_it() -> None:
    with scene() as s:
        s.source("haproxy", "access_log").probe(PROBE).visitors(0, "", "")
        s.sessions(100).claim("probe", 90.0, probe_id=0, class_id=0, in_access_log=True)
        assert "monitoring/log-blind-spot" in cleared(s.examine())
