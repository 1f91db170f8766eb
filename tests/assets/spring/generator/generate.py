"""Make the Spring fixtures again: real applications, a real Redis, real dumps. See README.md beside this file."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ASSETS = HERE.parent
DUMPS = (
    # name of the dump, Spring Boot, kind, serializer, namespace, sorted set of expirations
    ("spring_2_indexed_jdk", "2.7.18", "indexed", "jdk", "spring:session", False),
    ("spring_2_reactive_jdk", "2.7.18", "reactive", "jdk", "spring:session", False),
    ("spring_3_indexed_jdk", "3.5.6", "indexed", "jdk", "spring:session", False),
    ("spring_3_indexed_json_own_namespace", "3.5.6", "indexed", "json", "admin-a:web", False),
    ("spring_3_indexed_sorted_set_jdk", "3.5.6", "indexed", "jdk", "spring:session", True),
    ("spring_3_default_jdk", "3.5.6", "default", "jdk", "spring:session", False),
    ("spring_3_default_json", "3.5.6", "default", "json", "spring:session", False),
    ("spring_3_reactive_jdk", "3.5.6", "reactive", "jdk", "spring:session", False),
    ("spring_3_reactive_indexed_jdk", "3.5.6", "reactive-indexed", "jdk", "spring:session", False),
    ("spring_3_reactive_indexed_json", "3.5.6", "reactive-indexed", "json", "admin-b", False),
)
LAYOUT_OF_KIND = {
    "indexed": "spring-indexed",
    "default": "spring",
    "reactive": "spring-reactive",
    "reactive-indexed": "spring-reactive-indexed",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answer(port: int, *words: str) -> str:
    return subprocess.run(
        ["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=False
    ).stdout.strip()


def make(name: str, boot: str, kind: str, serializer: str, namespace: str, sorted_set: bool) -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port", str(port), "--dir", folder, "--save", "", "--enable-debug-command", "local"]
        server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        try:
            while answer(port, "PING") != "PONG":
                time.sleep(0.05)
            answer(port, "DEBUG", "SET-ACTIVE-EXPIRE", "0")  # keys that are past their time stay until somebody asks
            target = HERE / "target" / boot
            classes = f"{target}/spring-session-fixtures-1.jar:{target}/dependency/*"
            truth = Path(folder, "truth.json")
            arguments = [kind, serializer, namespace, str(sorted_set).lower(), str(port), str(truth)]
            subprocess.run(["java", "-cp", classes, "fixtures.Main", *arguments], check=True)
            shutil.copy(Path(folder, "dump.rdb"), ASSETS / f"{name}.rdb")
            facts = {"layout": LAYOUT_OF_KIND[kind], "serializer": serializer, **json.loads(truth.read_text())}
            (ASSETS / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n")
        finally:
            server.terminate()
            server.wait()


def main() -> None:
    wanted = sys.argv[1:]
    for boot in dict.fromkeys(dump[1] for dump in DUMPS):
        subprocess.run(["mvn", "-q", "-B", f"-Dboot.version={boot}", "package"], cwd=HERE, check=True)
    for dump in DUMPS:
        if not wanted or dump[0] in wanted:
            make(*dump)


if __name__ == "__main__":
    main()
