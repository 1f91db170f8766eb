from __future__ import annotations

import pytest

from examine.cases import scene

AGENT = "python-requests/2.31"


@pytest.mark.parametrize(("births", "accused"), [(40, True), (2, False)])
def test_a_program_that_logs_in_each_time_is_accused_with_its_share(births: float, accused: bool) -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100)
        s.rows(
            "visitor_class",
            {"class_id": 1, "user_agent": AGENT, "host": "h", "method": "POST", "path": "/login", "visits": 50},
        )
        s.claim("visitor", births, class_id=1, claim_id=0, user_agent=AGENT, evidence="visits", clients=1)
        found = [finding for finding in s.examine().findings if finding.slug == "traffic/login-loop"]
        assert bool(found) is accused
        for finding in found:
            assert finding.share == pytest.approx(births / 100)
            assert AGENT in finding.title
            s.case.rows(finding.primary.query)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("authentication", "said"),
    [("yes", "logged in and look like people's"), ("no", "Nobody is logged in"), ("unknown", "does not use it.")],
)
def test_its_sessions_are_called_logged_in_only_where_they_are(authentication: str, said: str) -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100, authentication=authentication)
        s.rows(
            "visitor_class",
            {"class_id": 1, "user_agent": AGENT, "host": "h", "method": "POST", "path": "/login", "visits": 50},
        )
        s.claim("visitor", 40, class_id=1, claim_id=0, user_agent=AGENT, evidence="visits", clients=1)
        s.case.execute("INSERT INTO session_claim SELECT store, id_hash, 0, 1.0 FROM session")
        (found,) = [finding for finding in s.examine().findings if finding.slug == "traffic/login-loop"]
        assert said in found.text
        assert ("logged in" in found.text) is (authentication != "unknown")


@pytest.mark.parametrize(("logins", "slug"), [(300, "traffic/login-loop"), (30, "traffic/bot-creates-sessions")])
def test_who_is_sent_round_by_a_login_logs_in_whichever_page_it_asks_for_most(logins: int, slug: str) -> None:
    browser = "Mozilla/5.0 (X11; Linux x86_64) Chrome/139.0.0.0 Safari/537.36"
    with scene() as s:
        s.source("rdb", "access_log").sessions(1000)
        common = {"user_agent": browser, "host": "h", "client": "194.8.1.2", "status": 302}
        s.rows(
            "visitor_class",
            {"class_id": 1, "method": "GET", "path": "/", "visits": 310, **common},
            {"class_id": 2, "method": "POST", "path": "/sso/login", "visits": logins, **common},
        )
        s.rows(
            "creation_test",
            *(
                {"store": "a", "class_id": n, "visits": visits, "followed": visits, "chance": 0.1, "probability": 1.0,
                 "probability_low": 0.9, "probability_high": 1.0, "outcome": "creates"}
                for n, visits in ((1, 310), (2, logins))
            ),
        )  # fmt: skip
        s.claim(
            "visitor",
            600,
            class_id=1,
            claim_id=0,
            user_agent=browser,
            evidence="visits",
            clients=1,
            visits=310 + logins,
        )
        found = [
            f.slug for f in s.examine().findings if f.slug in ("traffic/login-loop", "traffic/bot-creates-sessions")
        ]
        assert found == [slug]
