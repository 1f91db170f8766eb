"""A small HTTP server for metrics and pages: routes, TLS and basic authentication as Prometheus' exporters have them.

``web.config.file``, the same keys as in Prometheus' exporter toolkit::

    tls_server_config:
      cert_file: server.crt
      key_file: server.key
    basic_auth_users:
      prometheus: $2y$10$...        # bcrypt
"""

from __future__ import annotations

import base64
import binascii
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Lock
from typing import Any, ClassVar, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

from necropsy._internal.masking import masked
from necropsy.model.errors import NecropsyError, UsageError
from necropsy.report.escaping import inert

TIMEOUT_HEADER: Final = "X-Prometheus-Scrape-Timeout-Seconds"
"""Header that Prometheus sends with a scrape: the seconds that it may take."""
_IDLE_S: Final = 75.0
"""A kept connection that says nothing for so long is closed."""
_LAST_PORT: Final = 65_535
_LOOK_AGAIN_S: Final = 0.02
_SECURE: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request."""

    query: Mapping[str, str]
    """The first value of each parameter."""
    headers: Mapping[str, str]
    repeated: Mapping[str, list[str]] = field(default_factory=dict)
    """All values of each parameter."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response."""

    body: str
    content_type: str = "text/plain; charset=utf-8"
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    """More headers, also in place of those that every answer has."""
    stream: Iterator[str] | None = None
    """Events that follow the body; the connection ends with them."""


Route: TypeAlias = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The parts of a ``web.config.file`` that are served."""

    cert_file: str | None = None
    key_file: str | None = None
    client_ca_file: str | None = None
    users: Mapping[str, str] = field(default_factory=dict)
    """User name and bcrypt hash."""


def read_web_config(path: Path) -> WebConfig:
    """Read a ``web.config.file``; relative paths in it are relative to it.

    Raises
    ------
    UsageError
        It cannot be read, or has a key that is not served: silently weaker than configured would be worse.
    """
    import yaml

    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{path}: cannot be read: {reason}", hint="It must be YAML, as for Prometheus' exporters."
        ) from error
    if not isinstance(said, dict):
        raise UsageError(f"{path}: is not a mapping", hint="Its keys: tls_server_config, basic_auth_users.")
    tls = said.get("tls_server_config") or {}
    unknown = [*(set(said) - {"tls_server_config", "basic_auth_users"}),
               *(f"tls_server_config.{name}" for name in set(tls) - {"cert_file", "key_file", "client_ca_file",
                                                                    "client_auth_type"})]  # fmt: skip
    if unknown:
        raise UsageError(
            f"{path}: not served here: {', '.join(sorted(unknown))}",
            hint="Remove it, or put a proxy with that setting before this port.",
        )

    def beside(name: str) -> str | None:
        value = tls.get(name)
        return str(path.parent / str(value)) if value else None

    users = {str(name): str(value) for name, value in (said.get("basic_auth_users") or {}).items()}
    return WebConfig(beside("cert_file"), beside("key_file"), beside("client_ca_file"), users)


class Site:
    """Routes by path, and who may see them.

    Parameters
    ----------
    hosts
        Names that a request's Host header may have, beside addresses and localhost; None: any. A page of somebody else's
        name that leads to this address (DNS rebinding) cannot read what is here then.
    log
        Is told of an error in a route; None: nobody is.
    """

    def __init__(
        self,
        routes: Mapping[str, Route],
        config: WebConfig | None = None,
        hosts: Iterable[str] | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self.routes = dict(routes)
        self.config = config or WebConfig()
        self.hosts = None if hosts is None else frozenset(name.lower().rstrip(".") for name in hosts)
        self.log = log or (lambda _: None)
        self.closing = Event()
        """Set when no request is taken any more."""
        self.active = 0
        """Requests that are being answered now, streams apart."""
        self.counting = Lock()
        self._known: set[tuple[str, str]] = set()
        """Pairs of user and password that were right: bcrypt is slow on purpose."""

    def knows(self, host: str | None) -> bool:
        """Whether a request with this Host header is meant for us."""
        if self.hosts is None:
            return True
        name = host_name(host or "")
        return name == "localhost" or name in self.hosts or _is_address(name)

    def admits(self, authorization: str | None) -> bool:
        """Whether a request with this header may see anything."""
        if not self.config.users:
            return True
        user, password = _credentials(authorization)
        if (user, password) in self._known:
            return True
        stored = self.config.users.get(user)
        if stored is None or not _matches(password, stored):
            return False
        self._known.add((user, password))
        return True


def host_name(host: str) -> str:
    """Return the name in a Host header, without its port.

    >>> host_name("Guard.example:9120"), host_name("[::1]:9120"), host_name("10.0.0.1")
    ('guard.example', '::1', '10.0.0.1')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _credentials(authorization: str | None) -> tuple[str, str]:
    """Return user and password of a basic Authorization header.

    >>> _credentials("Basic dXNlcjpwYTpzcw=="), _credentials("Bearer x")
    (('user', 'pa:ss'), ('', ''))
    """
    kind, _, coded = (authorization or "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _matches(password: str, stored: str) -> bool:
    import bcrypt

    try:
        return bcrypt.checkpw(password.encode(), stored.encode())
    except ValueError:  # not a bcrypt hash
        return False


def serve(listen: str, site: Site) -> ThreadingHTTPServer:
    """Listen on ``HOST:PORT`` and return the server; ``serve_forever`` answers, each request in a thread of its own.

    Raises
    ------
    UsageError
        The address is none; the certificate cannot be used; bcrypt is not installed for basic authentication.
    NecropsyError
        The address is taken, or is not this machine's.
    """
    if site.config.users:
        try:
            import bcrypt  # noqa: F401 -- said now, not at the first request
        except ImportError as error:
            raise UsageError("basic authentication needs bcrypt", hint="pip install 'necropsy[guard]'") from error
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > _LAST_PORT:
        raise UsageError(
            f"not an address to listen on: {listen!r}",
            hint="HOST:PORT, for example 127.0.0.1:9121; :9121 for all addresses of this machine.",
        )
    try:
        server = _HttpServer((host.strip("[]") or "0.0.0.0", int(port)), type("Handler", (_Handler,), {"site": site}))  # noqa: S104 -- ":9121" means that
    except socket.gaierror as error:
        raise UsageError(
            f"not an address to listen on: {listen!r}", hint="HOST:PORT, for example 127.0.0.1:9121."
        ) from error
    except OSError as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NecropsyError(
            f"cannot listen on {listen}: {reason}", hint="Choose another port with --listen."
        ) from error
    if site.config.cert_file:
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=site.config.client_ca_file)
            context.load_cert_chain(site.config.cert_file, site.config.key_file)
        except (OSError, ssl.SSLError) as error:
            server.server_close()
            raise UsageError(
                f"the certificate cannot be used: {error}", hint="cert_file and key_file are PEM."
            ) from error
        if site.config.client_ca_file:
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def address_of(server: ThreadingHTTPServer, site: Site) -> str:
    """Return the address at which a server is reached; of port 0 the one that the system chose."""
    host, port = server.server_address[:2]
    name = host if isinstance(host, str) else bytes(host).decode()
    return f"http{'s' if site.config.cert_file else ''}://{name}:{port}"


def drain(server: ThreadingHTTPServer, site: Site, within_s: float) -> bool:
    """Take no new request, answer those that were taken, and close; return whether all were answered in time.

    ``serve_forever`` must be running in another thread.
    """
    site.closing.set()
    server.shutdown()
    end = time.monotonic() + within_s
    while site.active and time.monotonic() < end:
        time.sleep(_LOOK_AGAIN_S)
    server.server_close()
    return site.active == 0


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or speaks no TLS, is its own concern."""


class _Handler(BaseHTTPRequestHandler):
    site: ClassVar[Site]
    protocol_version = "HTTP/1.1"
    server_version = "necropsy"
    sys_version = ""
    timeout = _IDLE_S
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        with self.site.counting:
            self.site.active += 1
        try:
            response = self._route()
            self._send(response, with_body=with_body)
        finally:
            with self.site.counting:
                self.site.active -= 1
        if response.stream is not None and with_body:
            self._follow(response.stream)

    def _route(self) -> Response:
        address = urlsplit(self.path)
        if self.site.closing.is_set():
            self.close_connection = True
        if not self.site.knows(self.headers.get("Host")):
            hint = 'If it is a name of this machine, add it to hosts in [guard]: hosts = ["NAME"].'
            return Response(f"This host name is not served here. {hint}\n", status=HTTPStatus.MISDIRECTED_REQUEST)
        if not self.site.admits(self.headers.get("Authorization")):
            return Response("Unauthorized\n", status=HTTPStatus.UNAUTHORIZED)
        route = self.site.routes.get(address.path)
        if route is None:
            return Response("Not found\n", status=HTTPStatus.NOT_FOUND)
        repeated = parse_qs(address.query, keep_blank_values=True)
        query = {name: values[0] for name, values in repeated.items()}
        try:
            return route(Request(query, dict(self.headers.items()), repeated))
        except Exception as error:  # noqa: BLE001 -- one answer fails, and the others do not
            self.site.log(f"{inert(address.path)}: {type(error).__name__}: {inert(masked(str(error)))}")
            return Response(f"{type(error).__name__}\n", status=HTTPStatus.INTERNAL_SERVER_ERROR)

    def _follow(self, stream: Iterator[str]) -> None:
        """Send what comes, until it ends or the other side hangs up."""
        try:
            for part in stream:
                self.wfile.write(part.encode())
                self.wfile.flush()
        except OSError:
            pass
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()
            self.close_connection = True

    def _send(self, response: Response, *, with_body: bool) -> None:
        body = response.body.encode()
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        if response.stream is None:
            self.send_header("Content-Length", str(len(body)))
        if response.stream is not None or self.close_connection:
            self.send_header("Connection", "close")
        if response.status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="necropsy"')
        for name, value in {**_SECURE, **response.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Requests are not logged: a URL may hold a password."""
