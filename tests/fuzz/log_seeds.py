"""A log of each layout, to be damaged."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence.access_log.test_recognise import BALANCER, CLOUDFRONT, COMBINED, DOCKER, ENVOY, IIS, LINE
from evidence.app_log.test_reader import INCIDENT, SPRING_BOOT
from necropsy.traffic.formats import gather

ASSETS = Path(__file__).parents[1] / "assets" / "access_log"

PLAIN = (
    LINE,
    LINE + ' "198.51.100.7, 10.0.0.2"',
    "shop.example:443 " + LINE,
    LINE + " 417 0.012 [shop-web-80] [] 10.2.0.7:8080 1769 0.012 302 5c1b2e8d9f",
    LINE.partition(' "-"')[0],
    ENVOY,
    BALANCER,
    CLOUDFRONT,
    IIS,
    DOCKER,
    "2019-05-24T18:41:34.250000000Z stdout F " + LINE,
    "May  1 10:00:00 web1 nginx: " + LINE,
    INCIDENT,
    SPRING_BOOT,
)
"""Lines whose layout is told from themselves; errors of an application among them."""

GIVEN = (
    (COMBINED, LINE),
    (f"escape=none {COMBINED}", LINE),
    (
        '$remote_addr [$msec] "$request" $status $request_time "$http_user_agent"',
        '203.0.113.9 [1558723294.250] "GET / HTTP/1.1" 200 0.250 "curl/8.5.0"',
    ),
    (
        '$http_host "$request" $status rt=$request_time [$time_iso8601] "$http_user_agent" $http_x_real_ip',
        'shop.example "GET /login?a=1 HTTP/1.1" 302 rt=0.012 [2019-05-24T18:41:34+00:00] "curl/8.5.0" 203.0.113.9',
    ),
    (
        'escape=json {"w": "$time_iso8601", "x":"$request_method", "y": "$request_uri", "z": $status, "u":"$http_user_agent"}',
        '{"w": "2019-05-24T18:41:34+00:00", "x":"GET", "y": "/login?a=1", "z": 302, "u":"curl/8.5.0"}',
    ),
    ('%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"', LINE),
    (
        '%a [%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t] "%m %U%q" %s %D "%{Cookie}i"',
        '203.0.113.9 [2019-05-24T18:41:34.250] "GET /login?a=1" 302 1200 "SESSION=a"',
    ),
)
"""Formats, and a line that each writes."""

OBJECTS: tuple[dict[str, Any], ...] = (
    {"ts": 1558723294.5, "request": {"remote_ip": "203.0.113.9", "method": "GET", "host": "shop.example", "uri": "/login?next=/",
     "headers": {"User-Agent": ["curl/8.5.0"], "Cookie": ["SESSION=a"]}}, "duration": 0.5, "status": 302},
    {"ClientAddr": "203.0.113.9:41342", "ClientHost": "203.0.113.9", "DownstreamStatus": 302, "Duration": 1234567,
     "RequestHost": "shop.example", "RequestMethod": "GET", "RequestPath": "/login?x=1", "StartUTC": "2019-05-24T18:41:34.000000001Z"},
    {"a": "2019-05-24T18:41:34Z", "b": "GET /login?x=1 HTTP/1.1", "c": 302, "d": "203.0.113.9", "e": "curl/8.5.0"},
)  # fmt: skip
"""Lines of JSON: Caddy's, Traefik's, and one whose keys say nothing."""


def seeds() -> Iterator[bytes]:
    """Yield inputs as the harness takes them: a format or nothing, and under it a log."""
    plain = [text.encode() for text in (*PLAIN, *map(json.dumps, OBJECTS))]
    for text in plain:
        yield b"\n" + text + b"\n" + text + b"\n\n" + text
    for form, line in GIVEN:
        yield f"{form}\n{line}\n{line}\n\n{line}".encode()
    yield b"\n" + b"\n".join(plain)
    yield b"\n" + gzip.compress(plain[0] + b"\n", mtime=0)
    for path in sorted(ASSETS.glob("*.log")):
        beside = path.with_suffix(".conf")
        form = _format_of(beside) if beside.exists() else ""
        yield form.encode() + b"\n" + path.read_bytes()


def _format_of(configuration: Path) -> str:
    server = "apache" if configuration.name.startswith("apache") else "nginx"
    (form,) = gather(None, **{server: [str(configuration)]})
    return form.text if form.escape == "default" else f"escape={form.escape} {form.text}"
