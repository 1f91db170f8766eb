"""The same three requests as each server writes them, and as an attack or an accident leaves them.

A browser, a prober and a script ask a shop: ``GET /login`` at 10:00:00 is answered 302, ``GET /health`` at 10:00:10 is
answered 200, ``POST /cart`` at 10:00:20 is answered 500.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from evidence.access_log.conftest import ASSETS
from necropsy.evidence.access_log.scanner import scan
from necropsy.traffic.formats import gather

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"
START = datetime(2024, 5, 1, 10)  # noqa: DTZ001 -- the case keeps UTC without zone
STORY = [
    ("203.0.113.9", "curl/8.5.0", "GET", "/login", 302, START),
    ("198.51.100.7", "kube-probe/1.29", "GET", "/health", 200, START + timedelta(seconds=10)),
    ("192.0.2.44", FIREFOX, "POST", "/cart", 500, START + timedelta(seconds=20)),
]

LAYOUTS = {
    "apache_combined": ("combined", ""),
    "apache_custom": ("LogFormat shop", "shop.example"),
    "apache_vhost_combined": ("combined, host first", "shop.example:443"),
    "application_load_balancer": ("application load balancer", ""),
    "caddy": ("JSON: time=ts, client=request.client_ip", "shop.example"),
    "cloudfront": ("W3C extended", "shop.example"),
    "docker_container": ("combined", ""),
    "envoy": ("Envoy", "shop.example"),
    "envoy_json": ("JSON: time=start_time, client=x_forwarded_for", "shop.example"),
    "istio": ("Istio", "shop.example"),
    "kubernetes_container": ("combined", ""),
    "kubernetes_ingress_nginx": ("Kubernetes ingress-nginx", ""),
    "nginx_combined": ("combined", ""),
    "nginx_time_of_the_end": ("log_format timed", ""),
    "traefik_common": ("combined", ""),
    "traefik_json": ("JSON: time=StartUTC, client=ClientAddr", "shop.example"),
}
"""What is said of the layout, and the host that its lines tell."""
WITHOUT_AGENT = {
    "apache_common": "common",
    "spring_boot_tomcat": "common",
    "spring_boot_tomcat_with_duration": "common, with more after it",
}
ESCAPED = {
    "default": r"Agent \x22with\x22 \x5C and \x01",
    "json": r"Agent \"with\" \\ and \u0001",
}
"""The last agent as each way of escaping writes it."""


def told(reading: Callable[..., Any], *names: str) -> tuple[Any, list[tuple[Any, ...]]]:
    """Read files by their names, with the configuration that lies beside them; return the log and who asked what."""
    configuration = ASSETS / f"{names[0].partition('.')[0]}.conf"
    beside = [str(configuration)] if configuration.exists() else []
    server = "apache" if names[0].startswith("apache") else "nginx"
    read = reading([ASSETS / name for name in names], log_formats=gather(None, **{server: beside}))
    columns = "client, user_agent, method, path, status, first_at, host, visits"
    return read.log, sorted(read.classes(columns), key=lambda row: row[5])


def bare(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Client, agent, request, answer and second of each row."""
    return [(*row[:5], row[5].replace(microsecond=0)) for row in rows]


@pytest.mark.process
@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_what_a_server_writes_by_default_is_recognised_and_tells_the_same_story(reading, name) -> None:
    log, rows = told(reading, f"{name}.log")
    note, host = LAYOUTS[name]
    assert log.sources[0].note.startswith(note)
    assert bare(rows) == STORY
    assert {row[6] for row in rows} == {host}
    assert log.blemishes == []


@pytest.mark.parametrize("name", WITHOUT_AGENT)
def test_the_common_format_tells_all_but_the_agent(reading, name) -> None:
    log, rows = told(reading, f"{name}.log")
    assert (log.sources[0].note, log.blemishes) == (WITHOUT_AGENT[name], [])
    assert bare(rows) == [(client, "", *rest) for client, _, *rest in STORY]


@pytest.mark.parametrize("escape", sorted(ESCAPED))
def test_a_quotation_mark_that_nginx_escapes_ends_no_value(reading, escape) -> None:
    log, rows = told(reading, f"nginx_escape_{escape}.log")
    assert bare(rows[:2]) == STORY[:2]
    assert rows[2][:5] == ("192.0.2.44", ESCAPED[escape], "POST", "/cart", 500)
    assert log.blemishes == []


def test_a_quotation_mark_that_nginx_does_not_escape_costs_its_line_at_most(reading) -> None:
    log, rows = told(reading, "nginx_escape_none.log")
    assert bare(rows[:2]) == STORY[:2]
    assert log.requests + sum(blemish.count for blemish in log.blemishes) == 3


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("hostile_binary.log", 2),
        ("hostile_line_of_ten_megabytes.log.gz", 2),
        ("hostile_out_of_order.log", 0),
        ("hostile_three_time_zones.log", 0),
    ],
)
def test_what_else_is_in_a_log_changes_nothing_of_the_story(reading, name, damaged) -> None:
    log, rows = told(reading, name)
    told_of_firefox = [(*row[:1], row[1].replace("Fire\ufffd\ufffdfox", "Firefox"), *row[2:]) for row in bare(rows)]
    assert told_of_firefox == STORY
    assert sum(blemish.count for blemish in log.blemishes) == damaged
    assert all(len(blemish.sample) <= 300 for blemish in log.blemishes)


def test_a_line_that_rotation_cuts_in_two_is_two_damaged_lines(reading) -> None:
    log, rows = told(reading, "hostile_cut_by_rotation.log", "hostile_cut_by_rotation.log.1")
    assert bare(rows) == STORY
    assert [(blemish.place, blemish.count) for blemish in log.blemishes] == [(1, 1), (3, 1)]


def test_lines_that_are_there_twice_are_counted_twice(reading) -> None:
    log, rows = told(reading, "hostile_doubled.log")
    assert bare(rows) == STORY
    assert (log.requests, [row[7] for row in rows]) == (6, [2, 2, 2])


@pytest.mark.parametrize("name", ["ansi_escapes", "html", "spreadsheet_formulas"])
def test_an_attack_on_the_reader_of_a_report_is_counted_and_comes_out_in_printable_characters(reading, name) -> None:
    log, rows = told(reading, f"hostile_{name}.log")
    assert bare(rows)[0] == STORY[0]
    assert [row[4] for row in rows] == [302, 200, 500]
    (blemish,) = log.blemishes
    assert (blemish.place, blemish.count) == (4, 1)
    assert all(text.isprintable() for row in rows for text in row if isinstance(text, str))
    assert blemish.sample.isprintable()


def test_every_sample_is_read_by_a_test() -> None:
    read = {f"{name}.log" for name in (*LAYOUTS, *WITHOUT_AGENT)}
    read |= {path.name for path in ASSETS.glob("nginx_*_*.log")} | {path.name for path in ASSETS.glob("hostile_*.log*")}
    assert {path.name for path in ASSETS.iterdir() if path.is_file() and path.suffix != ".conf"} == read


def test_a_line_of_a_request_and_a_whole_url_is_read_with_the_urls_host(reading) -> None:
    line = '{"time":"2024-05-01T10:00:%02dZ","request":"GET /a HTTP/1.1","url":"https://shop.example/a","status":200}\n'
    found = reading("".join(line % second for second in range(20)))
    assert found.log.requests == 20
    assert found.one("host, path") == ("shop.example", "/a")


LINES = [
    f'203.0.113.9 - - [24/May/2019:18:41:{second:02d} +0000] "GET /a HTTP/1.1" 200 9 "-" "caf\u00e9"\n'
    for second in range(60)
]
TEXT = "".join(LINES)
JSON_LINES = "".join(
    f'{{"time":"2019-05-24T18:41:{second:02d}Z","remote_addr":"203.0.113.9","request":"GET /a HTTP/1.1","status":200,'
    '"http_user_agent":"caf\u00e9"}\n'
    for second in range(60)
)
HOLE = b"\0" * 700_000


def cut(text: str) -> int:
    """Return where a line in the middle ends."""
    return text.index("\n", len(text) // 2)


@pytest.mark.parametrize("text", [TEXT, JSON_LINES], ids=["combined", "JSON"])
@pytest.mark.parametrize(
    "written",
    [
        lambda text: HOLE + text.encode(),
        lambda text: HOLE * 3 + text.encode(),
        lambda text: b"\n\0\0\0".join((text[: cut(text)].encode(), text[cut(text) + 1 :].encode())),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xfe\xff" + text.replace("\n", "\r\n").encode("utf-16-be"),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
    ],
    ids=[
        "a hole of NULs",
        "a wide hole",
        "a hole inside",
        "UTF-16",
        "UTF-16 the other way",
        "returns",
        "returns and a mark",
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_however_its_lines_are_written_each_request_counts_once(reading, text, written, pack) -> None:
    read = reading({"access.log": pack(written(text))})
    assert read.log.blemishes == []
    assert read.classes("client, user_agent, path, visits, requests") == [("203.0.113.9", "caf\u00e9", "/a", 60, 60)]


def test_lines_that_returns_tear_apart_count_no_request_twice(reading) -> None:
    read = reading("".join(LINES[:30]) + "".join(LINES[30:40]).replace("\n", "\r") + "\n" + "".join(LINES[40:]))
    assert sum(visits for (visits,) in read.classes("visits")) == read.log.requests <= 60


WIDE = b"\0" * (3 << 20)
"""Wider than any line may be."""


@pytest.mark.parametrize("compiled", [True, False], ids=["scanned", "by DuckDB"])
@pytest.mark.parametrize("text", [TEXT, JSON_LINES], ids=["combined", "JSON"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("joint", "torn"),
    [(b"\r", 0), (b"\n" + WIDE, 0), (b"\n203.0.113.9 - - [24/M" + HOLE, 1), (b"\n203.0.113.9 - - [24/M" + WIDE, 1)],
    ids=["a return alone", "a hole wider than a line", "half a line and a hole", "half a line and a wide hole"],
)
def test_each_of_the_lines_that_are_joined_counts(reading, monkeypatch, compiled, text, pack, joint, torn) -> None:
    if not compiled:
        monkeypatch.setattr(scan, "is_compiled", lambda: False)
    lines = text.encode().splitlines(keepends=True)
    written = b"".join(lines[:39]) + lines[39].rstrip(b"\n") + joint + b"".join(lines[40:])
    read = reading({"access.log": pack(written)})
    assert [(blemish.place, blemish.count) for blemish in read.log.blemishes] == [(41, 1)] * torn
    assert read.classes("client, path, visits, requests") == [("203.0.113.9", "/a", 60, 60)]


def test_a_return_that_a_client_sent_parts_no_line(reading) -> None:
    odd = LINES[7].replace("caf\u00e9", "caf\u00e9\rbar")
    read = reading("".join([*LINES[:7], odd, *LINES[8:]]))
    assert read.log.requests == 60


@pytest.mark.parametrize("size", [1, 60])
def test_a_small_compressed_log_is_read_up_to_where_it_breaks_off(reading, size) -> None:
    packed = gzip.compress("".join(LINES * size).encode(), 0)
    read = reading({"access.log.gz": packed[: len(packed) // 2]})
    assert 0.4 * 60 * size < read.log.requests < 0.6 * 60 * size
    assert "truncated or damaged" in read.log.blemishes[-1].why


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('[{"time": "2019-05-24T18:41:34Z"}]', "jq -c '.[]' FILE"),
        ('[\n  {"time": "2019-05-24T18:41:34Z"}\n]', "jq -c '.[]' FILE"),
        ('{\n  "time": "2019-05-24T18:41:34Z",\n  "uri": "/"\n}\n', "jq -c '.' FILE"),
    ],
)
def test_json_that_is_no_object_a_line_is_told_how_to_become_one(reading, text, command) -> None:
    (absent,) = reading(text).log.absent
    assert "not one object a line" in absent.reason
    assert command in absent.hint
