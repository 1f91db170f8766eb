"""Whether an answer starts a session, and a target's jar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.guard.prober.cookies import Jar, set_cookies


@pytest.mark.parametrize("header", [
    "JSESSIONID=A1; Path=/; HttpOnly", "SESSION=ZTM; Path=/; SameSite=Lax", "PHPSESSID=q1; path=/", "connect.sid=s%3Aa.b",
    "laravel_session=ey; expires=Fri, 24-May-2030 20:00:00 GMT; Max-Age=7200", "ASP.NET_SessionId=x", "_app_session=x",
    "sessionid=x; Max-Age=1209600",
])  # fmt: skip
def test_a_session_cookie_that_was_not_brought_starts_a_session(header: str) -> None:
    (cookie,) = set_cookies([header], "theme=dark")
    assert cookie.is_session
    assert cookie.is_new


@pytest.mark.parametrize(("header", "brought"), [
    ("theme=dark", ""), ("XSRF-TOKEN=x", ""), ("JSESSIONID=; Max-Age=0", "JSESSIONID=A1"),
    ("sid=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT", "sid=1"), ("SESSION=A1; Path=/", "a=b; SESSION=A1"),
])  # fmt: skip
def test_other_cookies_deletions_and_what_was_brought_start_none(header: str, brought: str) -> None:
    assert not any(cookie.is_session and cookie.is_new for cookie in set_cookies([header], brought))


def test_a_jar_brings_back_what_was_set_by_name_of_the_host_and_path() -> None:
    jar = Jar()
    jar.keep("http://admin:8080/login", ["JSESSIONID=A1; Path=/", "x=1; Path=/elsewhere"])
    assert jar.header("http://admin:8080/") == "JSESSIONID=A1"
    assert jar.header("http://other:8080/") == ""
    jar.keep("http://admin:8080/", ["JSESSIONID=; Max-Age=0; Path=/"])
    assert jar.header("http://admin:8080/") == ""


def test_a_login_that_sets_a_cookie_of_a_new_name_each_time_fills_no_memory_and_costs_no_session() -> None:
    jar, url = Jar(), "http://admin/login"
    jar.keep(url, ["JSESSIONID=A1; Path=/", "sid2=4f7Q9x8Zk2Lm5Np0Rt6V; Path=/"])
    for number in range(1_000):
        jar.keep(url, [f"mod_auth_openidc_state_{number}=x; Path=/", f"huge{number}={'x' * 5_000}; Path=/"])
    brought = jar.header(url).split("; ")
    assert len(brought) == 50
    assert {"JSESSIONID=A1", "sid2=4f7Q9x8Zk2Lm5Np0Rt6V"} <= set(brought)
    jar.keep(url, ["JSESSIONID=B2; Path=/"])
    assert "JSESSIONID=B2" in jar.header(url)


@given(st.lists(st.text(max_size=60), max_size=4), st.text(max_size=30))
def test_headers_of_any_text_are_read(headers: list[str], brought: str) -> None:
    assert len(set_cookies(headers, brought)) == len(headers)
