"""The map: proxies with their access logs, the backends behind them, live or idle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.model.evidence import Origin
from necropsy.model.probe import UpstreamPort
from necropsy.probes.nginx.logs import DEFAULT, AccessLog, LogFormat, access_logs, log_formats
from necropsy.probes.nginx.servers import PASSES, Location, Pass, ServerBlock, read_server, serves
from necropsy.probes.nginx.tokens import Directive
from necropsy.probes.nginx.tree import Tree, roots
from necropsy.probes.nginx.upstreams import Upstream, UpstreamServer, expand, pass_target, read_upstream, variables

_LOOPBACK: Final = ("localhost", "[::1]", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class NginxMap:
    """Servers, upstreams and log formats of nginx configurations."""

    backends: tuple[UpstreamPort, ...]
    log_formats: tuple[LogFormat, ...]
    servers: tuple[ServerBlock, ...]
    problems: tuple[ConfigurationError, ...]


def read_nginx(texts: Mapping[str, str]) -> NginxMap:
    """Draw the map of one or more nginx configurations.

    Parameters
    ----------
    texts
        File name to whole text. Files that others include are read where they are included; each of the rest is a main
        file, or a fragment of ``http`` level such as ``conf.d/admin.conf``.

    Returns
    -------
    NginxMap
        What nginx would refuse is in its ``problems``; nothing is raised.
    """
    backends: list[UpstreamPort] = []
    formats: list[LogFormat] = []
    servers: list[ServerBlock] = []
    problems: list[ConfigurationError] = []
    for tree in roots(texts):
        problems.extend(tree.problems)
        problems.extend(_homeless(tree))
        for context in _contexts(tree):
            for item in log_formats(context.directives):
                if isinstance(item, LogFormat):
                    formats.append(item)
                else:
                    problems.append(item)
            servers.extend(replace(server, main_file=tree.file) for server in context.servers)
            found = (*_proxies(context.servers), *_upstreams(context))
            backends.extend(replace(backend, main_file=tree.file) for backend in found)
    return NginxMap(tuple(backends), tuple(dict.fromkeys(formats)), tuple(servers), tuple(dict.fromkeys(problems)))


def _homeless(tree: Tree) -> Iterator[ConfigurationError]:
    """Say that a location stands in no server: a snippet that some server, which was not given, includes."""
    lost = next((item for item in tree.directives if item.name in ("location", *PASSES)), None)
    if lost is not None:
        reason = f"{lost.name} is outside any server block: the including file is unknown, so it was not examined"
        yield NotJudged(lost.file, lost.line, reason, hint="Give the main file as well: nginx.conf, with its folder.")


@dataclass(frozen=True, slots=True)
class _Context:
    """One ``http`` or ``stream`` block."""

    directives: tuple[Directive, ...]
    servers: tuple[ServerBlock, ...]
    upstreams: dict[str, Upstream]


def _contexts(tree: Tree) -> list[_Context]:
    blocks = [item for item in tree.directives if item.name in ("http", "stream") and item.block is not None]
    if not blocks:
        return [_context(tree.directives, stream=False)]
    return [_context(block.block or (), stream=block.name == "stream") for block in blocks]


def _context(directives: tuple[Directive, ...], *, stream: bool) -> _Context:
    logs = access_logs(directives, DEFAULT)
    servers = tuple(
        read_server(item, logs, stream=stream)
        for item in directives
        if item.name == "server" and item.block is not None
    )
    upstreams = [read_upstream(item) for item in directives if item.name == "upstream"]
    return _Context(directives, servers, {upstream.name.lower(): upstream for upstream in upstreams})


def _proxies(servers: Iterable[ServerBlock]) -> Iterator[UpstreamPort]:
    """One backend a listen; of the servers of one port the default server comes first."""
    listens = [(server, listen) for server in servers for listen in server.listens]
    listens.sort(key=lambda pair: not pair[1].default)  # stable: else the first in the file is the default
    for server, listen in listens:
        path, log_format = _log(serves(server, "/").logs)
        yield UpstreamPort(
            address=listen.address,
            port=listen.port,
            role="proxy",
            state="live",
            access_log=path,
            log_format=log_format,
            server_names=server.names,
            origin=listen.origin,
        )


def _log(logs: tuple[AccessLog, ...]) -> tuple[str | None, str | None]:
    return (logs[0].path, logs[0].log_format) if logs else (None, None)


def _passes(location: Location) -> Iterator[Pass]:
    yield from location.passes
    for nested in location.nested:
        yield from _passes(nested)


def _upstreams(context: _Context) -> Iterator[UpstreamPort]:
    """Backends behind the proxies of one context, each address and port once, with the liveliest of its states."""
    values = variables(context.directives)
    reached: dict[str, Pass] = {}
    direct: list[UpstreamPort] = []
    certain = True
    for server in context.servers:
        for item in _passes(server.root):
            targets = expand(item.target, values)
            certain = certain and targets is not None
            for target in sorted(targets or ()):
                address, port, port_written = pass_target(target)
                if address.lower() in context.upstreams and not port_written:
                    reached.setdefault(address.lower(), item)
                elif item.directive == "proxy_pass" and port:
                    direct.append(_backend(address, port, "live", "", item, item.origin))
    found: dict[tuple[str, int], UpstreamPort] = {}
    for name, upstream in context.upstreams.items():
        # A fragment with upstreams alone says nothing about who uses them: their own words must do.
        state = "live" if name in reached or not context.servers else "idle" if certain else "unknown"
        for entry in upstream.servers:
            if entry.port:
                _keep(found, _behind(entry, upstream, reached.get(name), state))
    for backend in direct:
        _keep(found, backend)
    yield from found.values()


def _behind(entry: UpstreamServer, upstream: Upstream, through: Pass | None, state: str) -> UpstreamPort:
    return _backend(
        entry.address,
        entry.port,
        state if entry.in_use else "idle",
        upstream.name,
        through if entry.in_use else None,
        entry.origin,
    )


def _backend(address: str, port: int, state: str, upstream: str, through: Pass | None, origin: Origin) -> UpstreamPort:
    path, log_format = _log(through.logs if through else ())
    return UpstreamPort(
        address=address,
        port=port,
        role="upstream",
        state=state,
        upstream=upstream,
        access_log=path,
        log_format=log_format,
        origin=origin,
    )


_RANK: Final = {"live": 0, "unknown": 1, "idle": 2}


def _keep(found: dict[tuple[str, int], UpstreamPort], backend: UpstreamPort) -> None:
    key = ("loopback" if backend.address in _LOOPBACK else backend.address, backend.port)
    known = found.get(key)
    if known is None or _RANK[backend.state] < _RANK[known.state]:
        found[key] = backend
