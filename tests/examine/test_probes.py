from __future__ import annotations

from dataclasses import replace

import pytest

from necropsy.model.finding import Confidence, Severity

from .cases import HEALTHY_PROBE, PROBE, cleared, scene, slugs


def test_births_of_a_configured_probe_are_blamed_on_its_line_with_a_query_that_counts_them_again() -> None:
    with scene() as s:
        s.source("rdb", "prometheus").probe(PROBE).sessions(100)
        s.claim(
            "probe", 90, probe_id=0, period_s=10.0, phase_s=2.0, phase_low_s=1.9, phase_high_s=2.1, in_access_log=False
        )
        examination = s.examine()
        (finding,) = [f for f in examination.findings if f.slug == "probes/creates-sessions"]
        assert finding.primary is not None
        assert s.case.value(finding.primary.query) == 10  # births at 12:00:02, :12, … of 100 s
    assert (finding.severity, finding.confidence, finding.share) == (Severity.CRITICAL, Confidence.HIGH, 0.9)
    assert finding.primary.origin == PROBE.origin[0]
    assert "not in any access log" in finding.primary.text


def test_a_window_of_phases_around_zero_is_counted_on_both_sides() -> None:
    with scene() as s:
        s.source("rdb", "prometheus").probe(PROBE).sessions(100)
        s.claim(
            "probe", 20, probe_id=0, period_s=10.0, phase_s=0.0, phase_low_s=9.0, phase_high_s=0.1, in_access_log=None
        )
        (finding,) = [f for f in s.examine().findings if f.slug == "probes/creates-sessions"]
        assert finding.primary is not None
        assert s.case.value(finding.primary.query) == 20


def test_people_are_nobody_to_blame() -> None:
    with scene() as s:
        s.source("rdb", "prometheus").probe(HEALTHY_PROBE).sessions(100).claim("people", 95)
        assert slugs(s.examine()) == {"healthy", "monitoring/store-unwatched"}


def test_probers_that_were_tested_and_create_nothing_are_cleared_with_the_figures() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).claim("people", 95).visitors(
            3, "ELB-HealthChecker/2.0", "h", "/health"
        )
        s.rows("creation_test", _test(3, "innocent"))
        assert cleared(s.examine())["probes/creates-sessions"] == (
            "ELB-HealthChecker/2.0 GET /health: 8,640 visits, 260 followed by a birth (by chance 3 %)"
        )


@pytest.mark.parametrize("outcome", ["untested", "tied", "creates", None])
def test_nobody_is_cleared_who_was_not_tested(outcome: str | None) -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).claim("people", 95).visitors(
            3, "ELB-HealthChecker/2.0", "h", "/health"
        )
        if outcome:
            s.rows("creation_test", _test(3, outcome))
        assert "probes/creates-sessions" not in cleared(s.examine())


def test_nobody_is_cleared_whose_like_creates_sessions_on_another_host() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).claim("people", 95)
        s.visitors(3, "Probe/1", "h", "/").visitors(4, "Probe/1", "g", "/")
        s.rows("creation_test", _test(3, "innocent"), _test(4, "creates"))
        assert "probes/creates-sessions" not in cleared(s.examine())


def test_nobody_is_cleared_whose_every_visit_is_followed_by_a_birth() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).claim("people", 95).visitors(3, "Probe/1", "h", "/")
        s.rows("creation_test", {**_test(3, "innocent"), "followed": 8640})
        assert "probes/creates-sessions" not in cleared(s.examine())


def test_a_configured_probe_is_cleared_by_its_url_and_not_by_a_path_that_others_ask() -> None:
    with scene() as s:
        s.source("rdb", "prometheus").sessions(100).claim("people", 95).probe(PROBE)
        s.rows("creation_test", {**_test(0, "innocent"), "class_id": None, "probe_id": 0})
        s.case.execute("UPDATE probe SET prober = 'prometheus/web', method = 'GET'")
        said = cleared(s.examine())["probes/creates-sessions"]
    assert said.startswith("prometheus/web GET http://10.0.0.1:8080/: 8,640 visits")


def _test(class_id: int, outcome: str) -> dict[str, object]:
    return {"store": "a", "class_id": class_id, "visits": 8640, "followed": 260, "chance": 0.03, "outcome": outcome}


def test_an_address_without_a_path_is_the_wrong_path_when_the_service_knows_a_better_one() -> None:
    with scene() as s:
        (finding,) = s.source("prometheus").probe(PROBE).examine().findings
    assert finding.slug == "probes/wrong-path"
    assert "not for /health" in finding.title
    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize("path", ["/health", "/healthz", "/actuator/health", "/-/healthy", "/_health", "/ready.txt"])
def test_health_endpoints_are_right(path: str) -> None:
    with scene() as s:
        examination = s.source("prometheus").probe(replace(PROBE, path=path, health_path=None)).examine()
    assert slugs(examination) == set()
    assert "probes/wrong-path" in cleared(examination)


def test_a_path_whose_name_says_nothing_is_doubted_with_medium_confidence() -> None:
    with scene() as s:
        examination = s.source("prometheus").probe(replace(PROBE, path="/leader", health_path=None)).examine()
    assert [f.confidence for f in examination.findings] == [Confidence.MEDIUM]


@pytest.mark.parametrize("kind", ["kubelet-http", "compose-http", "haproxy-http", "elb-http", "consul-check"])
@pytest.mark.parametrize(
    ("path", "is_wrong"),
    [("/", True), ("/login", True), ("/shop/index.php", True), ("/leader", False), ("/livez", False)],
)
def test_every_prober_that_asks_for_a_page_is_named_with_its_line(kind: str, path: str, is_wrong: bool) -> None:
    prober = kind.partition("-")[0]
    probe = replace(PROBE, prober=f"{prober}/shop", kind=kind, path=path, health_path=None)
    with scene() as s:
        found = [f for f in s.source("prometheus").probe(probe).examine().findings if f.slug == "probes/wrong-path"]
    assert [f.primary.origin for f in found if f.primary] == [PROBE.origin[0]] * is_wrong
    assert all(f.remedy and prober in f.remedy.title for f in found)


def test_a_probe_that_speaks_no_http_is_not_judged_by_its_path() -> None:
    tcp = replace(PROBE, kind="blackbox-tcp", creates_sessions=False, harmless_because="TCP")
    with scene() as s:
        assert slugs(s.source("prometheus").probe(tcp).examine()) == set()
