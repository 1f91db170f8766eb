"""Caddy: active health checks of ``reverse_proxy`` in a Caddyfile (modules/caddyhttp/reverseproxy/healthchecks.go).

Sample::

    shop.example {
        reverse_proxy 10.0.0.1:8080 10.0.0.2:8080 {
            health_uri /login
            health_interval 10s
        }
    }

Each upstream is asked by itself, by Go's client without cookies. Since 2.8 it follows redirects only when told to
(``health_follow_redirects``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from necropsy.model.errors import NotJudged
from necropsy.model.evidence import Origin
from necropsy.probes.consul.model import go_seconds
from necropsy.probes.http.request import set_headers
from necropsy.probes.probers.caddy_text import CaddyDirective, directives
from necropsy.probes.probers.interface import Prober, ProberReading, Schedule, add, http_probe

_DEFAULT_INTERVAL_S: Final = 30.0
_AGENT: Final = "Go-http-client/1.1"
_MOST_PORTS: Final = 100


def read(text: str, file: str) -> ProberReading:
    """Read a Caddyfile."""
    found = ProberReading()
    for site, proxy in _proxies(directives(text), ""):
        _proxy(site, proxy, file, found)
    return found


def _proxies(block: tuple[CaddyDirective, ...], site: str) -> Iterator[tuple[str, CaddyDirective]]:
    """Yield the site and the directive of each reverse proxy."""
    for one in block:
        if one.words[:1] == ("reverse_proxy",):
            yield site, one
        elif one.words and not re.fullmatch(r"\(.+\)", one.words[0]):  # a snippet alone proxies nothing
            yield from _proxies(one.block or (), site or one.words[0].rstrip(","))


def _proxy(site: str, proxy: CaddyDirective, file: str, found: ProberReading) -> None:
    inside = {one.words[0]: one for one in proxy.block or () if one.words}

    def value(name: str) -> str:
        return inside[name].words[1] if name in inside and len(inside[name].words) > 1 else ""

    says = next((inside[name] for name in ("health_uri", "health_path", "health_port") if name in inside), None)
    if says is None:
        return
    headers = {one.words[0].lower(): one.words[1] for one in _of(inside, "health_headers") if len(one.words) > 1}
    origin = Origin(file, says.line, "checks the upstreams of reverse_proxy")
    schedule = Schedule(_seconds(value("health_interval")) or _DEFAULT_INTERVAL_S, "ticker")
    secure = any("tls" in one.words[0] for one in _of(inside, "transport"))
    uri = value("health_uri") or value("health_path") or "/"
    given = [word for word in proxy.words[1:] if not word.startswith(("@", "/", "*"))]
    given += [word for one in proxy.block or () if one.words[:1] == ("to",) for word in one.words[1:]]
    if not given:
        hint = "Ask each of them once by hand, to see whether the answer sets a cookie."
        found.problems.append(NotJudged(file, says.line, "its upstreams are found as it runs", hint=hint))
    upstreams = [each for word in given for each in _expanded(word)]
    for upstream in [value("health_upstream")] * bool(value("health_upstream")) or upstreams:
        base = _base(upstream, value("health_port"), secure=secure)
        probe = http_probe(
            f"caddy/{site or upstream}",
            "caddy-health-check",
            f"{base}{'' if uri.startswith('/') else '/'}{uri}",
            schedule,
            (origin,),
            method=value("health_method") or "GET",
            user_agents=(headers.get("user-agent") or _AGENT,),
            follows_redirects="health_follow_redirects" in inside,
            host_header=headers.get("host", ""),
            headers=set_headers(headers),
            service=site or None,
            instance=upstream,
        )
        add(found, probe, origin)


def _of(inside: dict[str, CaddyDirective], name: str) -> tuple[CaddyDirective, ...]:
    return (inside[name].block or ()) if name in inside else ()


def _expanded(upstream: str) -> Iterator[str]:
    """Yield the upstreams of a range of ports: ``10.0.0.1:8001-8003``."""
    found = re.fullmatch(r"(.*:)(\d+)-(\d+)", upstream)
    if found is None:
        if not upstream.startswith("unix/"):
            yield upstream
        return
    first, last = int(found[2]), int(found[3])
    yield from (f"{found[1]}{port}" for port in range(first, min(last, first + _MOST_PORTS) + 1))


def _base(upstream: str, port: str, *, secure: bool) -> str:
    """Return the address that is asked; a placeholder is nobody's address.

    >>> _base("web:8080", "", secure=False), _base("https://web", "8443", secure=False), _base("{$APP}", "", secure=True)
    ('http://web:8080', 'https://web:8443', 'https://<address>')
    """
    scheme, _, rest = upstream.rpartition("://")
    scheme = "https" if secure or scheme == "https" else "http"
    host, _, own = rest.partition("/")[0].rpartition(":") if re.search(r":\d+$", rest) else (rest, "", "")
    host = "<address>" if "{" in host or not host else host
    port = port or own
    return f"{scheme}://{host}{f':{port}' if port else ''}"


def _seconds(text: str) -> float:
    """Read a duration of Caddy's: Go's, and days.

    >>> _seconds("1d12h"), _seconds("500ms")
    (129600.0, 0.5)
    """
    days = re.match(r"(\d+)d", text)
    rest = text[days.end() :] if days else text
    return (int(days[1]) * 86400.0 if days else 0.0) + (go_seconds(rest) if rest else 0.0)


PROBER: Final = Prober("caddy", "Caddy", read)
