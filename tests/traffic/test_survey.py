from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from necropsy.model.errors import NoEvidence, UnreadableSource, UsageError
from necropsy.model.traffic import Visitors
from necropsy.traffic.formats import gather
from necropsy.traffic.survey import PARTS, survey
from necropsy.traffic.visitors import SORTS

ASSETS = Path(__file__).parents[1] / "assets" / "access_log"
REDIRECTED = str(ASSETS / "nginx_json_prober_is_redirected.log")
LINE = '203.0.113.{} - - [24/May/2019:18:{:02}:{:02} +0000] "{} HTTP/1.1" {} 17 "-" "{}"\n'


def crawl(path: Path) -> str:
    """A minute of a crawler, and two people."""
    lines = [
        LINE.format(7, 41, s, "GET /news", 200, "Mozilla/5.0 (compatible; AcmeBot/2.1)") for s in (3, 4, 31, 33, 58)
    ]
    lines += [
        LINE.format(8, 42, 10, "GET /", 200, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    ]
    lines += [LINE.format(9, 42, 20, "GET /app.css", 200, "curl/8.5.0")]
    path.write_text("".join(lines))
    return str(path)


def test_the_prober_of_the_incident_is_named_with_its_clock_and_its_sessions() -> None:
    first = survey([REDIRECTED]).visitors[0]
    assert (first.agent, first.period_s, first.sessions) == ("Go net/http", 10.0, "likely")
    assert (first.method, first.path, first.status, first.followed_to) == ("GET", "/", 302, "/login")
    assert (first.visits, first.requests) == (6, 12)
    assert (first.rhythm, first.probers) == ("ticker", 1)


def test_a_log_that_is_not_summed_up_has_neither_checksum_nor_size() -> None:
    summed, plain = (survey([REDIRECTED], checksums=checksums).sources[0] for checksums in (True, False))
    assert (plain.sha256, plain.size) == (None, None)
    assert plain == replace(summed, sha256=None, size=None)
    assert summed.sha256


def test_visits_and_requests_of_all_visitors_are_those_of_the_log() -> None:
    found = survey([REDIRECTED])
    assert found.requests == len(Path(REDIRECTED).read_text().splitlines())
    assert sum(visitor.requests for visitor in found.visitors) == found.requests
    assert found.visits == sum(visitor.visits for visitor in found.visitors)


def test_a_log_that_tells_of_cookies_tells_who_starts_sessions(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    line = '203.0.113.{} [24/May/2019:18:41:{:02} +0000] "GET /shop HTTP/1.1" 200 "curl/8.5.0" "{}" "{}"\n'
    lines = [line.format(7, n, "-", "SESSION=secret") for n in range(4)]
    lines += [line.format(8, 10 + n, "SESSION=secret" if n else "-", "-" if n else "SESSION=secret") for n in range(4)]
    log.write_text("".join(lines))
    text = '$remote_addr [$time_local] "$request" $status "$http_user_agent" "$http_cookie" "$sent_http_set_cookie"'
    for hashed in (False, True):
        found = survey([str(log)], log_formats=gather(text), hash_clients=hashed)
        assert [(v.sessions, v.visits) for v in found.visitors] == [("likely", 4), ("once", 4)]
    assert "secret" not in repr(found)


def test_hashed_addresses_are_told_apart_and_not_told(tmp_path: Path) -> None:
    plain = survey([crawl(tmp_path / "access.log")])
    hashed = survey([str(tmp_path / "access.log")], hash_clients=True)
    assert len({v.client for v in plain.visitors}) == len({v.client for v in hashed.visitors}) == 3
    assert all(re.fullmatch("#[0-9a-f]{16}", visitor.client) for visitor in hashed.visitors)
    assert "203.0.113." not in repr(hashed)
    assert hashed.clients_hashed


def test_hashes_of_one_run_say_nothing_in_another(tmp_path: Path) -> None:
    log = crawl(tmp_path / "access.log")
    clients = [{v.client for v in survey([log], hash_clients=True).visitors} for _ in range(2)]
    assert clients[0].isdisjoint(clients[1])


def test_a_log_without_addresses_has_none_to_hash() -> None:
    assert {visitor.client for visitor in survey([REDIRECTED], hash_clients=True).visitors} == {""}


@pytest.mark.process
def test_every_order_holds_the_same_visitors(tmp_path: Path) -> None:
    log = crawl(tmp_path / "access.log")
    found = {sort: list(survey([log], sort=sort).visitors) for sort in SORTS}
    assert {frozenset(some) for some in found.values()} == {frozenset(found["visits"])}
    assert [v.sessions for v in found["sessions"]] == ["possible", "once", "unlikely"]
    assert [v.visits for v in found["visits"]] == [5, 1, 1]
    assert [v.path for v in found["path"]] == sorted(v.path for v in found["path"])
    assert [v.last_at for v in found["last"]] == sorted((v.last_at for v in found["last"]), reverse=True)


def test_only_requests_of_that_time_are_counted(tmp_path: Path) -> None:
    log = crawl(tmp_path / "access.log")
    since, until = (datetime(2019, 5, 24, 18, 41, second, tzinfo=UTC) for second in (4, 58))
    (visitor,) = survey([log], since=since, until=until).visitors
    assert (visitor.visits, visitor.first_at, visitor.last_at.second) == (3, since, 33)
    assert survey([log], since=since).requests == 6
    assert survey([log], until=until.astimezone(timezone(timedelta(hours=2)))).requests == 4
    with pytest.raises(NoEvidence) as refused:
        survey([log], since=datetime(2020, 1, 1, tzinfo=UTC))
    assert "2019-05-24T18:42:20Z" in refused.value.hint


def test_activity_adds_up_to_the_visits(tmp_path: Path) -> None:
    for visitor in survey([crawl(tmp_path / "access.log")], activity=True).visitors:
        assert len(visitor.activity) == PARTS
        assert sum(visitor.activity) == visitor.visits


def test_a_format_of_nginx_s_own_configuration_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(
        "events {}\nhttp { log_format odd '$status|$request|$msec|$http_user_agent'; access_log odd.log odd; }\n"
    )
    log = tmp_path / "odd.log"
    log.write_text("200|GET / HTTP/1.1|1558723294.137|curl/8.5.0\n" * 3)
    (visitor,) = survey([str(log)], log_formats=gather(None, [str(tmp_path / "nginx.conf")])).visitors
    assert (visitor.agent, visitor.status, visitor.visits) == ("curl", 200, 3)
    given = gather("$status|$request|$msec|$http_user_agent", [])
    assert survey([str(log)], log_formats=given).visitors == Visitors.of(visitor)


def test_a_format_of_apache_s_configuration_is_found_in_what_that_includes(tmp_path: Path) -> None:
    (tmp_path / "apache2.conf").write_text("IncludeOptional conf-enabled/*.conf\nIncludeOptional missing/*.conf\n")
    (tmp_path / "conf-enabled").mkdir()
    (tmp_path / "conf-enabled" / "logs.conf").write_text('LogFormat "%>s|%r|%{msec}t|%{User-Agent}i" odd\n')
    log = tmp_path / "odd.log"
    log.write_text("200|GET / HTTP/1.1|1558723294137|curl/8.5.0\n" * 3)
    formats = gather(None, apache=[str(tmp_path / "apache2.conf")])
    assert [form.name for form in formats] == ["odd"]
    (visitor,) = survey([str(log)], log_formats=formats).visitors
    assert (visitor.agent, visitor.status, visitor.visits) == ("curl", 200, 3)
    given = gather(r"%>s|%r|%{msec}t|%{User-Agent}i")
    assert survey([str(log)], log_formats=given).visitors == Visitors.of(visitor)


def test_a_configuration_that_is_not_there_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource) as refused:
        gather(None, [str(tmp_path / "nginx.conf")])
    assert refused.value.hint
    with pytest.raises(UnreadableSource) as refused:
        gather(None, apache=[str(tmp_path / "httpd.conf")])
    assert refused.value.hint


def test_one_file_that_cannot_be_read_is_an_absence_and_nothing_at_all_an_error(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.log")
    found = survey([REDIRECTED, missing])
    assert [absent.locator for absent in found.absent] == [missing]
    assert found.visitors
    for locators in ([missing], [], [str(Path(__file__))]):
        with pytest.raises(NoEvidence) as refused:
            survey(locators)
        assert refused.value.hint


def test_what_is_no_order_and_what_is_piped_twice_is_refused() -> None:
    for locators, sort in (([REDIRECTED], "size"), (["-", "-"], "visits")):
        with pytest.raises(UsageError):
            survey(locators, sort=sort)


EMPTY_ANSWERS = {
    "combined": '10.0.0.9 - - [24/May/2019:18:41:{second:02} +0000] "GET {path} HTTP/1.1" {status} {size} "-" "{agent}"',
    "JSON": '{{"ts":15587232{second:02},"remote_addr":"10.0.0.9","request":"GET {path} HTTP/1.1","status":{status},'
    '"size":{size},"http_user_agent":"{agent}"}}',
}


@pytest.mark.parametrize("layout", EMPTY_ANSWERS)
@pytest.mark.parametrize("agent", ["curl/8.5.0", "curl/8.5.0 \\x22ours\\x22"])
def test_a_page_that_is_never_more_than_headers_starts_no_session(layout: str, agent: str, tmp_path: Path) -> None:
    asked = [
        ("/poll", 200, 0),
        ("/poll", 200, 0),
        ("/page", 200, 17),
        ("/both", 200, 0),
        ("/both", 200, 17),
        ("/", 302, 0),
    ]
    if layout == "JSON":
        agent = agent.replace("\\x22", '\\"')
    lines = [
        EMPTY_ANSWERS[layout].format(second=second, path=path, status=status, size=size, agent=agent)
        for second, (path, status, size) in enumerate(asked)
    ]
    log = tmp_path / "access.log"
    log.write_text("".join(f"{line}\n" for line in lines))
    found = {visitor.path: (visitor.sessions, visitor.because) for visitor in survey([str(log)]).visitors}
    assert found["/poll"] == ("unlikely", "its responses have no body: no page was shown")
    assert [found[path][0] for path in ("/page", "/both", "/")] == ["possible"] * 3


def test_apache_writes_a_dash_for_no_bytes(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text('10.0.0.9 - - [24/May/2019:18:41:02 +0000] "GET /poll HTTP/1.1" 200 -\n' * 2)
    assert survey([str(log)]).visitors[0].because == "its responses have no body: no page was shown"
