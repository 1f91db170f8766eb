"""The requests after the first one of a blackbox probe: redirects, and whether the session cookie is sent back.

The exporter resolves the target's name itself and asks by IP address, with the name in the Host header only. Its cookie jar
goes by the URL, hence by the address: a relative redirect brings the cookie back, an absolute one to the very same name does
not (golang/go#38988, prometheus/blackbox_exporter#1332). So one probe can create two sessions. Go has changed that since:
see ``jar_by_host``. Every probe begins with an empty jar.

>>> from necropsy.probes.prometheus.blackbox.modules import first_request
>>> module = Module("http_2xx", "http")
>>> login = first_request("admin:8080/", module)
>>> first, second = follow(login, module, lambda name: "10.0.0.1", lambda hop: (
...     RedirectAnswer(302, "http://admin:8080/login", (Cookie("SESSION"),)) if hop.target == "/" else RedirectAnswer(200)))
>>> second.host, second.referer, second.cookies
('admin:8080', 'http://10.0.0.1:8080/', ())
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from necropsy.probes.http.request import HttpUrl, parse_http_url, split_port
from necropsy.probes.prometheus.blackbox.modules import Module

MOST_REDIRECTS: Final = 10
_CHANGE_METHOD: Final = (301, 302, 303)
_KEEP_METHOD: Final = (307, 308)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Cookie:
    """One ``Set-Cookie``, without its value."""

    name: str
    path: str = ""
    """Empty: the folder of the path that was asked for."""
    domain: str = ""
    secure: bool = False


@dataclass(frozen=True, slots=True)
class RedirectAnswer:
    """The parts of an HTTP answer on which the next request depends."""

    status: int
    location: str = ""
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Hop:
    """One request."""

    method: str
    scheme: str
    authority: str
    """The receiving host, as the URL has it: the IP address that the exporter resolved, or a redirect's own host."""
    target: str
    """Path and query on the request line."""
    host: str
    """Host header."""
    referer: str = ""
    cookies: tuple[str, ...] = ()
    """Names of the cookies that it brings back."""

    @property
    def may_create(self) -> bool:
        """Whether the application sees a visitor without any cookie."""
        return not self.cookies


def follow(
    request: HttpUrl,
    module: Module,
    resolve: Callable[[str], str],
    ask: Callable[[Hop], RedirectAnswer],
    *,
    jar_by_host: bool = False,
) -> list[Hop]:
    """Return the requests of one probe in their order.

    Parameters
    ----------
    request
        From ``first_request``.
    module
        Its module: method, Host header, whether redirects are followed.
    resolve
        Name to IP address, as the exporter resolves it.
    ask
        What the server answers to a request.
    jar_by_host
        The exporter was built with a Go whose client keeps cookies by the Host header (golang/go#38988 mended), and whose
        jar sends ``Secure`` ones to the loopback interface without TLS. Measured: Go 1.26 and 1.27 do both (0.28), Go 1.24
        (0.26) and 1.19 (0.23) do neither.
    """
    address = resolve(request.hostname)
    address = f"[{address}]" if ":" in address else address
    port = split_port(request.host)[1]
    hop = Hop(
        method=module.method,
        scheme=request.scheme,
        authority=f"{address}:{port}" if port else address,
        target=request.target,
        host=module.host_header or request.host,
    )
    jar: dict[tuple[str, str, str], Cookie] = {}
    hops = [hop]
    written = request.written
    while True:
        answer = ask(hop)
        name = split_port(hop.host if jar_by_host else hop.authority)[0]
        for cookie in answer.cookies:
            _keep(jar, cookie, name, hop.target)
        if not (module.follows_redirects and answer.location and len(hops) <= MOST_REDIRECTS):
            return hops
        if answer.status not in (*_CHANGE_METHOD, *_KEEP_METHOD):
            return hops
        url = _next_url(hop, answer.location)
        if url is None:
            return hops
        following = _next(hop, answer, url, written)
        next_name = split_port(following.host if jar_by_host else following.authority)[0]
        sent = tuple(
            cookie.name
            for (host, path, _), cookie in jar.items()
            if host == next_name
            and _path_matches(path, following.target)
            and (not cookie.secure or following.scheme == "https" or (jar_by_host and _is_loopback(host)))
        )
        hop = Hop(
            following.method,
            following.scheme,
            following.authority,
            following.target,
            following.host,
            following.referer,
            sent,
        )
        written = url.written
        hops.append(hop)


def _next_url(hop: Hop, location: str) -> HttpUrl | None:
    """Return where a redirect leads; None if Go cannot make a request of it."""
    if _SCHEME.match(location):
        text = location
    elif location.startswith("//"):
        text = f"{hop.scheme}:{location}"
    else:
        text = f"{hop.scheme}://{hop.authority}{_resolved(hop.target, location)}"
    url = parse_http_url(text)
    return url if isinstance(url, HttpUrl) else None


def _next(hop: Hop, answer: RedirectAnswer, url: HttpUrl, written: str) -> Hop:
    """Return the request that follows, without cookies."""
    method = hop.method
    if answer.status in _CHANGE_METHOD and method not in ("GET", "HEAD"):
        method = "GET"
    referer = "" if hop.scheme == "https" and url.scheme == "http" else f"{hop.scheme}://{hop.authority}{written}"
    # A Host header that differs from the URL survives a relative redirect (golang/go#22233); "//host" counts as relative.
    relative = _SCHEME.match(answer.location) is None
    host = hop.host if relative and hop.host != hop.authority else url.host
    return Hop(method, url.scheme, url.host, url.target, host, referer)


def _resolved(base: str, reference: str) -> str:
    """Resolve a relative reference against a path (RFC 3986, 5.2; Go's ``URL.ResolveReference``).

    >>> _resolved("/a/b?x", "c"), _resolved("/a/b", "../d?y"), _resolved("/a/b?x", "?z"), _resolved("/a", "")
    ('/a/c', '/d?y', '/a/b?z', '/a')
    """
    reference, sharp, fragment = reference.partition("#")
    path, mark, query = reference.partition("?")
    base_path = base.partition("?")[0]
    if not path:
        return (f"{base_path}{mark}{query}" if mark else base) + sharp + fragment
    if not path.startswith("/"):
        path = base_path[: base_path.rfind("/") + 1] + path
    segments: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            segments = segments[:-1]
        elif part != ".":
            segments.append(part)
    if parts[-1] in (".", ".."):
        segments.append("")
    return "/" + "/".join(segments) + mark + query + sharp + fragment


def _keep(jar: dict[tuple[str, str, str], Cookie], cookie: Cookie, host: str, target: str) -> None:
    """Put a cookie into the jar; hosts are compared as they stand in URLs, so a Domain never fits an address."""
    if cookie.domain.lstrip(".").lower() not in ("", host.lower()):
        name = cookie.domain.lstrip(".").lower()
        if re.fullmatch(r"[\d.]+|.*:.*", host) or not host.lower().endswith(f".{name}"):
            return
    path = target.partition("?")[0]
    folder = path[: path.rfind("/")] or "/"
    jar[host, cookie.path if cookie.path.startswith("/") else folder, cookie.name] = cookie


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or host.startswith("127.") or host == "::1"


def _path_matches(path: str, target: str) -> bool:
    """Whether a cookie of this path is sent to a target (RFC 6265, 5.1.4)."""
    asked = target.partition("?")[0]
    return asked == path or (asked.startswith(path) and (path.endswith("/") or asked[len(path)] == "/"))
