from __future__ import annotations

import pytest

from examine.cases import HEALTHY_PROBE, PROBE, scene, slugs
from examine.probe_cases import again, only
from necropsy.model.finding import Severity


def test_births_at_a_health_endpoint_accuse_the_session_middleware_in_front_of_it() -> None:
    with scene() as s:
        s.source("rdb", "prometheus").probe(HEALTHY_PROBE).sessions(100).claim("probe", 90.0, probe_id=0)
        finding = only("probes/health-behind-session", s)
        again(s, finding)
    assert finding.severity is Severity.WARNING
    assert finding.store == "a"
    assert finding.share == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ("spring-reactive", "Spring: let the session repository filter match everything but the endpoint"),
        ("php", "PHP (phpredis session handler): Call session_start() only where a session is needed"),
        ("rails", "Rails (redis-actionpack, redis-session-store): Answer health checks outside the"),
        ("scs", "Go (scs): Put nothing"),
        (None, "Register the route of the endpoint before, or without, the session middleware."),
    ],
)
def test_the_remedy_is_that_of_the_framework_whose_sessions_were_seen_and_of_no_other(
    layout: str | None, told: str
) -> None:
    with scene() as s:
        s.source("rdb", "prometheus").probe(HEALTHY_PROBE).sessions(100, layout=layout)
        s.claim("probe", 90.0, probe_id=0)
        remedy = only("probes/health-behind-session", s).remedy
    assert remedy is not None
    assert remedy.text.startswith(told)
    assert remedy.text.endswith("Then request it twice without a cookie: neither response may have a Set-Cookie.")
    named = {name for name in ("Spring", "Django", "Laravel", "Express", "PHP", "Rails", "Go (") if name in remedy.text}
    assert named == {name for name in ("Spring", "PHP", "Rails", "Go (") if told.startswith(name)}


def test_births_at_a_page_or_a_handful_of_them_do_not_accuse_a_health_endpoint() -> None:
    with scene() as s:
        s.source("rdb", "prometheus").probe(PROBE, HEALTHY_PROBE).sessions(100)
        s.claim("probe", 90.0, probe_id=0).claim("probe", 4.0, probe_id=1)
        assert "probes/health-behind-session" not in slugs(s.examine())


def test_a_new_cookie_in_most_answers_of_a_health_endpoint_tells_it_without_any_birth() -> None:
    use = {"log": "a", "client": "10.0.0.9", "user_agent": "kube-probe/1.27", "clients": 1, "visits": 100,
           "brought": 0, "given": 100, "renewed": 100}  # fmt: skip
    with scene() as s:
        s.source("rdb", "access_log").sessions(10).rows(
            "cookie_use", use, {**use, "user_agent": "curl/8", "renewed": 3}
        )
        s.visitors(1, "kube-probe/1.27", "10.0.0.1:8080", "/health").visitors(2, "curl/8", "10.0.0.1:8080", "/health")
        finding = only("probes/health-behind-session", s)
        again(s, finding)
    assert "kube-probe/1.27 requests /health and is given a new session cookie in 100 of 100 visits" in finding.title


def test_a_client_that_asks_for_pages_as_well_is_given_its_cookie_by_them() -> None:
    use = {"log": "a", "client": "10.0.0.9", "user_agent": "kube-probe/1.27", "clients": 1, "visits": 100,
           "brought": 0, "given": 100, "renewed": 100}  # fmt: skip
    with scene() as s:
        s.source("rdb", "access_log").sessions(10).rows("cookie_use", use)
        s.visitors(1, "kube-probe/1.27", "10.0.0.1:8080", "/health").visitors(
            2, "kube-probe/1.27", "10.0.0.1:8080", "/"
        )
        assert "probes/health-behind-session" not in slugs(s.examine())
