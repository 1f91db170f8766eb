"""Make the Express fixtures again: real applications, a real Redis, real dumps. See README.md beside this file."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DUMPS = {"connect_redis_9": "express", "connect_redis_3": "express-3", "fastify_session_11": "fastify"}


def answer(port: int, *words: str) -> str:
    return subprocess.run(
        ["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=False
    ).stdout.strip()


def make(name: str, kind: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port", str(port), "--dir", folder, "--save", "", "--enable-debug-command", "local"]
        server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        try:
            while answer(port, "PING") != "PONG":
                time.sleep(0.05)
            answer(port, "DEBUG", "SET-ACTIVE-EXPIRE", "0")  # keys that are past their time stay until somebody asks
            truth = Path(folder, "truth.json")
            subprocess.run(["node", "main.mjs", kind, str(port), str(truth)], cwd=HERE, check=True)
            shutil.copy(Path(folder, "dump.rdb"), HERE.parent / f"{name}.rdb")
            shutil.copy(truth, HERE.parent / f"{name}.json")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=HERE, check=True)
    for dump in DUMPS.items():
        make(*dump)
