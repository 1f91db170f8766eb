from __future__ import annotations

import pytest

from examine.cases import HEALTHY_PROBE, PROBE, cleared, scene, slugs
from necropsy.model.finding import Confidence, Severity


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
    assert finding.probers == (PROBE.prober,)  # whose targets a patch may change


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
        assert slugs(s.examine()) == {"monitoring/store-unwatched"}


def test_probers_that_were_tested_and_create_nothing_are_cleared_with_the_figures() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).claim("people", 95).visitors(
            3, "ELB-HealthChecker/2.0", "h", "/health"
        )
        s.rows("creation_test", _test(3, "innocent"))
        assert cleared(s.examine())["probes/creates-sessions"] == (
            "ELB-HealthChecker/2.0 GET /health: 8,640 visits; 3 % are followed by a birth, and chance alone predicts 3 %"
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


@pytest.mark.parametrize(("chance", "guilty"), [(0.0, False), (0.03, True)])
def test_a_probe_that_no_log_shows_is_cleared_only_where_its_requests_were_placed_in_time(
    chance: float, guilty: bool
) -> None:
    with scene() as s:
        s.source("rdb", "prometheus").sessions(100).probe(PROBE, PROBE)
        s.claim("probe" if guilty else "people", 95, probe_id=1 if guilty else None, period_s=10.0)
        s.rows(
            "creation_test", {**_test(0, "innocent"), "class_id": None, "probe_id": 0, "chance": chance, "followed": 0}
        )
        assert "probes/creates-sessions" not in cleared(s.examine())


def _test(class_id: int, outcome: str) -> dict[str, object]:
    return {"store": "a", "class_id": class_id, "visits": 8640, "followed": 260, "chance": 0.03, "outcome": outcome}
