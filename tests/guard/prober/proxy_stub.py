"""Proxies of two kinds that note what they were asked: an HTTP proxy (whole URLs, CONNECT) and one of SOCKS 5."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

Asked = list[tuple[str, dict[str, str]]]


@contextmanager
def http_proxy(to: tuple[str, int], *, refuses: bool = False) -> Iterator[tuple[str, Asked]]:
    """Yield the address of a proxy that leads every connection to one server, and the heads of its requests."""
    asked: Asked = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline().decode().rstrip()
            fields = [row.partition(": ") for row in iter(lambda: self.rfile.readline().decode().rstrip(), "")]
            asked.append((line, {name.lower(): value for name, _, value in fields}))
            if refuses:
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            elif line.startswith("CONNECT "):
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _tunnel(self.request, to)
            else:
                body = f"by proxy: {line}".encode()
                self.wfile.write(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)
                )

    with _serving(Handler) as port:
        yield f"127.0.0.1:{port}", asked


@contextmanager
def socks_proxy(to: tuple[str, int], user: bytes = b"", password: bytes = b"") -> Iterator[tuple[str, list[bytes]]]:
    """Yield the address of a proxy that leads every connection to one server, and what each asked to be connected to."""
    asked: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            offered = self.rfile.read(self.rfile.read(2)[1])
            way = 2 if user else 0
            if way not in offered:
                self.wfile.write(b"\x05\xff")
                return
            self.wfile.write(bytes([5, way]))
            if user:
                who = self.rfile.read(self.rfile.read(2)[1])
                secret = self.rfile.read(self.rfile.read(1)[0])
                right = (who, secret) == (user, password)
                self.wfile.write(b"\x01\x00" if right else b"\x01\x01")
                if not right:
                    return
            head = self.rfile.read(4)
            length = {1: 4, 4: 16}.get(head[3]) or self.rfile.read(1)[0]
            asked.append(head[3:] + self.rfile.read(length + 2))
            self.wfile.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
            _tunnel(self.request, to)

    with _serving(Handler) as port:
        yield f"127.0.0.1:{port}", asked


@contextmanager
def _serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _tunnel(client: socket.socket, to: tuple[str, int]) -> None:
    with contextlib.suppress(OSError), socket.create_connection(to, 10) as server:
        other = {client: server, server: client}
        while True:
            for ready in select.select(list(other), [], [])[0]:
                data = ready.recv(65_536)
                if not data:
                    return
                other[ready].sendall(data)
