"""Which access log shows a probe, when it fires next, and whether it asks for what somebody asks about."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from necropsy.model.probe import Backend, Probe
from necropsy.probes.session_risk import may_create, split_host

if TYPE_CHECKING:
    from necropsy.probes.nginx.servers import Location, Server

_ANY: Final = ("*", "0.0.0.0", "::", "[::]")  # noqa: S104 -- compared with, never bound to
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1", "[::1]")


def location(probe: Probe, servers: Sequence[Server]) -> Location | None:
    """Return the ``location`` of nginx that serves a probe, or its ``server`` itself; None when none of these does."""
    from necropsy.probes.nginx.servers import serves

    if not probe.url.startswith("http"):
        return None
    listening = [(server, listen) for server in servers if not server.stream for listen in server.listens]
    listening.sort(key=lambda pair: not pair[1].default)  # stable: else the first in the file is the default
    answering = [s for s, listen in listening if listen.port == probe.port and _listens(listen.address, probe.host)]
    chosen = [server for server in answering if probe.host in server.names] or answering
    return serves(chosen[0], unquote(probe.path.partition("?")[0])) if chosen else None


def logs(probe: Probe, backends: Sequence[Backend], servers: Sequence[Server] = ()) -> tuple[str, ...] | None:
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
    answering = [proxy for proxy in proxies if proxy.port == probe.port and _listens(proxy.address, probe.host)]
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
class Question:
    """What somebody asks about: a URL, a host, a path, or some of each. What is None is not asked about."""

    host: str | None = None
    port: int | None = None
    path: str | None = None
    """With its query, if one was written."""

    @classmethod
    def of(cls, text: str) -> Question:
        """Read a URL, ``host:port``, ``host/path`` or ``/path``.

        >>> Question.of("https://admin.example.com/login")
        Question(host='admin.example.com', port=443, path='/login')
        >>> Question.of("/login"), Question.of("10.0.0.1:8080")
        (Question(host=None, port=None, path='/login'), Question(host='10.0.0.1', port=8080, path=None))
        """
        if text.startswith("/"):
            return cls(path=text)
        scheme, host, path = _split(text)
        name, port = split_host(host, scheme if scheme in ("http", "https") else "http")
        written = scheme in ("http", "https") or host.rpartition(":")[2].isdigit()
        return cls(name.lower() or None, port if written else None, path or None)

    def hit_by(self, probe: Probe, backends: Sequence[Backend] = ()) -> str:
        """Return how a probe hits it: ``asks``, ``redirected`` (it may be sent on to it), or nothing."""
        if not self._at(probe, backends):
            return ""
        if self.path is None or self.path in (probe.path, probe.path.partition("?")[0]):
            return "asks"
        return "redirected" if probe.follows_redirects and may_create(probe) else ""

    def _at(self, probe: Probe, backends: Sequence[Backend]) -> bool:
        if self.host is None:
            return True
        if self.host in (probe.host.lower(), split_host(_split(probe.url)[1])[0].lower()):
            return self.port in (None, probe.port)
        # An address that a proxy answers under this name: https in front of it may have another port.
        return any(
            backend.role == "proxy" and backend.port == probe.port and self.host in backend.server_names
            for backend in backends
        )
