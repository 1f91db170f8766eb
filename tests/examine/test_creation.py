from __future__ import annotations

from typing import Any

import pytest

from necropsy.examine import creation

from .cases import Scene, scene

SLUGS = (creation.PROBES, creation.UNLOGGED, creation.LOGIN, creation.DROPS, creation.BOTS, creation.PEOPLE)


def claimed(s: Scene, **columns: Any) -> str:
    """Add a claim of 40 births by a class of its own; the slug that it belongs to."""
    path, method, agent = (
        columns.pop(name, default) for name, default in (("path", "/"), ("method", "GET"), ("agent", ""))
    )
    s.source("rdb", "access_log").sessions(100)
    s.rows(
        "visitor_class", {"class_id": 1, "user_agent": agent, "host": "h", "method": method, "path": path, "visits": 50}
    )
    s.claim("visitor", 40, **{"class_id": 1, "claim_id": 0, "user_agent": agent, "evidence": "visits", **columns})
    (slug,) = [slug for slug in SLUGS if list(creation.created(s.case, slug))]
    return slug


@pytest.mark.parametrize(
    ("slug", "columns"),
    [
        (creation.PROBES, {"agent": "Go-http-client/1.1", "period_s": 10.0}),
        (creation.BOTS, {"agent": "PriceSpider/2.0", "clients": 1}),
        (creation.BOTS, {"agent": "Mozilla/5.0 (X11; Linux x86_64)", "clients": 3000}),
        (creation.BOTS, {"agent": "", "clients": 3000}),
        (creation.BOTS, {"agent": "curl/8.5.0", "clients": 1}),
        (creation.DROPS, {"agent": "okhttp/4.12.0", "clients": 400, "path": "/orders"}),
        (creation.DROPS, {"agent": "python-requests/2.31", "clients": 1, "path": "/api/orders"}),
        (creation.LOGIN, {"agent": "python-requests/2.31", "clients": 1, "path": "/login", "method": "POST"}),
        (creation.LOGIN, {"agent": "", "clients": 1, "path": "/j_security_check", "method": "POST"}),
        (creation.LOGIN, {"agent": "Java/11", "clients": 1, "path": "/api/login", "method": "POST", "period_s": 10.0}),
    ],
)
def test_each_creator_has_one_slug(slug: str, columns: dict[str, Any]) -> None:
    with scene() as s:
        assert claimed(s, **columns) == slug


def test_a_login_page_that_is_only_looked_at_is_no_login() -> None:
    with scene() as s:
        assert claimed(s, agent="Scanner/1", path="/login", method="GET") == creation.BOTS


def test_shares_of_the_creators_of_one_store_add_up_to_one_at_most() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100)
        for number, creator in enumerate(("probe", "visitor", "unlogged", "people")):
            s.claim(creator, 25, claim_id=number, period_s=10.0 if creator in ("probe", "unlogged") else None)
        shares = [made.share for slug in SLUGS for made in creation.created(s.case, slug)]
    assert sum(shares) == pytest.approx(1.0)
    assert len(shares) == 4


@pytest.mark.parametrize(
    ("columns", "births", "sure"),
    [
        ({}, 80, "high"),
        ({"alternative": "ELB-HealthChecker/2.0 /"}, 80, "low"),
        ({"extrapolated": 60.0}, 80, "medium"),
        ({"births_low": 40.0}, 80, "medium"),
        ({"class_id": 2}, 80, "medium"),
        ({}, 25, "medium"),
    ],
)
def test_certain_is_only_what_nothing_else_fits(columns: dict[str, Any], births: float, sure: str) -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100)
        s.rows(
            "creation_test",
            {"store": "a", "class_id": 1, "visits": 100, "followed": 80, "chance": 0.1, "outcome": "creates"},
        )
        s.claim(
            "visitor",
            births,
            **{"class_id": 1, "claim_id": 0, "user_agent": "PriceSpider/2", "evidence": "visits", **columns},
        )
        (made,) = creation.created(s.case, creation.BOTS)
        said, why = creation.confidence(s.case, made)
    assert said == sure
    assert bool(why) is (sure != "high")


def test_a_train_beside_a_client_that_is_followed_by_births_each_time_is_not_certain() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100)
        s.claim("unlogged", 90, claim_id=0, period_s=20.0, creation_probability=1.0, in_access_log=False)
        (made,) = creation.created(s.case, creation.UNLOGGED)
        assert creation.confidence(s.case, made, least_probability=0.7)[0] == "high"
        s.rows(
            "creation_test",
            {"store": "a", "class_id": 1, "visits": 100, "followed": 100, "chance": 0.01, "outcome": "innocent"},
        )
        assert creation.confidence(s.case, made, least_probability=0.7)[0] == "medium"


@pytest.mark.parametrize("share", [0.4, 0.8])
def test_whoever_creates_most_is_critical(share: float) -> None:
    with scene() as s:
        claimed(s, agent="okhttp/4.12.0", clients=400)
        s.case.execute("UPDATE birth_claim SET births = ?", [100 * share])
        (finding,) = (f for f in s.examine().findings if f.slug == creation.DROPS)
    assert finding.severity == ("critical" if share >= 0.5 else "warning")


def _visited(
    s: Scene, *agents: str, path: str = "/", periods: tuple[float | None, ...] = (), births: float = 20
) -> None:
    s.source("rdb", "access_log").sessions(300)
    for number, agent in enumerate(agents):
        row = {"class_id": number, "user_agent": agent, "host": "h", "method": "GET", "path": path, "visits": 20}
        s.rows("visitor_class", row)
        period_s = periods[number] if periods else None
        about = {
            "class_id": number,
            "claim_id": number,
            "user_agent": agent,
            "evidence": "visits",
            "period_s": period_s,
        }
        s.claim("visitor", births, **about)


def test_a_service_of_many_addresses_is_one_creator_though_it_keeps_its_rhythm_at_some_of_them_only() -> None:
    with scene() as s:
        _visited(s, *["UptimeRobot/2.0"] * 3, periods=(60.0, None, 60.0))
        assert {claim["slug"] for claim in creation.claims(s.case)} == {creation.PROBES}


def test_a_pages_script_that_asks_again_and_again_in_many_browsers_is_no_monitoring() -> None:
    with scene() as s:
        _visited(s, *[f"Mozilla/5.0 (X11; {n})" for n in range(12)], path="/api/news", periods=(30.0,) * 12)
        assert {claim["slug"] for claim in creation.claims(s.case)} == {creation.DROPS}


@pytest.mark.parametrize(("returns", "slug"), [(0.05, creation.DROPS), (0.7, creation.BOTS)])
def test_browsers_none_of_which_brings_its_cookie_back_are_no_robots(returns: float, slug: str) -> None:
    with scene() as s:
        _visited(s, *[f"Mozilla/5.0 (X11; {n})" for n in range(4)])
        for number in range(4):
            test = {"class_id": number, "visits": 20, "probability": 1 - returns, "outcome": "creates"}
            s.rows("creation_test", {"store": "a", **test})
        assert {claim["slug"] for claim in creation.claims(s.case)} == {slug}


def test_what_nobody_is_known_to_have_made_widens_the_interval_of_a_cause_once() -> None:
    with scene() as s:
        _visited(s, "Mozilla/5.0 (A)", "Mozilla/5.0 (B)", births=100)
        s.case.execute("UPDATE birth_claim SET births_low = 100, births_high = 130")
        s.rows("birth_account", {"store": "a", "births": 300, "unknown": 0, "explained": 270, "covered": 300})
        (made,) = creation.created(s.case, creation.BOTS)
    assert (made.share, made.low, made.high) == pytest.approx((200 / 300, 200 / 300, 230 / 300))


@pytest.mark.parametrize(("in_access_log", "sure"), [(False, "high"), (None, "medium")])
def test_who_was_there_when_no_log_was_kept_is_not_surely_in_none(in_access_log: bool | None, sure: str) -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100)
        s.rows(
            "log_span",
            {"log": "access.log", "first_us": 0, "last_us": 1, "resolution_s": 1.0, "times_are_starts": False},
        )
        s.claim("unlogged", 80, claim_id=0, period_s=10.0, in_access_log=in_access_log, creation_probability=1.0)
        (made,) = creation.created(s.case, creation.UNLOGGED)
        assert creation.confidence(s.case, made, least_probability=0.7)[0] == sure


@pytest.mark.parametrize(("births", "probability", "slug"), [
    (22, 0.02, creation.PEOPLE), (22, 0.9, creation.BOTS), (200, 0.1, creation.BOTS),
])  # fmt: skip
def test_a_program_that_comes_back_with_its_session_drops_no_cookie(
    births: float, probability: float, slug: str
) -> None:
    with scene() as s:
        _visited(s, "Dart/3.1 (dart:io)", births=births)
        s.case.execute("UPDATE birth_claim SET clients = 20, creation_probability = ?", [probability])
        s.case.execute("UPDATE visitor_class SET path = '/orders'")
        found = {claim["slug"] for claim in creation.claims(s.case)}
    assert (creation.PEOPLE in found) is (slug == creation.PEOPLE)


def test_a_robot_whose_name_begins_as_a_browsers_is_no_browser_that_loses_its_cookie() -> None:
    agent = "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"
    with scene() as s:
        _visited(s, *[agent] * 12, path="/login", periods=(180.0,) * 12)
        assert {claim["slug"] for claim in creation.claims(s.case)} == {creation.PROBES}
