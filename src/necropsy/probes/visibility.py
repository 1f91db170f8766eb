"""Visibility of probes: the access log that shows one, when it fires next, and whether it requests a given URL."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from necropsy.model.probe import Probe, UpstreamPort
from necropsy.probes.session_risk import may_create, split_host

if TYPE_CHECKING:
    from necropsy.probes.nginx.servers import Location, ServerBlock

_ANY: Final = ("*", "0.0.0.0", "::", "[::]")  # noqa: S104 -- compared with, never bound to
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1", "[::1]")


def location(probe: Probe, servers: Sequence[ServerBlock]) -> Location | None:
    """Return the ``location`` of nginx that serves a probe, or its ``server`` itself; None when none of these does."""
    from necropsy.probes.nginx.servers import serves

    if not probe.url.startswith("http"):
        return None
    listening = [(server, listen) for server in servers if not server.stream for listen in server.listens]
    listening.sort(key=lambda pair: not pair[1].default)  # stable: else the first in the file is the default
    hosts = _hosts((server.main_file, (*server.names, listen.address)) for server, listen in listening)
    answering = [
        server
        for server, listen in listening
        if listen.port == probe.port
        and _listens(listen.address, probe.host)
        and _is_at(probe, server.main_file, server.names, hosts)
    ]
    chosen = [server for server in answering if probe.host in server.names] or answering
    return serves(chosen[0], unquote(probe.path.partition("?")[0])) if chosen else None


def logs(probe: Probe, backends: Sequence[UpstreamPort], servers: Sequence[ServerBlock] = ()) -> tuple[str, ...] | None:
    """Return the access log that shows a probe, as the proxy's configuration says.

    Parameters
    ----------
    probe
        Any probe.
    backends
        What nginx' configuration knows.
    servers
        Its ``server`` blocks: with them the ``location`` decides that serves the path, which may log elsewhere or not at
        all.

    Returns
    -------
    tuple or None
        Path of the log; empty when none shows it; None when no proxy's configuration is known.
    """
    proxies = [backend for backend in backends if backend.role == "proxy"]
    if not proxies:
        return None
    if not probe.url.startswith("http"):
        return ()
    served = location(probe, servers)
    if served is not None:
        return tuple(dict.fromkeys(log.path for log in served.logs))
    hosts = _hosts((proxy.main_file, (*proxy.server_names, proxy.address)) for proxy in proxies)
    answering = [
        proxy
        for proxy in proxies
        if proxy.port == probe.port
        and _listens(proxy.address, probe.host)
        and _is_at(probe, proxy.main_file, proxy.server_names, hosts)
    ]
    named = [proxy for proxy in answering if probe.host in proxy.server_names]
    # Of the servers of one port the default one comes first.
    chosen = (named or answering)[:1]
    return tuple(proxy.access_log for proxy in chosen if proxy.access_log)


def _listens(address: str, host: str) -> bool:
    if address in _ANY:
        return True
    if address in _LOOPBACK:
        return host in _LOOPBACK
    return host == address or not host.replace(".", "").isdigit()


Hosts = Mapping[str, frozenset[str]]
"""Main file of an nginx → the addresses that it names as its own: those of its machine, as far as it says."""


def _hosts(said: Iterable[tuple[str, tuple[str, ...]]]) -> Hosts:
    found: dict[str, set[str]] = {}
    for main, names in said:
        found.setdefault(main, set()).update(name for name in names if _is_address(name))
    return {main: frozenset(addresses) for main, addresses in found.items()}


def _is_address(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _is_at(probe: Probe, main: str, names: tuple[str, ...], hosts: Hosts) -> bool:
    """Whether a probe may reach the machine of one of several nginx: one alone is taken to be the one that is meant."""
    if len(hosts) < 2 or probe.host in names:
        return True
    known = hosts.get(main, frozenset())
    return probe.host in known or (not known and not any(probe.host in others for others in hosts.values()))


def fires_after(probe: Probe, moment: datetime) -> datetime | None:
    """Return when a probe fires first at or after a moment; None when its phase is not known.

    >>> from dataclasses import replace
    >>> every_ten = Probe("p/a", "scrape", "GET", "http://a/", "a", 80, "/", 10.0, phase_s=4.5)
    >>> str(fires_after(every_ten, datetime(2019, 5, 24, 19, 0, tzinfo=UTC)))
    '2019-05-24 19:00:04.500000+00:00'
    """
    if probe.phase_s is None or probe.period_s <= 0:
        return None
    start = moment.timestamp()
    fires = math.ceil((start - probe.phase_s) / probe.period_s - 1e-9) * probe.period_s + probe.phase_s
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=round(fires, 6))


def _split(url: str) -> tuple[str, str, str]:
    """Split into scheme, host with its port, and path with its query: any text, as what somebody types may be no URL."""
    scheme, colon, rest = url.partition("://")
    if not colon or re.search("[/?#]", scheme):  # a URL inside a query is not the URL
        scheme, rest = "", url
    rest = rest.partition("#")[0]
    place = re.search("[/?]", rest)
    host, path = (rest[: place.start()], rest[place.start() :]) if place else (rest, "")
    return scheme.lower(), host.rpartition("@")[2], f"/{path}" if path.startswith("?") else path


@dataclass(frozen=True, slots=True)
class RequestQuestion:
    """A question about requests: a URL, a host, a path, or some of each. None is not part of the question."""

    host: str | None = None
    port: int | None = None
    path: str | None = None
    """With its query, if one was written."""

    @classmethod
    def of(cls, text: str) -> RequestQuestion:
        """Read a URL, ``host:port``, ``host/path`` or ``/path``.

        >>> RequestQuestion.of("https://admin.example.com/login")
        RequestQuestion(host='admin.example.com', port=443, path='/login')
        >>> RequestQuestion.of("/login"), RequestQuestion.of("10.0.0.1:8080")
        (RequestQuestion(host=None, port=None, path='/login'), RequestQuestion(host='10.0.0.1', port=8080, path=None))
        """
        if text.startswith("/"):
            return cls(path=text)
        scheme, host, path = _split(text)
        name, port = split_host(host, scheme if scheme in ("http", "https") else "http")
        written = scheme in ("http", "https") or host.rpartition(":")[2].isdigit()
        return cls(name.lower() or None, port if written else None, path or None)

    def hit_by(self, probe: Probe, backends: Sequence[UpstreamPort] = ()) -> str:
        """Return how a probe hits it: ``asks``, ``redirected`` (it may be sent on to it), ``proxied`` or nothing."""
        if not self._at(probe, backends):
            return "proxied" if self._behind(probe, backends) and self._is_path(probe) else ""
        if self._is_path(probe):
            return "asks"
        return "redirected" if probe.follows_redirects and may_create(probe) else ""

    def _at(self, probe: Probe, backends: Sequence[UpstreamPort]) -> bool:
        if self.host is None:
            return True
        if self.host in (probe.host.lower(), split_host(_split(probe.url)[1])[0].lower()):
            return self.port in (None, probe.port)
        # An address that a proxy answers under this name: https in front of it may have another port.
        hosts = _of_proxies(backends)
        return any(
            backend.role == "proxy"
            and backend.port == probe.port
            and self.host in backend.server_names
            and not (_is_address(self.host) and _is_address(probe.host))  # two addresses are two places
            and _is_at(probe, backend.main_file, backend.server_names, hosts)
            for backend in backends
        )

    def _is_path(self, probe: Probe) -> bool:
        return self.path is None or self.path in (probe.path, probe.path.partition("?")[0])

    def _behind(self, probe: Probe, backends: Sequence[UpstreamPort]) -> bool:
        """Whether a proxy hands the probe on to it: it is a live backend of an nginx that the probe reaches."""
        if self.host is None or self.port is None:
            return False
        hosts = _of_proxies(backends)
        through = {
            backend.main_file
            for backend in backends
            if backend.role == "proxy"
            and backend.port == probe.port
            and _listens(backend.address, probe.host)
            and _is_at(probe, backend.main_file, backend.server_names, hosts)
        }
        return any(
            backend.role == "upstream"
            and backend.state == "live"
            and backend.port == self.port
            and backend.main_file in through
            and (
                backend.address == self.host
                or (backend.address in _LOOPBACK and self.host in {probe.host, *hosts.get(backend.main_file, ())})
            )
            for backend in backends
        )


def _of_proxies(backends: Iterable[UpstreamPort]) -> Hosts:
    proxies = [backend for backend in backends if backend.role == "proxy"]
    return _hosts((proxy.main_file, (*proxy.server_names, proxy.address)) for proxy in proxies)
