"""An exporter that writes down what arrives, and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Arrivals:
    """What arrived so far."""

    port: int
    seen: list[tuple[float, str, str]] = field(default_factory=list)
    """(Unix time in seconds, request line's path, User-Agent)"""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that Prometheus closes is no news."""


@contextmanager
def exporter() -> Iterator[Arrivals]:
    """An HTTP server on the loopback interface, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer: Nagle's algorithm would wait for an acknowledgement
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            self.rfile.peek(1)  # the moment at which a request is there, before it is parsed
            self.arrived = time.time()
            super().handle_one_request()

        def do_GET(self) -> None:
            arrivals.seen.append((self.arrived, self.path, self.headers["User-Agent"]))
            body = b"up_here 1\n"
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        arrivals = Arrivals(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield arrivals
        finally:
            server.shutdown()
            thread.join()
