"""Real exporters for tests: redis_exporter and the blackbox exporter, Debian 14's, each on a free port."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers import free_port

CHECKOUT = Path(__file__).parents[1]


@contextmanager
def redis_exporter(port: int) -> Iterator[str]:
    """Run redis_exporter for the server on a port; its /metrics."""
    with _running("prometheus-redis-exporter", "/metrics", "--redis.addr", f"redis://127.0.0.1:{port}") as url:
        yield f"{url}/metrics"


@contextmanager
def blackbox(folder: Path, **environ: str) -> Iterator[str]:
    """Run the blackbox exporter with the ``blackbox.yml`` of a folder, and variables of its environment; its address."""
    options = f"--config.file={folder / 'blackbox.yml'}"
    with _running("prometheus-blackbox-exporter", "/-/healthy", options, **environ) as url:
        yield url


@contextmanager
def _running(program: str, answers: str, *options: str, **environ: str) -> Iterator[str]:
    fetched = subprocess.run([CHECKOUT / "tools" / "debian-release", "14"], capture_output=True, text=True, check=False)
    assert fetched.returncode == 0, fetched.stderr
    binary = CHECKOUT / ".tools" / "debian-14" / "usr" / "bin" / program
    listen = f"127.0.0.1:{free_port()}"
    command = [binary, *options, f"--web.listen-address={listen}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, **environ}) as process:
        try:
            for _ in range(200):
                try:
                    urllib.request.urlopen(f"http://{listen}{answers}", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield f"http://{listen}"
        finally:
            process.kill()
