"""``server`` and ``location`` blocks: where they listen, what they log, where they send what they do not answer themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.nginx.logs import AccessLog, access_logs
from necropsy.probes.nginx.tokens import Directive

PASSES: Final = ("proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass")
"""Directives that hand a request to a backend; only the first speaks plain HTTP with it."""

_WIDEST_RANGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Pass:
    """One ``proxy_pass`` or its kin."""

    directive: str
    target: str
    """As written: ``http://admin``, ``http://127.0.0.1:8080/``, ``http://$backend``."""
    logs: tuple[AccessLog, ...]
    """Logs that see the requests that go this way."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class Location:
    """One ``location``; a ``server`` itself is kept as the location that everything else is nested in."""

    modifier: str
    """``=``, ``^~``, ``~``, ``~*``, ``@`` (named) or empty (prefix)."""
    pattern: str
    logs: tuple[AccessLog, ...]
    passes: tuple[Pass, ...]
    """Its own, those of its ``if`` blocks included; without those of nested locations."""
    nested: tuple[Location, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Listen:
    """One address and port of a server."""

    address: str
    """``*`` for any, of IPv4 or IPv6; otherwise as written."""
    port: int
    default: bool
    """Answers requests whose Host no other server of this port claims."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class ServerBlock:
    """One ``server`` block of ``http`` or ``stream``."""

    listens: tuple[Listen, ...]
    names: tuple[str, ...]
    root: Location
    stream: bool
    """TCP only: no requests are seen, no access log of requests is written."""
    main_file: str = ""
    """Main file of its configuration."""


def read_server(directive: Directive, above: tuple[AccessLog, ...], *, stream: bool) -> ServerBlock:
    """Read one ``server`` block, given the logs of the level above it."""
    block = directive.block or ()
    names = tuple(name for item in block if item.name == "server_name" for name in item.arguments)
    listens = tuple(listen for item in block if item.name == "listen" for listen in _listens(item))
    if not listens and not any(item.name == "listen" for item in block):
        listens = (Listen("*", 80, default=False, origin=Origin(directive.file, directive.line)),)
    root = _location("", "", directive, () if stream else above, stream=stream)
    by_place: dict[tuple[str, int], Listen] = {}
    for listen in listens:  # "80" and "[::]:80" are one port of one server
        by_place.setdefault((listen.address, listen.port), listen)
    return ServerBlock(tuple(by_place.values()), names, root, stream)


def _location(
    modifier: str, pattern: str, directive: Directive, above: tuple[AccessLog, ...], *, stream: bool
) -> Location:
    block = directive.block or ()
    logs = () if stream else access_logs(block, above)
    nested = [
        _location(*_split(item.arguments), item, logs, stream=stream)
        for item in block
        if item.name == "location" and item.arguments
    ]
    return Location(
        modifier, pattern, logs, tuple(_passes(block, logs)), tuple(nested), Origin(directive.file, directive.line)
    )


def _passes(block: Iterable[Directive], logs: tuple[AccessLog, ...]) -> Iterator[Pass]:
    for item in block:
        if item.name in PASSES and len(item.arguments) == 1:
            yield Pass(item.name, item.arguments[0], logs, Origin(item.file, item.line))
        elif item.name in ("if", "limit_except") and item.block:
            yield from _passes(item.block, access_logs(item.block, logs))


def _split(arguments: tuple[str, ...]) -> tuple[str, str]:
    r"""Modifier and pattern of a location, which may be glued together.

    >>> _split(("=", "/a")), _split((r"~*\.php$",))[0], _split(("/a",)), _split(("@named",))
    (('=', '/a'), '~*', ('', '/a'), ('@', 'named'))
    """
    if len(arguments) > 1:
        return arguments[0], arguments[1]
    for modifier in ("=", "^~", "~*", "~", "@"):
        if arguments[0].startswith(modifier):
            return modifier, arguments[0][len(modifier) :]
    return "", arguments[0]


def _listens(directive: Directive) -> Iterator[Listen]:
    if not directive.arguments or directive.arguments[0].startswith("unix:"):
        return
    where, *options = directive.arguments
    if "udp" in options or "quic" in options:  # the same port is listened to by TCP, too, if TCP is meant
        return
    match = re.fullmatch(r"(?:(\[[^\]]*\]|[^:]*?):)?(\d+)(?:-(\d+))?", where)
    address, first, last = (match[1] or "*", int(match[2]), int(match[3] or match[2])) if match else (where, 80, 80)
    if address in ("0.0.0.0", "[::]"):  # noqa: S104 -- compared, not bound
        address = "*"
    default = bool({"default_server", "default"} & set(options))
    for port in range(first, min(last, first + _WIDEST_RANGE, 65535) + 1):
        yield Listen(address, port, default, Origin(directive.file, directive.line))


def serves(server: ServerBlock, path: str) -> Location:
    """Return the location that answers a path: exact, else longest prefix, else the first regular expression that matches.

    As ``ngx_http_core_find_location``: a regular expression beats the longest prefix unless that has ``^~``. Patterns that
    RE2 cannot judge (look-around, back references) are taken not to match.

    Parameters
    ----------
    server
        The server that the request reached.
    path
        Path without query, percent-decoded.
    """
    return _find(server.root, path)[0]


def _find(level: Location, path: str) -> tuple[Location, bool]:
    """Location, and whether the search ends with it."""
    best: Location | None = None
    for location in level.nested:
        if location.modifier == "=" and location.pattern == path:
            return location, True
        longer = best is None or len(location.pattern) > len(best.pattern)
        if location.modifier in ("", "^~") and path.startswith(location.pattern) and longer:
            best = location
    found = level
    if best is not None:
        found, final = _find(best, path)
        if final:
            return found, True
    if best is None or best.modifier != "^~":
        for location in level.nested:
            if location.modifier in ("~", "~*") and _matches(location, path):
                return _find(location, path)[0], True
    return found, False


def _matches(location: Location, path: str) -> bool:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = location.modifier == "~"
    try:
        return re2.compile(location.pattern, options).search(path) is not None
    except re2.error:
        return False
