"""Visits: redirects and what followed them."""

from __future__ import annotations

import json
import random

GO = "Go-http-client/1.1"


def line(
    second, path, status, *, host="a.example", client="10.0.0.1", agent="Mozilla/5.0", referer="", at="2024-05-01T10:00"
):
    moment = f"{at}:{second:02d}+00:00" if isinstance(second, int) else second
    return json.dumps(
        {
            "time": moment, "remote_addr": client, "host": host, "request": f"GET {path} HTTP/1.1", "status": status,
            "http_referer": referer, "http_user_agent": agent,
        }
    )  # fmt: skip


def test_a_redirect_and_its_target_are_one_visit(reading) -> None:
    read = reading("\n".join([line(1, "/", 302), line(1, "/login", 200), line(2, "/app.css", 200)]))
    assert read.classes() == [
        ("GET", "/", 302, "/login", 1, 2),
        ("GET", "/app.css", 200, None, 1, 1),
    ]


def test_a_redirect_that_nobody_follows_stays_alone(reading) -> None:
    read = reading("\n".join([line(1, "/", 302), line(11, "/", 302), line(21, "/", 302), line(40, "/login", 200)]))
    assert sorted(read.classes()) == [("GET", "/", 302, None, 3, 3), ("GET", "/login", 200, None, 1, 1)]


def test_a_client_that_follows_no_redirect_and_asks_for_pages_in_turn_makes_a_visit_each_time(reading) -> None:
    pages = ("/", "/products", "/news")
    pick = random.Random(3)
    lines = [line(second, pick.choice(pages), 302, agent="k6/0.45.0") for second in range(60)]
    read = reading("\n".join(lines))
    assert {row[3] for row in read.classes()} == {None}
    assert sum(row[4] for row in read.classes()) == 60


def test_what_another_client_asks_is_no_continuation(reading) -> None:
    read = reading(
        "\n".join(
            [line(1, "/", 302), line(1, "/login", 200, client="10.0.0.2"), line(1, "/login", 200, agent="curl/8")]
        )
    )
    assert [row[3] for row in read.classes()] == [None, None, None]


def test_a_chain_of_redirects_is_one_visit_that_ends_at_its_last_page(reading) -> None:
    read = reading("\n".join([line(1, "/", 302), line(1, "/start", 301), line(2, "/sso", 307), line(3, "/login", 200)]))
    assert read.classes() == [("GET", "/", 302, "/login", 1, 4)]


def test_a_chain_has_ten_redirects_at_most(reading) -> None:
    pages = [f"/{'abcdefghijklmn'[i]}" for i in range(14)]
    read = reading("\n".join(line(1, page, 302) for page in pages))
    assert read.classes() == [("GET", "/a", 302, "/k", 1, 11), ("GET", "/l", 302, "/n", 1, 3)]
    assert read.case.value("SELECT sum(requests) FROM visitor_class") == 14


def test_two_probers_in_the_same_second_come_apart_by_their_referer(reading) -> None:
    lines = []
    for minute in range(10):
        at = f"2024-05-01T10:{minute:02d}"
        common = {"client": "", "agent": GO, "at": at}
        # The second one, on the other port, does not follow redirects: the only follower is that of the first.
        lines += [
            line(4, "/", 302, host="10.1.1.1:8080", **common),
            line(4, "/", 302, host="10.1.1.1:80", **common),
            line(4, "/login", 200, host="10.1.1.1", referer="http://10.1.1.1:80", **common),
        ]
    read = reading("\n".join(lines))
    assert sorted(read.classes("host, path, followed_to, visits, requests")) == [
        ("10.1.1.1:80", "/", "/login", 10, 20),
        ("10.1.1.1:8080", "/", None, 10, 10),
    ]


def test_two_probers_in_the_same_second_come_apart_without_a_referer(reading) -> None:
    lines = []
    for minute in range(10):
        common = {"client": "10.0.0.9", "agent": "curl/8", "at": f"2024-05-01T10:{minute:02d}"}
        lines += [
            line(4, "/", 302, host="a.example", **common),
            line(4, "/", 302, host="b.example", **common),
            line(4, "/login", 200, host="b.example", **common),
            line(4, "/login", 200, host="a.example", **common),
        ]
    read = reading("\n".join(lines))
    assert sorted(read.classes("host, path, followed_to, visits, requests")) == [
        ("a.example", "/", "/login", 10, 20),
        ("b.example", "/", "/login", 10, 20),
    ]


def test_the_same_prober_twice_in_one_second_is_two_visits(reading) -> None:
    second = [line(4, "/", 302), line(4, "/", 302), line(4, "/login", 200), line(4, "/login", 200)]
    assert reading("\n".join(second)).classes() == [("GET", "/", 302, "/login", 2, 4)]


def test_paths_of_two_probers_are_told_apart_by_the_page_that_the_referer_names(reading) -> None:
    common = {"client": "", "agent": GO, "host": "a.example:80"}
    lines = []
    for minute in range(5):
        at = f"2024-05-01T10:{minute:02d}"
        lines += [
            line(4, "/", 302, at=at, **common),
            line(4, "/admin", 302, at=at, **common),
            line(4, "/login", 200, at=at, referer="http://a.example:80/", **common),
            line(4, "/admin/login", 200, at=at, referer="http://a.example:80/admin", **common),
        ]
    assert sorted(reading("\n".join(lines)).classes("path, followed_to, visits, requests")) == [
        ("/", "/login", 5, 10),
        ("/admin", "/admin/login", 5, 10),
    ]


def test_a_redirect_to_another_host_is_followed_by_its_referer(reading) -> None:
    lines = [
        line(1, "/", 301, host="example.org", agent=GO),
        line(1, "/", 200, host="www.example.org", agent=GO, referer="http://example.org/"),
    ]
    assert reading("\n".join(lines)).classes("host, path, status, followed_to, requests") == [
        ("example.org", "/", 301, "/", 2)
    ]


def test_passers_by_under_the_same_name_do_not_become_followers(reading) -> None:
    # A log without addresses: everybody with this browser is one client. Most redirects are followed by /login.
    lines = []
    for minute in range(40):
        at = f"2024-05-01T10:{minute:02d}"
        lines.append(line(10, "/", 302, client="", at=at))
        if minute == 7:
            lines.append(line(10, "/news", 200, client="", at=at))
        lines.append(line(11, "/login", 200, client="", at=at))
    assert sorted(reading("\n".join(lines)).classes("path, followed_to, visits, requests")) == [
        ("/", "/login", 40, 80),
        ("/news", None, 1, 1),
    ]


def test_lines_out_of_order_are_put_in_order(reading) -> None:
    read = reading("\n".join([line(9, "/login", 200), line(30, "/b", 200), line(8, "/", 302)]))
    assert sorted(read.classes()) == [("GET", "/", 302, "/login", 1, 2), ("GET", "/b", 200, None, 1, 1)]


def test_times_of_several_zones_are_one_time(reading) -> None:
    lines = [line("2024-05-01T12:00:01+02:00", "/", 302), line("2024-05-01T03:00:02-07:00", "/login", 200)]
    read = reading("\n".join(lines))
    assert read.classes() == [("GET", "/", 302, "/login", 1, 2)]
    assert read.log.first_at is not None
    assert read.log.first_at.isoformat() == "2024-05-01T10:00:01+00:00"


def test_the_slack_decides_how_late_a_follower_may_come(reading) -> None:
    lines = "\n".join([line(1, "/", 302), line(9, "/login", 200)])
    assert reading({"a.log": lines}).classes("followed_to") == [(None,), (None,)]
    assert (
        reading({"b.log": lines}, slack_s=10).case.value(
            "SELECT count(*) FROM visitor_class WHERE followed_to = '/login'"
        )
        == 1
    )


def test_a_redirect_at_the_end_of_one_file_is_followed_in_the_next(reading) -> None:
    read = reading({"access.log.1": line(1, "/", 302) + "\n", "access.log": line(2, "/login", 200) + "\n"})
    assert read.classes() == [("GET", "/", 302, "/login", 1, 2)]
    assert {row[0].rpartition("/")[2] for row in read.classes("log")} == {"access.log"}


def test_a_client_that_follows_no_redirect_keeps_its_pages_apart_although_some_redirect_and_some_do_not(
    reading,
) -> None:
    status = {"/": 302, "/cart": 302, "/products": 200}
    pick = random.Random(5)
    lines = [
        line(f"2024-05-01T10:{n // 180:02d}:{n // 3 % 60:02d}+00:00", page, status[page], agent="k6/0.54.0")
        for n in range(900)
        for page in [pick.choice(sorted(status))]
    ]
    assert {row[3] for row in reading("\n".join(lines)).classes()} == {None}


def test_two_clients_of_one_name_that_follow_at_one_moment_have_a_visit_each(reading) -> None:
    lines = []
    for minute in range(40):
        at = f"2024-05-01T10:{minute:02d}"
        lines += [line(4, page, status, agent=GO, at=at) for page, status in [("/", 302)] * 2 + [("/login", 200)] * 2]
    assert reading("\n".join(lines)).classes() == [("GET", "/", 302, "/login", 80, 160)]


def test_each_request_of_a_client_that_is_sent_round_and_round_is_a_visit(reading) -> None:
    pages = ("/", "/sso/login", "/sso/callback")
    lines = [line(second, pages[second % 3], 302) for second in range(12)]
    read = reading("\n".join(lines))
    assert sorted(read.classes()) == [("GET", page, 302, None, 4, 4) for page in sorted(pages)]


def test_a_login_that_comes_back_to_its_page_is_one_visit(reading) -> None:
    pages = [("/", 302), ("/sso/login", 302), ("/sso/callback", 302), ("/", 302), ("/start", 200)]
    read = reading("\n".join(line(second, page, status) for second, (page, status) in enumerate(pages)))
    assert read.classes() == [("GET", "/", 302, "/start", 1, 5)]


def test_a_client_that_is_sent_round_now_and_then_makes_a_visit_each_time_too(reading) -> None:
    pages = ("/", "/sso/login", "/sso/callback", "/", "/sso/login", "/sso/callback")
    lines = [
        line(second, page, 302, at=f"2024-05-01T10:{n:02d}") for n in range(12) for second, page in enumerate(pages)
    ]
    read = reading("\n".join(lines))
    assert sorted(read.classes()) == [("GET", page, 302, None, 24, 24) for page in sorted(set(pages))]


def test_a_login_that_comes_back_to_its_page_each_time_stays_one_visit(reading) -> None:
    pages = [("/", 302), ("/sso/login", 302), ("/sso/callback", 302), ("/", 302), ("/start", 200)]
    lines = [
        line(second, page, status, at=f"2024-05-01T10:{n:02d}")
        for n in range(40)
        for second, (page, status) in enumerate(pages)
    ]
    assert reading("\n".join(lines)).classes() == [("GET", "/", 302, "/start", 40, 200)]
