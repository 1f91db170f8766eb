"""A real nginx that answers everything with 200 and writes an access log."""

from __future__ import annotations

import http.client
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from servers import free_port
from waiting import wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin")
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Logging:
    """An nginx that runs."""

    log: Path
    port: int
    process: subprocess.Popen[bytes]

    def ask(self, path: str, *, times: int = 1, headers: dict[str, str] | None = None) -> None:
        """Ask so many times, each over a connection of its own."""
        for _ in range(times):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.request("GET", path, headers={"User-Agent": "necropsy-test/1", **(headers or {})})
            connection.getresponse().read()
            connection.close()

    def rotate(self) -> None:
        """Rename the log and have nginx open a new one, as logrotate does; returns when it is there."""
        self.log.rename(self.log.with_name(f"{self.log.name}.1"))
        self.process.send_signal(signal.SIGUSR1)
        wait_until(self.log.exists, "nginx opened its log again")


@contextmanager
def logging_nginx(
    folder: Path, log_format: str = "", locations: str = "location / { return 200 ok; }", before: str = ""
) -> Iterator[Logging]:
    """Run nginx in a folder; its log is ``access.log`` there, ``combined`` unless a ``log_format`` text is given."""
    if NGINX is None:
        pytest.skip("needs nginx: apt-get install nginx-light")
    port, log = free_port(), folder / "access.log"
    paths = " ".join(f"{name}_temp_path {folder}/{name};" for name in _TEMPORARY)
    named = f"log_format own {log_format}; access_log {log} own;" if log_format else f"access_log {log};"
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid nginx.pid; events {{ }}\n"
        f"http {{ {paths} {before} {named} server {{ listen 127.0.0.1:{port}; {locations} }} }}\n"
    )
    command = [NGINX, "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _answers(port), "nginx listens")
            yield Logging(log, port, process)
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    """Whether somebody listens; nothing is asked, so nothing is logged."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.connect()
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()
    return True
