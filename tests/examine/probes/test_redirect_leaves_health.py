from __future__ import annotations

from dataclasses import replace

import pytest

from examine.cases import HEALTHY_PROBE, scene, slugs
from examine.probe_cases import again, only
from necropsy.model.finding import Confidence, Severity

BLACKBOX = "Go-http-client/1.1"


REDIRECT = {"class_id": 1, "user_agent": BLACKBOX, "host": "10.0.0.1:8080", "method": "GET", "path": "/health",
            "status": 302, "followed_to": "/login", "visits": 8640, "period_s": 10.0}  # fmt: skip


def test_a_health_endpoint_that_redirects_to_the_login_page_is_no_health_endpoint() -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(HEALTHY_PROBE).rows("visitor_class", REDIRECT)
        finding = only("probes/redirect-leaves-health", s)
        again(s, finding)
    assert finding.severity is Severity.WARNING
    assert "redirected to /login" in finding.title
    assert finding.primary is not None
    assert "8,640 visits" in finding.primary.text


@pytest.mark.parametrize(
    "change",
    [
        {"status": 200, "followed_to": None},
        {"followed_to": "/health/"},
        {"path": "/"},
        {"user_agent": "Mozilla/5.0"},
        {"host": "10.0.0.1:9090"},
    ],
)
def test_what_is_no_redirect_of_this_probe_to_a_page_is_no_finding(change: dict[str, object]) -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(HEALTHY_PROBE).rows("visitor_class", {**REDIRECT, **change})
        assert "probes/redirect-leaves-health" not in slugs(s.examine())


def test_a_prober_that_follows_nothing_stays_at_the_health_endpoint() -> None:
    still = replace(HEALTHY_PROBE, follows_redirects=False)
    with scene() as s:
        s.source("prometheus", "access_log").probe(still).rows("visitor_class", REDIRECT)
        assert "probes/redirect-leaves-health" not in slugs(s.examine())


def test_a_redirect_to_where_the_log_does_not_reach_is_said_with_less_certainty() -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(HEALTHY_PROBE).rows(
            "visitor_class", {**REDIRECT, "followed_to": None}
        )
        finding = only("probes/redirect-leaves-health", s)
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.MEDIUM)
