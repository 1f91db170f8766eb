"""A receiver that records what it is sent, in place of Slack and webhooks; and a real Alertmanager that sends to it."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from servers import free_port
from waiting import wait_until

CHECKOUT = Path(__file__).parents[3]
DEBIAN_14 = CHECKOUT / ".tools" / "debian-14"
FOLDER = b"/usr/share/prometheus/alertmanager"
TEMPLATES = Path(f"{DEBIAN_14}{FOLDER.decode()}")


@dataclass
class Receiver:
    """What came, and what is answered."""

    url: str = ""
    received: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    """Path, headers and body of each request."""
    status: int = 200
    answer: str = "ok"
    refuses: Callable[[Any], bool] = lambda _: False
    """Which bodies are answered 400, whatever the status."""
    go: threading.Event = field(default_factory=threading.Event)
    """Set: answers at once; else when it is set, after the request was recorded."""

    @property
    def bodies(self) -> list[Any]:
        return [body for _, _, body in self.received]

    def wait_for(self, holds: Callable[[list[Any]], bool], what: str) -> list[Any]:
        return wait_until(lambda: self.bodies if holds(self.bodies) else None, what)


@contextmanager
def recording() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.go.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append((self.path, dict(self.headers.items()), json.loads(text)))
            receiver.go.wait(60)
            self.send_response(400 if receiver.refuses(json.loads(text)) else receiver.status)
            self.end_headers()
            self.wfile.write(receiver.answer.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def alertmanager_program() -> Path:
    """Return Debian 14's Alertmanager, for the working directory TEMPLATES.

    Debian's build opens its templates under /usr/share, where an unpacked package does not have them: in a copy of the
    program the folder is named relative to the working directory, by a path of the same length.
    """
    fetched = subprocess.run([CHECKOUT / "tools" / "debian-release", "14"], capture_output=True, text=True, check=False)
    assert fetched.returncode == 0, fetched.stderr
    copied = DEBIAN_14 / "alertmanager-with-templates-here"
    if not copied.exists():
        program = (DEBIAN_14 / "usr" / "bin" / "prometheus-alertmanager").read_bytes()
        assert FOLDER in program
        with tempfile.NamedTemporaryFile(dir=DEBIAN_14, delete=False) as whole:
            whole.write(program.replace(FOLDER, b"./" * (len(FOLDER) // 2)))
        Path(whole.name).chmod(0o755)
        Path(whole.name).replace(copied)
    return copied


@contextmanager
def alertmanager(folder: Path, hook: str) -> Iterator[str]:
    """Start Debian 14's Alertmanager: what it is told goes to HOOK a second later."""
    program = alertmanager_program()
    config = folder / "alertmanager.yml"
    config.write_text(
        "route: {receiver: hook, group_by: ['...'], group_wait: 100ms, group_interval: 1s, repeat_interval: 1h}\n"
        f"receivers: [{{name: hook, webhook_configs: [{{url: '{hook}', send_resolved: true}}]}}]\n"
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [program, f"--config.file={config}", f"--storage.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
         "--cluster.listen-address="], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=TEMPLATES)  # fmt: skip
    try:
        wait_until(lambda: answers(f"{url}/-/ready"), "Alertmanager is ready")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)
