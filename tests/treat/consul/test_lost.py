"""Consul that is lost half-way: what was removed is said, and is registered again by an undo."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from necropsy.treat.consul.zombies import ConsulError, find, remove

ENTRIES = [
    {
        "Node": {"Node": f"gone-{number}", "Address": f"10.0.0.{number}", "Datacenter": "dc1"},
        "Service": {"ID": f"web-{number}", "Service": "web", "Address": "", "Port": 80},
        "Checks": [{"CheckID": "serfHealth", "Status": "critical"}],
    }
    for number in range(3)
]


def _ask(path: str) -> Any:
    return {"web": []} if path.endswith("services") else ENTRIES


@contextmanager
def _hangs_up_after(count: int) -> Iterator[tuple[str, list[str]]]:
    """An API that takes so many services out of its catalogue, and hangs up at the next."""
    removed: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if len(removed) >= count:
                self.close_connection = True
                return
            removed.append(body["ServiceID"])
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"true")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", removed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_consul_that_hangs_up_half_way_is_said_with_what_was_removed(tmp_path: Path) -> None:
    journal = tmp_path / "journal.json"
    with _hangs_up_after(2) as (url, removed), pytest.raises(ConsulError) as lost:
        remove(url, find(_ask), journal, ask=_ask)
    assert removed == ["web-0", "web-1"]
    assert "nobody knows whether web-2 was removed; 2 were removed before" in lost.value.message
    assert f"--undo {journal}" in lost.value.message
    assert [entry["Service"]["ID"] for entry in json.loads(journal.read_text())["entries"]] == [
        "web-0",
        "web-1",
        "web-2",
    ]
