from __future__ import annotations

import pytest

from examine.cases import Scene, cleared, scene
from necropsy.examine.interface import Examination
from necropsy.model.finding import Finding, Severity


def test_immortal_sessions_are_counted_and_mortal_ones_cleared() -> None:
    with scene() as s:
        s.source("rdb").sessions(10, lifetime_s=2**31 - 1).sessions(30, lifetime_s=-1, expires_at=None)
        s.sessions(20).sessions(5, state="grace", lifetime_s=-1)
        findings = [f for f in s.examine().findings if f.slug == "sessions/immortal"]
        assert [s.case.rows(f.primary.query)[0]["count_star()"] for f in findings if f.primary] == [30, 10]
    never, long = findings
    assert (never.severity, never.share) == (Severity.WARNING, pytest.approx(30 / 65))
    assert (long.severity, long.share) == (Severity.INFO, None)
    with scene() as s:
        assert "sessions/immortal" in cleared(s.source("rdb").sessions(20).examine())
    with scene() as s:  # the default of Flask, 31 days, is no finding
        assert "sessions/immortal" in cleared(
            s.source("rdb").sessions(1, layout="flask", lifetime_s=31 * 86_400).examine()
        )


def test_sessions_that_are_over_and_whose_key_has_no_expiry_never_leave() -> None:
    with scene() as s:
        s.source("rdb").sessions(350).sessions(
            50, state="overdue", lifetime_s=3600, expires_at=None, layout="spring-reactive"
        )
        (finding,) = [f for f in s.examine().findings if f.slug == "sessions/immortal"]
    assert (finding.severity, finding.share) == (Severity.WARNING, pytest.approx(50 / 400))
    assert "50 of them are past their" in finding.text
    assert "2464" in finding.text


@pytest.mark.parametrize(("layout", "setting"), [("express", "maxAge"), ("flask", "PERMANENT_SESSION_LIFETIME")])
def test_the_advice_names_the_setting_of_the_framework(layout: str, setting: str) -> None:
    with scene() as s:
        s.source("rdb").sessions(2000, layout=layout, lifetime_s=2**31 - 1)
        (finding,) = [f for f in s.examine().findings if f.slug == "sessions/immortal"]
    assert finding.severity == Severity.CRITICAL
    assert finding.remedy is not None
    assert setting in finding.remedy.text


SLUG = "sessions/immortal"


def found(said: Examination) -> Finding | None:
    return next((f for f in said.findings if f.slug == SLUG), None)


def built(s: Scene) -> Finding | None:
    return found(s.source("rdb").examine())


def test_a_month_is_long_and_ends() -> None:
    with scene() as s:
        said = s.source("rdb").sessions(500, lifetime_s=2_678_400, layout="flask").examine()
    assert found(said) is None
    assert cleared(said)[SLUG] == "store a: every session expires within 31 days of its last use"


def test_one_session_that_never_ends_kills_no_store() -> None:
    with scene() as s:
        finding = built(s.sessions(1, lifetime_s=2**31 - 1))
    assert finding is not None
    assert finding.severity is Severity.INFO


def test_sixty_eight_years_for_everybody_is_critical_and_the_remedy_is_the_framework_s_own() -> None:
    with scene() as s:
        finding = built(s.sessions(500, lifetime_s=2**31 - 1, layout="flask"))
    assert finding is not None
    assert finding.severity is Severity.CRITICAL
    assert "68 years" in finding.text
    assert finding.remedy is not None
    assert "Flask" in finding.remedy.text
    assert "Spring" not in finding.remedy.text


@pytest.mark.parametrize("state", ["live", "overdue", "ghost"])
def test_a_key_without_an_expiry_stays_whatever_its_session_says(state: str) -> None:
    with scene() as s:
        finding = built(
            s.sessions(350, lifetime_s=3600).sessions(
                50, lifetime_s=3600, expires_at=None, state=state, layout="spring-reactive"
            )
        )
    assert finding is not None
    assert finding.title == "50 sessions in store a will never leave: no expiry (12 %)"
    assert ("1 hour" in finding.text) is (state == "overdue")
    assert (finding.severity, finding.share, finding.sessions, finding.bytes) == (Severity.WARNING, 0.125, 50, 50_000)
