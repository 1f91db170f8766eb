from __future__ import annotations

from examine.cases import cleared, scene
from necropsy.examine.interface import Examination

PROBER = {"log": "access.log", "client": "10.0.0.9", "user_agent": "Go-http-client/1.1", "clients": 1, "visits": 8640, "brought": 0,
          "given": 8640, "renewed": 8640}  # fmt: skip
PERSON = {"log": "access.log", "client": "203.0.113.7", "user_agent": "Mozilla/5.0", "clients": 1, "visits": 60, "brought": 59,
          "given": 1, "renewed": 1}  # fmt: skip
CROWD = {"log": "access.log", "client": "*", "user_agent": "*", "clients": 500, "visits": 900, "brought": 0, "given": 700,
         "renewed": 700}  # fmt: skip
SLUG = "traffic/client-drops-cookie"


def examined(*rows: dict[str, object]) -> Examination:
    with scene() as s:
        return s.source("access_log").rows("cookie_use", *rows).examine()


def test_a_client_that_never_returns_what_it_was_given_is_told_from_one_that_does() -> None:
    (finding,) = (f for f in examined(PROBER, PERSON).findings if f.slug == SLUG)
    assert finding.title == "1 client never returns the session cookie: > 99.9 % of all cookies set"
    assert finding.primary is not None
    assert finding.primary.title == "Go-http-client/1.1: 8,640 sessions"
    assert "1 other client did return theirs" in finding.text
    assert "Mozilla" not in str(finding)


def test_when_nobody_returns_a_cookie_the_cookie_itself_is_suspected() -> None:
    (finding,) = (f for f in examined(PROBER).findings if f.slug == SLUG)
    assert "SameSite" in finding.text


def test_people_of_one_or_two_visits_are_no_droppers() -> None:
    assert SLUG in cleared(examined(PERSON, CROWD))


def test_a_dropper_among_many_who_return_theirs_does_not_matter() -> None:
    many = {**PERSON, "client": "*", "clients": 5000, "visits": 90_000, "brought": 80_000, "given": 9000}
    assert SLUG in cleared(examined({**PROBER, "visits": 20, "given": 20, "renewed": 20}, many))


def test_a_log_that_tells_nothing_of_cookies_leaves_it_unexamined() -> None:
    said = examined()
    (unexamined,) = (u for u in said.unexamined if u.slug == SLUG)
    assert "$http_cookie" in unexamined.hint
    assert SLUG not in cleared(said)
