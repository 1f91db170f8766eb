"""A web server that answers in the ways that probes must tell apart, and an application that keeps sessions in Redis."""

from __future__ import annotations

import gzip
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis


class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: redis.Redis | None = None
    requests: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        path = self.path.partition("?")[0]
        if path.startswith("/status/"):
            self.answer(int(path.rpartition("/")[2]), b"")
        elif path == "/redirect":
            self.answer(302, b"", Location="/page")
        elif path == "/loop":
            self.answer(302, b"", Location="/loop")
        elif path == "/gzip":
            self.answer(200, gzip.compress(b"packed hello"), Content_Encoding="gzip")
        elif path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")
        elif path == "/":
            self.session("/login")
        elif path == "/health":
            self.answer(200, b"UP")
        elif path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"short")
            self.close_connection = True
        else:
            self.answer(200, b"hello page", Last_Modified="Fri, 24 May 2019 18:41:34 GMT", X_Kind="page")

    do_POST = do_HEAD = do_GET  # noqa: N815 -- the names that http.server calls

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
