from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from necropsy.examine.case_queries import kept_expired
from necropsy.examine.interface import Examination

from .cases import Scene, scene, slugs


def examined(
    s: Scene, people: float = 95, clients: int | None = 80, covered: int = 100, **sessions: Any
) -> Examination:
    s.source("rdb", "access_log").sessions(100, **sessions).visitors(1, "Mozilla/5.0", "h", period_s=None)
    s.claim("people", people, evidence="visits", clients=clients, visits=300)
    s.rows("birth_account", {"store": "a", "births": 100, "unknown": 0, "explained": people, "covered": covered})
    return s.examine()


def lacking(said: Examination) -> str:
    return next((u.hint for u in said.unexamined if u.slug == "healthy"), "")


def test_a_store_that_people_explain_is_healthy_with_one_session_a_visitor() -> None:
    with scene() as s:
        said = examined(s)
    (finding,) = (f for f in said.findings if f.slug == "healthy")
    assert finding.title == "Store a holds people's sessions: 95 % of 100, 1.2 per visitor"
    assert finding.confidence == "high"


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"people": 60}, "people are known to have created 60 %"),
        ({"people": 40, "covered": 30}, "the access logs cover 30 % of the births; add older ones"),
        ({"clients": 10}, "9.5 sessions per visitor"),
    ],
)
def test_what_is_not_shown_to_be_healthy_is_not_examined(known: dict[str, Any], reason: str) -> None:
    with scene() as s:
        said = examined(s, **known)
    assert "healthy" not in slugs(said)
    assert reason in lacking(said)


def test_logins_alone_are_no_health_without_a_log_that_could_show_a_machine() -> None:
    with scene() as s:
        s.source("rdb").sessions(100, authentication="yes").claim("people", 100, evidence="authenticated")
        said = s.examine()
    assert "healthy" not in slugs(said)
    assert "--access-log" in lacking(said)


def test_a_store_that_keeps_its_expired_sessions_is_not_healthy() -> None:
    with scene() as s:
        examined(s)
        assert kept_expired(s.case) == {}
        s.case.execute("UPDATE source SET taken_at = '2019-05-24 19:00'")
        s.case.execute("UPDATE session SET state = 'expired', expires_at = '2019-05-24 12:00' WHERE rowid < 60")
        said = s.examine()
        assert kept_expired(s.case) == {"a": 0.6}
        s.case.execute(
            "UPDATE session SET expires_at = '2019-05-24 20:00'"
        )  # expired since it was read: as --now has it
        assert kept_expired(s.case) == {}
    assert "healthy" not in slugs(said)
    assert "60 % of its sessions had expired when it was read; read its master" in lacking(said)


def test_sessions_of_unknown_birth_are_not_healthy() -> None:
    with scene() as s:
        examined(s)
        s.case.execute("UPDATE session SET born_at = NULL")
        said = s.examine()
    assert "healthy" not in slugs(said)
    assert "is unknown" in lacking(said)


def test_a_store_of_which_another_examiner_warns_is_not_healthy() -> None:
    with scene() as s:
        said = examined(s, bytes=500_000)
    assert "sessions/oversized" in slugs(said)
    assert "healthy" not in slugs(said)


def test_a_handful_of_sessions_is_neither_ill_nor_healthy() -> None:
    with scene() as s:
        s.source("rdb").sessions(12).claim("visitor", 5, user_agent="Bot/1", evidence="named").claim("people", 7)
        said = s.examine()
    assert "healthy" not in slugs(said)
    assert lacking(said) == "store a: 12 sessions, too few to judge"


@pytest.mark.parametrize(("logins", "healthy"), [(1, True), (40, False), (0, False)])
def test_users_of_unknown_birth_are_people_where_the_log_shows_that_only_people_log_in(
    logins: int, healthy: bool
) -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).visitors(1, "Mozilla/5.0", "h", period_s=None)
        s.claim("people", 95, evidence="visits", clients=80, visits=300)
        s.rows("birth_account", {"store": "a", "births": 100, "unknown": 100, "explained": 95, "covered": 100})
        s.sessions(100, authentication="yes")
        s.case.execute("UPDATE session SET born_at = NULL WHERE authentication = 'yes'")
        s.rows(
            "visitor_class",
            {"class_id": 2, "user_agent": "Mozilla/5.0", "method": "POST", "path": "/login", "visits": 10},
        )
        visits = [{"class_id": 2, "client": client} for client in range(5) for _ in range(logins)]
        if visits:
            s.rows("visit", *visits)
        assert ("healthy" in slugs(s.examine())) is healthy


@pytest.mark.parametrize(("path", "outcome", "healthy"), [
    ("/oauth/token", "untested", False), ("/gateway/v2", "untested", False), ("/gateway/v2", "innocent", True),
])  # fmt: skip
def test_a_program_that_posts_again_and_again_may_be_who_logs_in(path: str, outcome: str, healthy: bool) -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).visitors(1, "Mozilla/5.0", "h", period_s=None)
        s.claim("people", 95, evidence="visits", clients=80, visits=300)
        s.rows("birth_account", {"store": "a", "births": 100, "unknown": 900, "explained": 95, "covered": 100})
        s.sessions(900, authentication="yes")
        s.case.execute("UPDATE session SET born_at = NULL WHERE authentication = 'yes'")
        posts = {"user_agent": "GuzzleHttp/7", "method": "POST", "path": path, "visits": 225}
        form = {"user_agent": "Mozilla/5.0", "method": "POST", "path": "/login", "visits": 5}
        s.rows("visitor_class", {"class_id": 2, **form}, {"class_id": 3, **posts})
        s.rows("visit", *({"class_id": 2, "client": client} for client in range(5)))
        s.rows("visit", *({"class_id": 3, "client": 99} for _ in range(225)))
        s.rows(
            "creation_test",
            {"store": "a", "class_id": 3, "outcome": outcome, "visits": 225, "followed": 5, "chance": 0.02},
        )
        assert ("healthy" in slugs(s.examine())) is healthy


@pytest.mark.parametrize(("pages", "healthy"), [(1, False), (5, True)])
def test_without_user_agents_only_visitors_who_look_around_are_people(pages: int, healthy: bool) -> None:
    with scene() as s:
        s.rows(
            "visitor_class", {"class_id": 1, "user_agent": "", "host": "h", "method": "GET", "path": "/", "visits": 300}
        )
        s.source("rdb", "access_log").sessions(100).claim("people", 95, evidence="visits", clients=80, visits=300)
        s.rows("birth_account", {"store": "a", "births": 100, "unknown": 0, "explained": 95, "covered": 100})
        for client in range(20):
            for page in range(pages):
                s.rows("visit", {"class_id": 1, "client": client, "at_us": client * 1_000_000 + page})
        said = s.examine()
    found = [finding.confidence for finding in said.findings if finding.slug == "healthy"]
    assert found == (["medium"] if healthy else [])
    assert healthy or "has no User-Agent" in lacking(said)


@pytest.mark.parametrize(
    ("path", "outcome", "healthy"), [("/", "untested", False), ("/", "innocent", True), ("/health", "untested", True)]
)
def test_a_machine_that_could_not_be_tested_is_in_the_way_unless_its_page_is_a_health_endpoint(
    path: str, outcome: str, healthy: bool
) -> None:
    with scene() as s:
        s.visitors(2, "", "h", path=path, period_s=1.0)
        s.rows(
            "creation_test",
            {"store": "a", "class_id": 2, "visits": 900, "followed": 900, "chance": 1.0, "probability": 0.0,
             "probability_low": 0.0, "probability_high": 1.0, "outcome": outcome, "reason": "too busy"},
        )  # fmt: skip
        said = examined(s)
    assert ("healthy" in slugs(said)) is healthy
    assert healthy or "every 1 s" in lacking(said)


@pytest.mark.parametrize(("bare", "fetching", "healthy"), [(200, 60, False), (40, 60, True), (200, 10, True)])
def test_browsers_that_fetch_no_file_of_their_one_page_may_be_programs(bare: int, fetching: int, healthy: bool) -> None:
    """Where the log shows that browsers fetch files; many a log has none of them."""
    with scene() as s:
        s.visitors(2, "Mozilla/5.0", "h", path="/p/*", period_s=None).visitors(
            3, "Mozilla/5.0", "h", path="/a.css", period_s=None
        )
        visits = [(1, n) for n in range(60)] + [(2, n) for n in range(60)] + [(3, n) for n in range(fetching)]
        visits += [(2, 1_000 + n) for n in range(bare)]
        s.rows(
            "visit",
            *({"class_id": kind, "client": client, "started_at": datetime(2019, 5, 24, 12)} for kind, client in visits),  # noqa: DTZ001 -- the case holds UTC without a zone
        )
        said = examined(s)
    assert ("healthy" in slugs(said)) is healthy
    assert ("none of its files" in lacking(said)) is not healthy
