"""Run a checkout's ``necropsy examine`` on an incident, as its user would; measure what it costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from incidents.build import Incident

LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an examination said, and what it took."""

    report: dict[str, Any] | None
    """None: it printed no report."""
    exit_code: int
    error: str
    cpu_s: float
    wall_s: float
    peak_mb: float


def command(incident: Incident, withheld: str = "") -> list[str]:
    """The command line; run it with ``PYTHONPATH`` = the checkout's ``src``."""
    return [
        sys.executable,
        "-c",
        "import sys; from necropsy.cli.main import main; sys.exit(main())",
        *incident.command(withheld),
    ]


def examine(tree: Path, incident: Incident, withheld: str = "") -> Outcome:
    """Examine; a run that takes five minutes is stopped, and counts as one that said nothing."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "NO_COLOR": "1"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        began = time.monotonic()
        process = subprocess.Popen(
            command(incident, withheld), stdout=out, stderr=error, env=environment, stdin=subprocess.DEVNULL
        )
        deadline = began + LIMIT_S
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                process.kill()
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
        out.seek(0)
        error.seek(0)
        text, said = out.read().decode(errors="replace"), error.read().decode(errors="replace")
    try:
        report = json.loads(text) if text.strip() else None
    except json.JSONDecodeError:
        report = None
    return Outcome(
        report, process.returncode, said[-2_000:], usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024
    )
