"""nginx itself as a prober: ``health_check`` (NGINX Plus) and ``check`` (nginx_upstream_check_module, Tengine).

Sample::

    upstream admin { zone admin 64k; server 10.0.0.1:8080; }
    server { location / { proxy_pass http://admin; health_check uri=/health interval=2s; } }
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.model.probe import Probe
from necropsy.probes.nginx.servers import PASSES
from necropsy.probes.nginx.tokens import Directive
from necropsy.probes.nginx.tree import roots
from necropsy.probes.nginx.upstreams import Upstream, pass_target, read_upstream
from necropsy.probes.probers.interface import Schedule, harmless_probe, http_probe

_DEFAULT_INTERVAL_S: Final = 5.0
_DEFAULT_CHECK_MS: Final = 30_000
_UNITS: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
_REQUEST: Final = re.compile(r"([A-Z]+) (\S+)")


def nginx_probes(texts: Mapping[str, str]) -> list[Probe]:
    """Return the health checks that nginx sends to its upstreams; texts as for ``read_nginx``."""
    found: list[Probe] = []
    for tree in roots(texts):
        for context in (item.block or () for item in tree.directives if item.name == "http"):
            upstreams = {u.name.lower(): u for u in map(read_upstream, _named(context, "upstream"))}
            for location in _locations(context):
                found.extend(_health_checks(location, upstreams))
            for block in _named(context, "upstream"):
                found.extend(_checks(block, upstreams))
    return found


def _named(directives: Iterable[Directive], name: str) -> Iterator[Directive]:
    return (item for item in directives if item.name == name and item.block is not None)


def _locations(directives: Iterable[Directive]) -> Iterator[Directive]:
    for item in directives:
        if item.name == "location":
            yield item
        if item.name in ("server", "location"):
            yield from _locations(item.block or ())


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)(ms|s|m|h|d|)", text)
    return int(match[1]) * _UNITS[match[2]] if match else 0.0


def _health_checks(location: Directive, upstreams: Mapping[str, Upstream]) -> Iterator[Probe]:
    block = location.block or ()
    target = next((item.arguments[0] for item in block if item.name in PASSES and item.arguments), "")
    upstream = upstreams.get(pass_target(target)[0].lower())
    for item in block:
        if item.name != "health_check" or upstream is None:
            continue
        options = dict(argument.partition("=")[::2] for argument in item.arguments)
        schedule = Schedule(_seconds(options.get("interval", "")) or _DEFAULT_INTERVAL_S)
        origin = Origin(item.file, item.line, f"probes the servers of {upstream.name}")
        scheme = "https" if target.startswith("https") else "http"
        yield from _each(upstream, scheme, options.get("port", ""), "GET", options.get("uri", "/"), schedule, origin)


def _checks(block: Directive, upstreams: Mapping[str, Upstream]) -> Iterator[Probe]:
    upstream = upstreams[block.arguments[0].lower()] if block.arguments else None
    for item in block.block or ():
        if item.name != "check" or upstream is None:
            continue
        options = dict(argument.partition("=")[::2] for argument in item.arguments)
        milliseconds = options.get("interval", "")
        schedule = Schedule((int(milliseconds) if milliseconds.isdigit() else _DEFAULT_CHECK_MS) / 1000)
        origin = Origin(item.file, item.line, f"probes the servers of {upstream.name}")
        kind = options.get("type", "tcp")
        if kind != "http":
            for server in upstream.servers:
                where, because = (
                    f"{server.address}:{options.get('port') or server.port}",
                    f"a {kind} check requests no page",
                )
                yield harmless_probe(
                    f"nginx/{upstream.name}",
                    "nginx-check",
                    where,
                    schedule,
                    (origin, server.origin),
                    because,
                    service=upstream.name,
                )
            continue
        sent = next((i.arguments[0] for i in block.block or () if i.name == "check_http_send" and i.arguments), "")
        match = _REQUEST.match(sent)
        method, path = (match[1], match[2]) if match else ("GET", "/")
        yield from _each(upstream, "http", options.get("port", ""), method, path, schedule, origin)


def _each(
    upstream: Upstream, scheme: str, port: str, method: str, path: str, schedule: Schedule, origin: Origin
) -> Iterator[Probe]:
    for server in upstream.servers:
        if not server.port:
            continue
        probe = http_probe(
            f"nginx/{upstream.name}",
            "nginx-health-check",
            f"{scheme}://{server.address}:{port or server.port}{path}",
            schedule,
            (origin, server.origin),
            method=method,
            follows_redirects=False,
            service=upstream.name,
            instance=f"{server.address}:{server.port}",
        )
        if isinstance(probe, Probe):
            yield probe
