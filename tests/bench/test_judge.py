"""The judge of the bench is right about reports whose worth is plain."""

from __future__ import annotations

from typing import Any

from incidents.judge import judge
from incidents.table import measures, render


def facts(**changed: Any) -> dict[str, Any]:
    actor = {"name": "prober", "role": "culprit", "agents": ["Go-http-client/1.1"], "addresses": ["10.0.0.9"], "address_count": 1, "dated": True, "first_ms": 0, "last_ms": 9,
             "path": "/", "paths": [], "url": "http://10.0.0.2:80/", "period_s": 10.0, "rhythm": "ticker", "in_log": True,
             "in_configuration": True, "share": 0.9, "log_lines": 900, "store": "shop"}  # fmt: skip
    check = {
        **actor,
        "name": "check",
        "role": "innocent",
        "agents": ["Consul Health Check"],
        "path": "/health",
        "url": "",
        "share": 0.0,
    }
    cause = {
        "slugs": ["probes/creates-sessions"],
        "store": "shop",
        "share": 0.9,
        "of": "births",
        "actors": ["prober"],
        "required": True,
        "share_known": True,
    }
    expect = {"verdict": "causes", "causes": [cause], "unsure_is_right": False}
    nothing = {"verdict": "nothing", "causes": [], "unsure_is_right": False}
    return {"healthy": False, "actors": [actor, check], "tolerated": ["probes/wrong-path"], "log": {"format": "combined", "start_ms": 0, "end_ms": 9},
            "expect": {"all": expect, "dump": nothing}} | changed  # fmt: skip


def report(*causes: dict[str, Any], cleared: str = "", healthy: bool = False) -> dict[str, Any]:
    findings = [{"slug": "healthy", "confidence": "high"}] if healthy else []
    ruled_out = [{"slug": "probes/creates-sessions", "text": cleared}] if cleared else []
    return {"verdict": {"causes": list(causes), "ruled_out": ruled_out}, "findings": findings}


def cause(slug: str = "probes/creates-sessions", share: float = 0.9, **actor: Any) -> dict[str, Any]:
    who = {
        "user_agent": "Go-http-client/1.1",
        "url": "http://10.0.0.2:80/",
        "period_s": 10.0,
        "in_access_log": True,
    } | actor
    return {
        "slug": slug,
        "store": "shop",
        "share": share,
        "share_low": share - 0.01,
        "share_high": share + 0.01,
        "confidence": "high",
        "actors": [who],
    }


def test_the_right_cause_with_the_right_share_gets_every_mark() -> None:
    marks = judge(report(cause(), cleared="Consul Health Check (/health) creates nothing"), 13, facts())
    assert (marks.top, marks.causes, marks.covered, marks.high) == (1.0, 1.0, [True], [True])
    assert (marks.actors_right, marks.actors_found, marks.checks_cleared, marks.cleared_and_guilty) == (1, 1, 1, 0)
    assert marks.share_errors == [0.0]


def test_a_second_false_cause_spoils_the_set_and_not_the_first_place() -> None:
    marks = judge(
        report(cause(), cause("traffic/unlogged-creator", 0.1, user_agent="", url="", in_access_log=False)), 13, facts()
    )
    assert (marks.top, marks.causes, marks.high) == (1.0, 0.0, [True, False])
    assert marks.unlogged is False


def test_the_right_slug_for_the_wrong_target_is_wrong() -> None:
    marks = judge(report(cause(url="http://10.0.0.3:80/", user_agent="curl/8")), 13, facts())
    assert (marks.top, marks.causes) == (0.0, 0.0)


def test_no_verdict_is_half_right_and_healthy_is_wrong() -> None:
    assert judge(None, 4, facts()).top == 0.5
    assert judge(report(), 4, facts()).top == 0.5
    marks = judge(report(healthy=True), 0, facts())
    assert (marks.said, marks.top, marks.high) == ("healthy", 0.0, [False])


def test_no_store_no_verdict() -> None:
    assert judge(None, 4, facts(), "dump").top == 1.0
    assert judge(report(healthy=True), 0, facts(), "dump").top == 0.0
    assert judge(None, 1, facts(), "", "broken").said == "failed"


def test_clearing_the_culprit_is_seen_and_clearing_its_namesake_is_not_confused_with_it() -> None:
    assert (
        judge(
            report(cleared="Go-http-client/1.1 (/) come at a fixed interval and create nothing"), 0, facts()
        ).cleared_and_guilty
        == 1
    )
    assert (
        judge(
            report(cleared="Go-http-client/1.1 (/health) come at a fixed interval and create nothing"), 0, facts()
        ).cleared_and_guilty
        == 0
    )


def test_an_innocent_check_is_cleared_in_either_way_of_saying_it() -> None:
    for text in ("Consul Health Check (/health) and ELB (/status) come at a fixed interval and create nothing",
                 "Consul Health Check GET /health: 441 visits, 9 followed by a birth, as by chance (3 %)"):  # fmt: skip
        marks = judge(report(cleared=text), 0, facts())
        assert (marks.checks_cleared, marks.cleared_and_guilty) == (1, 0)
    assert judge(report(cleared="prometheus/web-0 GET /: 338 visits, 0 followed"), 0, facts()).cleared_and_guilty == 1
    assert judge(report(cleared="http://10.0.0.2:80/health answers"), 0, facts()).cleared_and_guilty == 0


def test_a_condition_that_is_true_anyway_is_neither_right_nor_wrong() -> None:
    assert judge(report(cause(), cause("probes/wrong-path")), 13, facts()).causes == 1.0


def test_a_creator_in_a_healthy_store_is_a_false_alarm() -> None:
    expect = {"verdict": "healthy", "causes": [], "unsure_is_right": False}
    well = facts(healthy=True, expect={"all": expect})
    assert judge(report(cause()), 13, well).false_alarms == 1
    assert judge(report(healthy=True), 0, well).top == 1.0
    assert judge(report(), 0, well).top == 0.5


def test_the_table_names_every_build_and_counts_what_was_asked() -> None:
    records = [{**judge(report(cause()), 13, facts()).plain(), "kind": "prober-visible", "seed": 1, "build": build, "withheld": ""}
               for build in ("one", "other")]  # fmt: skip
    assert measures(records)["top-1"] == "1.000"
    text = render(records)
    assert "| one " in text
    assert "prober-visible" in text
