"""A receiver of notices that looks like Slack's incoming webhook: keeps every message with the time at which it came.

One line of JSON a message: ``{"at": 1796007954.1, "message": {"attachments": […]}}``.
"""

from __future__ import annotations

import argparse
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar


class ChatHandler(BaseHTTPRequestHandler):
    """Takes what is posted, whatever the path."""

    kept: ClassVar[Path]

    def do_POST(self) -> None:
        """Keep a message, and answer as Slack does."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            message = json.loads(body)
        except ValueError:
            self._answer(400, b"invalid_payload")
            return
        with self.kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": round(time.time(), 3), "message": message}) + "\n")
        self._answer(200, b"ok")

    def do_GET(self) -> None:
        """Say that it is there."""
        self._answer(200, b"ok")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


def main() -> None:
    """Receive until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--kept", type=Path, required=True)
    options = parser.parse_args()
    ChatHandler.kept = options.kept
    ThreadingHTTPServer((options.address, options.port), ChatHandler).serve_forever()


if __name__ == "__main__":
    main()
