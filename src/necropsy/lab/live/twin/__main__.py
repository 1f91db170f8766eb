"""Run one process of the twin; the options are those of ``lab/admin-app``."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import socket
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from necropsy.lab import error_log
from necropsy.lab.live.twin import sessions
from necropsy.lab.live.twin.connection import Pool, StoreRefusal, TimedOut, TwinConnection
from necropsy.lab.live.twin.pages import COOKIE, Answered, PageRequest, Pages

_MINUTE_MS = 60_000


class Application:
    """State that all requests of one process share."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.pages = Pages(options.lifetime, options.redirects == "absolute")
        self.redis = (options.redis_host, options.redis_port)
        self.pool = Pool(self.redis, options.timeout)
        self.timeout_s: float = options.timeout
        self._port: int = options.port
        self._notes: Path = options.notes
        self._errors: Path = options.errors
        self._process = random.randrange(1_000, 30_000)
        self._lock = threading.Lock()

    def answer(self, asked: PageRequest) -> Answered:
        """Answer a request; when the store fails, log what Spring would and answer 500."""
        at = sessions.now_ms()
        try:
            with contextlib.ExitStack() as stack:
                answered = self.pages.answer(asked, lambda: stack.enter_context(self.pool.connection()))
        except TimedOut:
            self.log(error_log.REQUEST)
            return Answered(500)
        except StoreRefusal as refusal:
            self.log(error_log.refused(str(refusal)))
            return Answered(500)
        if answered.born:
            self._note(asked, at)
        return answered

    def _note(self, asked: PageRequest, at_ms: int) -> None:
        """Keep the truth: who made this session."""
        note = {
            "at_ms": at_ms,
            "agent": asked.headers.get("user-agent", ""),
            "proxied": "x-forwarded-for" in asked.headers,
            "path": asked.path,
            "port": self._port,
        }
        with self._lock, self._notes.open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(note) + "\n")

    def log(self, origin: error_log.StackOrigin) -> None:
        """Write one entry of the error log."""
        with self._lock, self._errors.open("a", encoding="utf-8") as log:
            log.write(error_log.entry(sessions.now_ms(), origin, self._process, random.randrange(1, 10)))

    def clean_each_minute(self) -> None:
        """Do at every full minute what Spring's scheduled task does."""
        while True:
            time.sleep((_MINUTE_MS - sessions.now_ms() % _MINUTE_MS) / 1000 + 0.005)
            try:
                with self.pool.connection() as redis:
                    sessions.clean(redis, sessions.now_ms() // _MINUTE_MS * _MINUTE_MS)
            except (TimedOut, StoreRefusal):
                self.log(error_log.TASK)

    def hear_of_expiries(self) -> None:
        """Listen to Redis' notices of expired keys, and connect again when that breaks."""
        while True:
            with contextlib.suppress(TimedOut, StoreRefusal, OSError):
                listening = TwinConnection(self.redis, None)
                listening.call(b"CONFIG", b"SET", b"notify-keyspace-events", b"Egx")
                listening.call(b"PSUBSCRIBE", b"__keyevent@0__:expired")
                while True:
                    message: list[bytes] = listening.read()
                    with self.pool.connection() as redis:
                        sessions.ended(redis, message[3])
            time.sleep(1)


class TwinHandler(BaseHTTPRequestHandler):
    """HTTP around it."""

    protocol_version = "HTTP/1.1"
    application: ClassVar[Application]

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        form = urllib.parse.parse_qs(self.rfile.read(length).decode()) if length else {}
        asked = PageRequest(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self.client_address[0],
            {name: values[0] for name, values in form.items()},
        )
        answered = self.application.answer(asked)
        body = answered.body.encode()
        self.send_response(answered.status)
        if answered.cookie is not None:
            gone = "" if answered.cookie else " Max-Age=0;"
            self.send_header("Set-Cookie", f"{COOKIE}={answered.cookie};{gone} Path=/; HttpOnly; SameSite=Lax")
        if answered.location is not None:
            self.send_header("Location", answered.location)
        self.send_header("Content-Type", "text/html;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_HEAD = _serve  # noqa: N815 -- names that http.server looks for

    def log_message(self, *_: Any) -> None:
        """Stay silent: the proxy logs."""


class _TwinServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away in the middle are no news."""


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--redis-host", required=True)
    parser.add_argument("--redis-port", type=int, required=True)
    parser.add_argument("--lifetime", type=int, required=True, help="seconds")
    parser.add_argument("--redirects", choices=("absolute", "relative"), default="absolute")
    parser.add_argument("--timeout", type=float, default=2.0, help="seconds")
    parser.add_argument("--notes", type=Path, required=True)
    parser.add_argument("--errors", type=Path, required=True)
    options = parser.parse_args()
    application = Application(options)
    TwinHandler.application = application
    for task in (application.clean_each_minute, application.hear_of_expiries):
        threading.Thread(target=task, daemon=True).start()
    server = _TwinServer((options.address, options.port), TwinHandler)
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.serve_forever()


if __name__ == "__main__":
    main()
