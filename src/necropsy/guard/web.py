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
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

from necropsy.model.errors import UsageError

TIMEOUT_HEADER: Final = "X-Prometheus-Scrape-Timeout-Seconds"
"""What Prometheus sends with a scrape: the seconds that it may take."""
_IDLE_S: Final = 75.0
"""A kept connection that says nothing for so long is closed."""
_SECURE: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    query: Mapping[str, str]
    """The first value of each parameter."""
    headers: Mapping[str, str]
    repeated: Mapping[str, list[str]] = field(default_factory=dict)
    """All values of each parameter."""


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered."""

    body: str
    content_type: str = "text/plain; charset=utf-8"
    status: int = HTTPStatus.OK


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
        raise UsageError(
            f"{path}: cannot be read: {error}", hint="It is YAML, as for Prometheus' exporters."
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
    """Routes by path, and who may see them."""

    def __init__(self, routes: Mapping[str, Route], config: WebConfig | None = None) -> None:
        self.routes = dict(routes)
        self.config = config or WebConfig()
        self._known: set[tuple[str, str]] = set()
        """Pairs of user and password that were right: bcrypt is slow on purpose."""

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
        The address is none, or taken; the certificate cannot be used; bcrypt is not installed for basic authentication.
    """
    if site.config.users:
        try:
            import bcrypt  # noqa: F401 -- said now, not at the first request
        except ImportError as error:
            raise UsageError("basic authentication needs bcrypt", hint="pip install 'necropsy[guard]'") from error
    host, _, port = listen.rpartition(":")
    if not port.isdecimal():
        raise UsageError(f"not an address to listen on: {listen!r}", hint="HOST:PORT, for example 127.0.0.1:9121.")
    try:
        server = _Server((host.strip("[]") or "0.0.0.0", int(port)), type("Handler", (_Handler,), {"site": site}))  # noqa: S104 -- ":9121" means that
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot listen on {listen}: {reason}", hint="Choose another port with --listen.") from error
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


class _Server(ThreadingHTTPServer):
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
        address = urlsplit(self.path)
        if not self.site.admits(self.headers.get("Authorization")):
            self._send(Response("Unauthorized\n", status=HTTPStatus.UNAUTHORIZED), with_body=with_body)
            return
        route = self.site.routes.get(address.path)
        if route is None:
            self._send(Response("Not found\n", status=HTTPStatus.NOT_FOUND), with_body=with_body)
            return
        repeated = parse_qs(address.query, keep_blank_values=True)
        query = {name: values[0] for name, values in repeated.items()}
        self._send(route(Request(query, dict(self.headers.items()), repeated)), with_body=with_body)

    def _send(self, response: Response, *, with_body: bool) -> None:
        body = response.body.encode()
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(body)))
        if response.status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="necropsy"')
        for name, value in _SECURE.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Requests are not logged: a URL may hold a password."""
