"""Session cookies: two answers a line, no value anywhere."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.case.scratch import Scratch
from necropsy.case.store import Case
from necropsy.evidence.access_log.formats.fields.cookies import field_of, flags, sql
from necropsy.evidence.access_log.reader import read
from necropsy.model.evidence import Origin
from necropsy.probes.simulate import LogFormat
from necropsy.visits import analyse
from nginx import Logging, logging_nginx

SECRET = "0123456789abcdef0123456789abcdef"
TEXT = '$remote_addr [$time_local] "$request" $status "$http_user_agent" "$http_cookie" "$sent_http_set_cookie"'
LINE = '10.0.0.{} [24/May/2019:18:41:{:02} +0000] "GET {} HTTP/1.1" {} "{}" "{}" "{}"\n'
WHAT = "client, user_agent, clients, visits, brought, given, renewed"


def form(text: str = TEXT) -> LogFormat:
    return LogFormat("--log-format", text, "default", Origin("--log-format", 0))


def uses(read: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in read.case.rows(f"SELECT {WHAT} FROM cookie_use ORDER BY client, user_agent")]


def test_who_drops_cookies_is_told_from_who_returns_them(reading: Callable[..., Any]) -> None:
    drops = [LINE.format(9, n, "/", 200, "curl/8", "-", f"JSESSIONID={SECRET}; Path=/; HttpOnly") for n in range(5)]
    returns = [LINE.format(8, 10, "/", 200, "Firefox", "theme=dark", f"JSESSIONID={SECRET}; Path=/")]
    returns += [LINE.format(8, 11 + n, "/", 200, "Firefox", f"theme=dark; JSESSIONID={SECRET}", "-") for n in range(4)]
    read = reading("".join(drops + returns), log_formats=[form()])
    assert uses(read) == [("10.0.0.8", "Firefox", 1, 5, 4, 1, 1), ("10.0.0.9", "curl/8", 1, 5, 0, 5, 5)]


def test_a_redirect_and_what_follows_it_is_one_visit_with_what_it_brought_first(reading: Callable[..., Any]) -> None:
    lines = []
    for n in range(4):
        lines.append(LINE.format(9, n * 10, "/", 302, "Go-http-client/1.1", "-", "-"))
        lines.append(LINE.format(9, n * 10, "/login", 200, "Go-http-client/1.1", "-", f"SESSION={SECRET}"))
    read = reading("".join(lines), log_formats=[form()])
    assert uses(read) == [("10.0.0.9", "Go-http-client/1.1", 1, 4, 0, 4, 4)]


def test_logs_that_tell_half_of_it_or_nothing_make_no_rows(reading: Callable[..., Any]) -> None:
    half = '10.0.0.9 [24/May/2019:18:41:34 +0000] "GET / HTTP/1.1" 200 "JSESSIONID=x"\n'
    read = reading(half, log_formats=[form('$remote_addr [$time_local] "$request" $status "$http_cookie"')])
    assert read.log.requests == 1
    assert uses(read) == []


CADDY = (
    '{{"ts":15587232{:02}.5,"request":{{"remote_ip":"10.0.0.9","method":"GET","host":"a","uri":"/","headers":{{"User-Agent":["x"]'
    '{}}}}},"status":200,"resp_headers":{{"Server":["Caddy"]{}}}}}\n'
)


@pytest.mark.parametrize(
    ("log", "formats"),
    [
        (
            "".join(
                CADDY.format(
                    n, ',"Cookie":["REDACTED"]' if n == 3 else "", "" if n == 3 else ',"Set-Cookie":["REDACTED"]'
                )
                for n in range(4)
            ),
            [],
        ),
        (
            "".join(
                f'{{"time":"2019-05-24T18:41:3{n}Z","ClientHost":"10.0.0.9","RequestMethod":"GET","RequestPath":"/","status":200,'
                f'"request_Cookie":"{"a=b; PHPSESSID=" + SECRET if n == 3 else "a=b"}",'
                f'"downstream_Set-Cookie":"{"" if n == 3 else "PHPSESSID=" + SECRET}"}}\n'
                for n in range(4)
            ),
            [],
        ),
        (
            "".join(
                f'10.0.0.9 - - [24/May/2019:18:41:3{n} +0000] "GET / HTTP/1.1" 200 {SECRET if n == 3 else "-"}'
                f' "{"-" if n == 3 else "JSESSIONID=" + SECRET}"\n'
                for n in range(4)
            ),
            [form(r"%h %l %u %t \"%r\" %>s %{JSESSIONID}C \"%{Set-Cookie}o\"")],
        ),
    ],
    ids=["Caddy", "Traefik", "Apache"],
)
def test_other_layouts_tell_it_too(reading: Callable[..., Any], log: str, formats: list[LogFormat]) -> None:
    ((client, _, clients, visits, brought, given_, renewed),) = uses(reading(log, log_formats=formats))
    assert (client, clients, visits, brought, given_, renewed) == ("10.0.0.9", 1, 4, 1, 3, 3)


def test_no_value_of_a_cookie_reaches_a_case(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    lines = [
        LINE.format(9, n, "/", 200, "curl/8", f"SESSION={SECRET}", f"JSESSIONID={SECRET}; Path=/") for n in range(5)
    ]
    log.write_text("".join([*lines, lines[0].replace('"GET', "GET"), lines[0][:90]]))
    with Case.create(tmp_path / "a.case") as case:
        said = read(case, [str(log)], log_formats=[form()])
        assert case.value("SELECT sum(brought) FROM cookie_use") == 5
    assert SECRET not in repr(said)
    assert SECRET.encode() not in (tmp_path / "a.case").read_bytes()


def test_many_clients_are_folded_and_none_is_lost(reading: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyse, "CLIENTS", 1)
    lines = [LINE.format(n, n, "/", 200, "curl/8", "-", f"SESSION={SECRET}") for n in range(9)]
    lines += [LINE.format(99, n, "/", 200, "curl/8", "-", f"SESSION={SECRET}") for n in range(4)]
    lines += [LINE.format(77, n, "/", 200, "x", f"SESSION={SECRET}", "-") for n in range(3)]
    read = reading("".join(lines), log_formats=[form()])
    assert uses(read) == [("*", "*", 9, 9, 0, 9, 9), ("*", "*", 1, 3, 3, 0, 0), ("10.0.0.99", "curl/8", 1, 4, 0, 4, 4)]


@pytest.mark.parametrize(
    ("header", "brought"),
    [
        ("JSESSIONID=x", 1), ("a=b; PHPSESSID=x", 1), ("connect.sid=s%3Ax", 1), ("__Host-session=x", 1), ("_shop_session=x", 1),
        ("laravel_session=x", 1), ("ASP.NET_SessionId=x", 1), ("sid=x", 1), ("SESSION=", 0), ("side=left", 0), ("inside=1", 0),
        ("theme=session", 0), ("_ga=GA1.2; theme=dark", 0), ("", 0), ("-", 0), ("REDACTED", 1),
    ],
)  # fmt: skip
def test_session_cookies_are_told_from_others_by_their_names(scratch: Scratch, header: str, brought: int) -> None:
    column = sql({"cookie": "header"})
    row = scratch.connection.execute(f"SELECT {column} FROM (SELECT ? AS header)", [header]).fetchone()
    assert row == (2 + brought,)
    assert flags({"cookie": header}) == 2 + brought


@given(st.text(max_size=40))
def test_any_variable_is_a_cookie_or_not(name: str) -> None:
    assert field_of(name) in {None, "cookie", "own_cookie", "set_cookie", "own_set_cookie"}


# -- the real nginx -------------------------------------------------------------------------------------------------

APPLICATION = """
map $cookie_JSESSIONID $fresh { "" "JSESSIONID=$request_id; Path=/; HttpOnly"; default ""; }
map $cookie_JSESSIONID $brought { "" "-"; default "yes"; }
map $sent_http_set_cookie $given { ~JSESSIONID= "yes"; default "-"; }
"""
ANSWERS = "location / { add_header Set-Cookie $fresh; return 200 ok; }"
WHOLE = f"'{TEXT}'"
FOLDED = (
    """'{"time":"$time_iso8601","remote_addr":"$remote_addr","request":"$request","status":"$status","""
    """"agent":"$http_user_agent","cookie_jsessionid":"$brought","upstream_cookie_jsessionid":"$given"}'"""
)


@pytest.fixture(params=[WHOLE, FOLDED], ids=["headers", "two words of the page"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Logging, str]]:
    with logging_nginx(tmp_path, request.param, ANSWERS, before=APPLICATION) as running:
        yield running, request.param


@pytest.mark.integration
def test_an_application_behind_nginx_shows_who_drops_its_cookies(
    server: tuple[Logging, str], reading: Callable[..., Any]
) -> None:
    nginx, text = server
    nginx.ask("/", times=4)
    connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=10)
    jar = ""
    for _ in range(4):
        connection.request("GET", "/", headers={"User-Agent": "keeps-cookies/1", **({"Cookie": jar} if jar else {})})
        answer = connection.getresponse()
        answer.read()
        jar = (answer.getheader("Set-Cookie") or jar).split(";")[0]
    connection.close()
    read = reading([nginx.log], log_formats=[form(text.strip("'"))])
    assert [row[1:] for row in uses(read)] == [("keeps-cookies/1", 1, 4, 3, 1, 1), ("necropsy-test/1", 1, 4, 0, 4, 4)]
