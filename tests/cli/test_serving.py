"""The exporter and the prober as processes: where they listen, reload, and a request that was taken before they were ended."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from waiting import wait_until

pytestmark = pytest.mark.process


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """Run a command on a port that the system chooses; yields the process, its address and its log."""
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen([sys.executable, "-m", "necropsy.cli.main", *words, "--listen", "127.0.0.1:0"], cwd=folder,
                                   stdout=stream, stderr=stream)  # fmt: skip
    try:
        found = wait_until(lambda: re.search(r"Listening on (\S+):", log.read_text()) or process.poll(), "it listens")
        assert isinstance(found, re.Match), log.read_text()
        yield process, found[1], log
    finally:
        process.kill()
        process.wait(60)


def test_a_probe_that_was_taken_is_answered_before_the_prober_ends_and_a_wrong_file_changes_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "blackbox.yml").write_text("modules:\n  http_2xx: {prober: http}\n")
    with (
        socket.create_server(("127.0.0.1", 0)) as slow,
        serving(tmp_path, "prober", "--config", "blackbox.yml") as (process, address, log),
    ):
        (tmp_path / "blackbox.yml").write_text("modules:\n  http_2xx: {prober: http, nonsense: 1}\n")
        os.kill(process.pid, signal.SIGHUP)
        wait_until(lambda: "The old configuration stays in use." in log.read_text(), "the error is said")
        assert "blackbox.yml:2: " in log.read_text()
        answers: list[str] = []
        asked = f"{address}/probe?target=http://127.0.0.1:{slow.getsockname()[1]}/"
        asking = threading.Thread(
            target=lambda: answers.append(urllib.request.urlopen(asked, timeout=60).read().decode())
        )
        asking.start()
        connection, _ = slow.accept()
        with connection:
            connection.recv(1000)
            os.kill(process.pid, signal.SIGTERM)
            wait_until(lambda: not listens(address), "it takes no new request")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        assert process.wait(60) == 0
        asking.join(60)
    assert "probe_success 1" in answers[0]


def listens(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/-/healthy", timeout=0.5).close()
    except OSError:
        return False
    return True


def test_an_exporter_with_a_password_and_no_certificate_is_not_said_to_be_reached_by_tls(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text(
        "basic_auth_users: {prometheus: $2y$04$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuabcdefghijklmno}\n"
    )
    with serving(tmp_path, "exporter", "--redis", "redis://127.0.0.1:1", "--web.config.file", "web.yml") as (
        process,
        address,
        log,
    ):
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+", address)
        process.terminate()
        assert process.wait(60) == 0
        assert log.read_text().endswith("Stopped.\n")
