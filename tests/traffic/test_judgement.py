from __future__ import annotations

import json
from pathlib import Path

import pytest

from necropsy.model.traffic import AgentKind, Likelihood
from necropsy.traffic.judgement import judge


@pytest.mark.parametrize(
    ("kind", "request_", "status", "followed_to", "expected"),
    [
        ("library", "GET /", 302, "/login", "likely"),
        ("prober", "GET /", 302, "/user/sign_in", "likely"),
        ("prober", "GET /", 302, "/oauth2/authorize", "likely"),
        ("unknown", "GET /login", 200, None, "likely"),
        ("crawler", "GET /products/*", 200, None, "possible"),
        ("library", "POST /api/orders", 201, None, "possible"),
        ("library", "GET /admin", 401, None, "possible"),
        ("library", "GET /", 302, "/de/", "possible"),
        ("library", "GET /", None, None, "possible"),
        ("browser", "GET /", 302, "/login", "once"),
        ("browser", "GET /products/*", 200, None, "once"),
        ("browser", "POST /login", 302, "/", "once"),
        ("prober", "GET /health", 200, None, "unlikely"),
        ("library", "GET /actuator/prometheus", 200, None, "possible"),
        ("library", "GET /metrics", 200, None, "unlikely"),
        ("browser", "GET /assets/*.css", 200, None, "unlikely"),
        ("scanner", "GET /wp-login.php", 404, None, "possible"),
        ("scanner", "GET /favicon.ico", 404, None, "unlikely"),
        ("library", "GET /cart", 499, None, "possible"),
        ("browser", "GET /old", 404, None, "once"),
        ("library", "GET /", 429, None, "unlikely"),
        ("library", "GET /", 503, None, "unlikely"),
        ("library", "GET /", 500, None, "possible"),
        ("library", "GET /health", 500, None, "unlikely"),
        ("library", "GET /", 301, None, "unlikely"),
        ("library", "HEAD /", 200, None, "possible"),
        ("library", "HEAD /health", 200, None, "unlikely"),
        ("library", "HEAD /", 302, "/login", "likely"),
        ("browser", "GET /", 304, None, "unlikely"),
    ],
)
def test_a_log_alone_tells_who_probably_starts_sessions(
    kind: AgentKind, request_: str, status: int | None, followed_to: str | None, expected: Likelihood
) -> None:
    method, path = request_.split(" ")
    judged = judge(kind, method, path, status, followed_to)
    assert judged.likelihood == expected
    assert judged.because


def test_head_starts_as_many_sessions_as_get_in_every_recorded_writer() -> None:
    """Why HEAD clears nobody."""
    recordings = list((Path(__file__).parents[1] / "writers").glob("*/facts.json"))
    made = [
        {one["visit"]: one["sessions_made"] for one in json.loads(path.read_text()).get("visits", ())}
        for path in recordings
    ]
    told = [(one["head"], one["look 0"]) for one in made if "head" in one]
    assert {1, 0} == {get for _, get in told}
    assert [head for head, _ in told] == [get for _, get in told]


def test_an_answer_to_head_without_a_body_says_nothing_of_the_page() -> None:
    assert judge("library", "HEAD", "/", 200, None, bare=True).likelihood == "possible"
    assert judge("library", "GET", "/", 200, None, bare=True).likelihood == "unlikely"


def test_what_a_client_did_with_its_cookies_counts_more_than_what_it_calls_itself() -> None:
    assert judge("browser", "GET", "/", 200, None, returns=False).likelihood == "likely"
    assert judge("library", "GET", "/", 302, "/login", returns=True).likelihood == "once"
    assert judge("library", "GET", "/health", 200, None, returns=False).likelihood == "unlikely"


def test_a_browser_s_name_on_a_clock_is_suspicious_when_it_is_sent_to_log_in_each_time() -> None:
    assert judge("browser", "GET", "/", 302, "/login", periodic=True).likelihood == "possible"
    assert judge("browser", "GET", "/inbox", 200, None, periodic=True).likelihood == "once"


def test_nothing_is_said_of_the_cookies_of_many_in_one_row_but_of_what_starts_nothing() -> None:
    folded = judge("unknown", "GET", "*", 200, None, several=True)
    assert (folded.likelihood, "no browser" in folded.because) == ("possible", False)
    assert judge("unknown", "GET", "*", 302, "/login", several=True) == folded
    assert judge("unknown", "GET", "*", 304, None, several=True).likelihood == "unlikely"


def test_in_a_log_without_programs_nobody_is_called_no_browser_but_what_comes_like_clockwork() -> None:
    person = judge("unknown", "GET", "/login", 200, None, untold=True)
    assert person.likelihood == "possible"
    assert "has no User-Agents" in person.because
    clock = judge("unknown", "GET", "/login", 200, None, untold=True, periodic=True)
    assert clock.likelihood == "likely"
    assert "no browser" not in clock.because
    assert "not a browser" not in clock.because
    assert "has no User-Agents, but what comes at a fixed interval is a program" in clock.because
    assert judge("unknown", "GET", "/health", 200, None, untold=True).likelihood == "unlikely"
