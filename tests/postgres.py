"""A real PostgreSQL for tests, from Debian's package, on loopback, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servers import free_port

_USER = "nobody"
"""Who runs it where the tests are root's: PostgreSQL refuses to be root."""


@contextmanager
def running() -> Iterator[str]:
    """Start a server with an empty database; yields its address."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not programs:
        reason = "PostgreSQL is not on this machine: apt-get install postgresql"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    program = programs[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="postgres", dir="/tmp"))
    is_root = os.geteuid() == 0
    if is_root:
        shutil.chown(folder, _USER)
    port = free_port()

    def run(*words: str) -> None:
        command = ["setpriv", f"--reuid={_USER}", "--clear-groups", *words] if is_root else list(words)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}:\n{done.stdout}{done.stderr}")

    data = str(folder / "data")
    try:
        run(
            str(program / "initdb"),
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "necropsy",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        )
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
        run(str(program / "pg_ctl"), "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgres://necropsy@127.0.0.1:{port}/postgres"
        finally:
            run(str(program / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)
