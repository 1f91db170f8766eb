"""``upstream`` blocks, and which of them any request can reach."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.nginx.tokens import Directive

_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
_MOST_VALUES: Final = 256
_VALUE_BLOCKS: Final = ("map", "geo", "split_clients")
_MAP_WORDS: Final = ("hostnames", "volatile", "include", "ranges", "proxy", "proxy_recursive", "delete")


@dataclass(frozen=True, slots=True)
class UpstreamServer:
    """One ``server`` line of an upstream."""

    address: str
    """Host or IP address; ``unix:…`` for a socket."""
    port: int
    """0 for a socket."""
    in_use: bool
    """Gets traffic when its upstream does: neither ``down`` nor a ``backup`` that waits for a primary."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class Upstream:
    """One ``upstream`` block."""

    name: str
    servers: tuple[UpstreamServer, ...]
    origin: Origin


def read_upstream(directive: Directive) -> Upstream:
    """Read one ``upstream`` block. A server that is commented out is nothing: nginx does not know it either."""
    lines = [item for item in directive.block or () if item.name == "server" and item.arguments]
    primaries_up = any(not {"down", "backup"} & set(item.arguments[1:]) for item in lines)
    servers = []
    for item in lines:
        where, *options = item.arguments
        waiting = "backup" in options and primaries_up
        address, port = split_address(where, 80)
        servers.append(
            UpstreamServer(address, port, "down" not in options and not waiting, Origin(item.file, item.line))
        )
    name = directive.arguments[0] if directive.arguments else ""
    return Upstream(name, tuple(servers), Origin(directive.file, directive.line))


def split_address(where: str, default_port: int) -> tuple[str, int]:
    """Split ``host``, ``host:port``, ``[v6]:port`` or ``unix:/socket``.

    >>> split_address("127.0.0.1:8080", 80), split_address("[::1]", 80), split_address("unix:/run/app.sock", 80)
    (('127.0.0.1', 8080), ('[::1]', 80), ('unix:/run/app.sock', 0))
    """
    if where.startswith("unix:"):
        return where, 0
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d+))?", where)
    if not match:
        return where, 0
    return match[1], int(match[2] or default_port)


def pass_target(target: str) -> tuple[str, int, bool]:
    """Take the address out of a ``proxy_pass``: host, port (the scheme's if none is written), whether a port is written.

    >>> pass_target("http://admin"), pass_target("https://127.0.0.1:8443/x"), pass_target("http://unix:/a.sock:/")
    (('admin', 80, False), ('127.0.0.1', 8443, True), ('unix:/a.sock', 0, True))
    """
    scheme, _, rest = target.partition("://")
    if not rest:
        scheme, rest = "", target
    if rest.startswith("unix:"):
        return "unix:" + rest.removeprefix("unix:").split(":")[0], 0, True
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    address, port = split_address(authority, 443 if scheme in ("https", "grpcs") else 80)
    return address, port, authority != address


def variables(directives: Iterable[Directive]) -> dict[str, set[str]]:
    """Collect what ``set``, ``map``, ``geo`` and ``split_clients`` may put into each variable, at any level."""
    values: dict[str, set[str]] = {}
    for directive in _every(directives):
        if directive.name == "set" and len(directive.arguments) == 2:
            values.setdefault(directive.arguments[0].lstrip("$"), set()).add(directive.arguments[1])
        elif directive.name in _VALUE_BLOCKS and directive.arguments:
            name = directive.arguments[-1].lstrip("$")
            results = {
                item.arguments[0] for item in directive.block or () if item.arguments and item.name not in _MAP_WORDS
            }
            values.setdefault(name, set()).update(results)
    return values


def _every(directives: Iterable[Directive]) -> Iterator[Directive]:
    for directive in directives:
        yield directive
        yield from _every(directive.block or ())


def expand(text: str, values: Mapping[str, set[str]], depth: int = 5) -> set[str] | None:
    """Return all texts that a text with variables can become; None if a variable's values cannot be known.

    >>> sorted(expand("http://$colour", {"colour": {"blue", "green"}}))
    ['http://blue', 'http://green']
    >>> expand("http://$http_host", {}) is None
    True
    """
    match = _VARIABLE.search(text)
    if not match:
        return {text}
    known = values.get(match[1] or match[2])
    if known is None or not depth:
        return None
    found: set[str] = set()
    for value in known:
        more = expand(text[: match.start()] + value + text[match.end() :], values, depth - 1)
        if more is None or len(found) > _MOST_VALUES:
            return None
        found |= more
    return found
