"""The scanner comes to what the reference comes to, on every line that it reads: random, damaged, hostile ones."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.access_log.test_reference import SAMPLES, strange
from necropsy.evidence.access_log import lines, reference
from necropsy.evidence.access_log.formats.layout import LineLayout
from necropsy.evidence.access_log.parallel_scan import with_cookies
from necropsy.evidence.access_log.recognise import recognise
from necropsy.evidence.access_log.scanner.plan import plan_of

CADDY = {
    "level": "info", "ts": 1558723292.1234567, "logger": "http.log.access", "msg": "handled request",
    "request": {"remote_ip": "203.0.113.9", "remote_port": "41342", "proto": "HTTP/2.0", "method": "GET", "host": "a.example",
                "uri": "/상품/🙂?q=1", "headers": {"User-Agent": ["curl/8.5.0"], "Cookie": ["REDACTED"], "Accept": ["*/*", "x"]},
                "tls": {"resumed": False, "version": 772}},
    "bytes_read": 0, "user_id": "", "duration": 0.000929675, "size": 0, "status": 302,
    "resp_headers": {"Server": ["Caddy"], "Set-Cookie": ["SESSION=YjQ; Path=/"], "Location": []},
}  # fmt: skip
ECS = {
    "@timestamp": "2019-05-24T18:41:34.123Z", "ecs": {"version": "1.6.0"}, "event": {"dataset": "nginx.access", "duration": 12},
    "source": {"address": "203.0.113.9", "ip": "203.0.113.9"}, "url": {"original": "/a?b", "path": "/a"},
    "http": {"request": {"method": "GET", "referrer": "http://a.example/"}, "response": {"status_code": 302, "body": {"bytes": 0}}},
    "user_agent": {"original": 'curl/8.5.0 "x"'}, "message": "-",
}  # fmt: skip
TRAEFIK = {
    "ClientAddr": "203.0.113.9:41342", "ClientHost": "203.0.113.9", "ClientPort": "41342", "DownstreamStatus": 302, "Duration": 1234567,
    "RequestHost": "a.example", "RequestMethod": "GET", "RequestPath": "/a?b", "StartUTC": "2019-05-24T18:41:34.123456789Z",
    "request_User-Agent": "curl/8.5.0", "request_Referer": "-", "level": "info", "time": "2019-05-24T18:41:34Z",
}  # fmt: skip
UNTIDY = [
    '{"time":"2019-05-24T18:41:34Z","remote_addr":"203.0.113.9:41342","request":"GET / HTTP/1.1","status":200,"cookie_JSESSIONID":"x"}',
    '{"time":"2019-05-24T18:41:34Z","remote_addr":"[2001:db8::1]:41342","request":"GET / HTTP/1.1","status":200,"cookie_JSESSIONID":"-"}',
    '{"time":"2019-05-24T18:41:34Z","remote_addr":"::ffff:10.0.0.1","request":"GET / HTTP/1.1","status":200,"cookie_JSESSIONID":""}',
]
W3C_OF_IIS = [
    "#Fields: date time cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) cs(Referer) sc-status",
    "2019-05-24 18:41:34 GET /login a=b 203.0.113.9 Mozilla/5.0+(X11;+Linux) - 302",
]


def of(*samples: dict[str, Any]) -> list[str]:
    return [json.dumps(sample, ensure_ascii=ascii_only) for sample in samples for ascii_only in (True, False)]


MORE = {
    "Caddy, whole": of(CADDY),
    "ECS, whole": of(ECS),
    "Traefik, whole": of(TRAEFIK),
    "addresses": UNTIDY,
    "IIS": W3C_OF_IIS,
}


def layouts() -> dict[str, tuple[LineLayout, list[str]]]:
    found = dict(SAMPLES)
    for name, some in MORE.items():
        layout = recognise(some, [])
        assert layout is not None
        found[name] = layout, some
    return {name: (layout, some) for name, (layout, some) in found.items() if plan_of(layout) is not None}


LAYOUTS = layouts()


def scanned(layout: LineLayout, some: Sequence[str]) -> dict[int, tuple[Any, ...]]:
    """Time, status, flags and keys of the lines that the scanner reads."""
    found = lines.scanner(plan_of(layout)).scan("".join(f"{line}\n" for line in some).encode())
    assert found["lines"] == len(some)
    columns = [found["time_us"], found["status"], with_cookies(found), *found["keys"]]
    return {int(number): tuple(int(column[place]) for column in columns) for place, number in enumerate(found["line"])}


def referred(layout: LineLayout, some: Sequence[str]) -> dict[int, tuple[Any, ...]]:
    """The same of the reference."""
    rows = {
        number: row for number, row in enumerate(reference.read(layout, some)) if isinstance(row, reference.ParsedLine)
    }
    texts = {
        name: pa.array([getattr(row, name) for row in rows.values()], pa.large_string())
        for name in ("client", "agent", "host", "request", "referer")
    }
    keys = [lines.keys(texts[name], name) for name in ("client", "agent", "host")]
    keys.append(lines.keys(lines.folded(texts["request"]), "page"))
    keys += [lines.address_keys(texts["host"], texts["request"]), lines.referer_keys(texts["referer"])]
    found = {}
    for place, (number, row) in enumerate(rows.items()):
        client, agent, host, page, address, referer = (int(key[place]) for key in keys)
        redirect = row.status in {301, 302, 303, 307, 308}
        found[number] = (
            row.time_us,
            row.status,
            row.flags,
            client,
            agent,
            host,
            page,
            address if redirect else 0,
            referer,
        )
    return found


def assert_equal(layout: LineLayout, some: Sequence[str]) -> dict[int, Any]:
    read, expected = scanned(layout, some), referred(layout, some)
    for number, row in read.items():
        assert row == expected.get(number), (number, some[number], row, expected.get(number))
    return read


@pytest.mark.parametrize("name", LAYOUTS)
def test_lines_of_a_layout_are_read_as_the_reference_reads_them(name) -> None:
    layout, some = LAYOUTS[name]
    read = assert_equal(layout, some)
    if name.startswith("hostile"):
        return
    assert len(read) * 2 >= len(referred(layout, some))


@pytest.mark.parametrize(
    "name", ["Caddy, whole", "ECS, whole", "Traefik, whole", "IIS", "W3C", "cookies", "cloudfront.log", "caddy.log"]
)
def test_layouts_that_only_duckdb_read_before_are_scanned_whole(name) -> None:
    layout, some = LAYOUTS[name]
    assert scanned(layout, some).keys() == referred(layout, some).keys()


@pytest.mark.process
@pytest.mark.parametrize("name", LAYOUTS)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(seed=st.integers(0, 1 << 40))
def test_strange_lines_that_the_scanner_reads_it_reads_as_the_reference_does(name, seed) -> None:
    layout, some = LAYOUTS[name]
    assert_equal(layout, strange(some, random.Random(seed)))


@settings(max_examples=300, deadline=None)
@given(seconds=st.integers(1126000000, 2147483646), digits=st.text("0123456789", min_size=7, max_size=9))
def test_a_time_finer_than_microseconds_is_rounded_as_a_double_is(seconds, digits) -> None:
    layout, some = LAYOUTS["Caddy, whole"]
    assert_equal(layout, [some[0].replace("1558723292.1234567", f"{seconds}.{digits}")])
