"""A real Prometheus for tests, with a past: blocks made from samples by promtool, served on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

Samples = Iterable[tuple[float, float]]
"""(Unix seconds, value)."""


def open_metrics(series: Mapping[str, Samples]) -> str:
    """Write series as OpenMetrics text: ``name{labels}`` to its samples, one type a name."""
    by_name: dict[str, list[str]] = {}
    for labelled, samples in series.items():
        name = labelled.partition("{")[0]
        kind = "counter" if name.endswith("_total") else "gauge"
        lines = by_name.setdefault(name, [f"# TYPE {name.removesuffix('_total')} {kind}"])
        lines += [f"{labelled} {value:.10g} {at:.3f}" for at, value in samples]
    return "\n".join(line for lines in by_name.values() for line in lines) + "\n# EOF\n"


@contextmanager
def prometheus(folder: Path, series: Mapping[str, Samples]) -> Iterator[str]:
    """Serve some series; yields the address."""
    text = folder / "past.om"
    text.write_text(open_metrics(series))
    data = folder / "data"
    # Of the whole text promtool makes one block after the other, and reads all of it for each: of a month in blocks of two
    # hours 360 times. (The option is there since 2.36, and in no help.)
    command = [
        _found("promtool"),
        "tsdb",
        "create-blocks-from",
        "--max-block-duration=744h",
        "openmetrics",
        str(text),
        str(data),
    ]
    subprocess.run(command, check=True, capture_output=True)
    configuration = folder / "prometheus.yml"
    configuration.write_text("scrape_configs: []\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            _found("prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=50y",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _found(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is not installed: apt-get install prometheus"
    return found


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/-/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("Prometheus is not ready after half a minute")
