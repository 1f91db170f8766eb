"""A web server that answers in the ways that probes must tell apart, and an application that keeps sessions in Redis."""

from __future__ import annotations

import base64
import gzip
import secrets
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import redis

DEFLATE = zlib.compressobj(wbits=-15)
PACKED = {
    "/gzip-as-it-is": gzip.compress(b"packed hello"),
    "/gzip-twice": gzip.compress(b"packed ") + gzip.compress(b"hello"),
    "/gzip-cut": gzip.compress(b"packed hello" * 50)[:-12],
    "/gzip-large": gzip.compress(b"hello" * 20_000),
    "/deflate": DEFLATE.compress(b"packed hello") + DEFLATE.flush(),
    "/zlib": zlib.compress(b"packed hello"),
    "/br": base64.b64decode("iwWAcGFja2VkIGhlbGxvAw=="),
    "/json": b'{"status": "UP", "count": 2, "parts": [{"name": "db", "up": true}, {"name": "mq", "up": false}]}',
    "/large": b"hello" * 20_000,
}
"""Bodies that are answered as they are, whatever was asked for."""


class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: redis.Redis | None = None
    requests: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:  # noqa: C901 -- a list of paths
        headers = {name.lower(): value for name, value in self.headers.items()}
        if body := self.body():
            headers["(body)"] = body.decode("latin-1")
        self.requests.append((self.path, headers))
        path = urlsplit(self.path).path
        if path.startswith("/token/"):
            self.token(path)
        elif path.startswith("/to/"):
            self.moved(path)
        elif path in PACKED:
            self.answer(200, PACKED[path])
        elif path.startswith("/status/"):
            self.answer(int(path.rpartition("/")[2]), b"")
        elif path in ("/redirect", "/loop"):
            self.answer(302, b"", Location="/page" if path == "/redirect" else path)
        elif path == "/gzip":
            self.answer(200, gzip.compress(b"packed hello"), Content_Encoding="gzip")
        elif path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")
        elif path == "/":
            self.session("/login")
        elif path in ("/health", "/private"):
            known = path == "/health" or self.headers.get("Authorization") == "Bearer t0ken"
            self.answer(200 if known else 401, b"UP")
        elif path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"short")
            self.close_connection = True
        else:
            self.answer(200, b"hello page", Last_Modified="Fri, 24 May 2019 18:41:34 GMT", X_Kind="page")

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 -- the names that http.server calls

    def body(self) -> bytes:
        """Read what a request brings, in one piece or in chunks."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def moved(self, path: str) -> None:
        """Send to ``/to/STATUS/page``, ``/to/STATUS/here/page`` (the whole URL) or ``…/away/page`` (another name of this host)."""
        status, _, location = path.removeprefix("/to/").partition("/")
        hosts = {"here": f"http://{self.headers['Host']}", "away": f"http://localhost:{self.server.server_address[1]}"}
        self.answer(
            int(status), b"moved", Location=f"{hosts.get(location.partition('/')[0], '')}/{location.rpartition('/')[2]}"
        )

    def token(self, path: str) -> None:
        """Give a token of OAuth 2 to who says who he is by a header, or, at ``/token/form``, in the form."""
        form = self.requests[-1][1].get("(body)", "")
        basic = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"prober:s3cret").decode()
        if (path == "/token/form" and "client_secret=s3cret" in form) or (path == "/token/basic" and basic):
            said = b'{"access_token": "t0ken", "token_type": "bearer", "expires_in": 3600}'
            self.answer(200, said, Content_Type="application/json")
        else:
            self.answer(401, b'{"error": "invalid_client"}', Content_Type="application/json")

    def session(self, location: str) -> None:
        """Start a session for a visitor who brings none, as applications do, and send him to the login page."""
        cookie = self.headers.get("Cookie", "")
        known = cookie.partition("connect.sid=")[2].partition(";")[0]
        headers = {"Location": location}
        if self.store is not None and not (known and self.store.exists(f"sess:{known}")):
            identifier = secrets.token_urlsafe(24)
            self.store.set(f"sess:{identifier}", '{"cookie":{}}', ex=86_400)
            headers["Set-Cookie"] = f"connect.sid={identifier}; Path=/; HttpOnly"
        self.answer(302, b"", **headers)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(store: redis.Redis | None = None) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Yield the address, and the requests as they come: path and headers."""
    requests: list[tuple[str, dict[str, str]]] = []
    handler = type("Handler", (Stub,), {"store": store, "requests": requests})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", requests
    finally:
        server.shutdown()
        server.server_close()
