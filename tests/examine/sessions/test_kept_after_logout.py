from __future__ import annotations

import pytest

from examine.cases import scene
from necropsy.model.finding import Finding, Severity
from sessions.keyspaces import of_dump
from sessions.writers.test_recorded import WRITERS

SLUG = "sessions/kept-after-logout"


def judged(kept: int, total: int, layout: str = "spring-reactive") -> tuple[list[Finding], list[str]]:
    with scene() as s:
        s.source("rdb").sessions(total, layout=layout)
        if kept:
            s.case.append("kept_session", [{"store": "a", "namespace": "spring:session", "db": 0, "sessions": kept}])
        examined = s.examine()
    return [f for f in examined.findings if f.slug == SLUG], [c.text for c in examined.cleared if c.slug == SLUG]


@pytest.mark.parametrize(("kept", "severity"), [(2000, Severity.WARNING), (300, Severity.INFO)])
def test_thousands_that_outlived_a_logout_are_a_finding(kept: int, severity: Severity) -> None:
    (finding,), cleared = judged(kept, 4000)
    assert (finding.severity, finding.store, cleared) == (severity, "a", [])
    assert f"{kept:,} sessions" in finding.title
    assert finding.remedy is not None
    assert "WebSessionServerLogoutHandler" in finding.remedy.text


def test_few_of_them_are_no_finding_and_other_frameworks_are_not_spoken_of() -> None:
    findings, (cleared,) = judged(3, 4000)
    assert (findings, "no more than 3 sessions" in cleared) == ([], True)
    assert judged(0, 40, "express") == ([], [])


@pytest.mark.parametrize("name", ["spring_reactive", "spring_reactive_indexed", "spring_shop_indexed"])
def test_what_real_applications_keep_is_counted(name: str) -> None:
    with of_dump("store", folder=WRITERS / name) as case:
        assert case.value("SELECT sum(sessions) FROM kept_session") == 2  # of three logins, two logouts


@pytest.mark.parametrize("name", ["spring_default", "spring_indexed_ends", "spring_shop"])
def test_where_a_logout_ends_a_session_nothing_is_kept(name: str) -> None:
    with of_dump("store", folder=WRITERS / name) as case:
        assert case.value("SELECT count(*) FROM kept_session") == 0
