"""Make the Django and Flask fixtures again: real applications, a real Redis, real dumps. See README.md beside this."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
DJANGO = ("Django==5.2.8", "django-redis==6.0.0", "redis==6.4.0")
FLASK_5 = ("Flask==2.3.3", "Werkzeug==2.3.8", "Flask-Session==0.5.0", "Flask-Login==0.6.3", "redis==5.0.8", "cachelib")
FLASK_8 = ("Flask==3.1.2", "Flask-Session==0.8.0", "Flask-Login==0.6.3", "redis==6.4.0")
DUMPS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("flask_session_0_5", FLASK_5, ("flask_application.py",)),
    ("flask_session_0_8", FLASK_8, ("flask_application.py",)),
    ("django_builtin_cache", DJANGO, ("django_application.py", "builtin")),
    ("django_redis_pickle", DJANGO, ("django_application.py", "django-redis")),
    ("django_redis_json_own_prefix", DJANGO, ("django_application.py", "django-redis-json")),
    ("django_redis_zlib", DJANGO, ("django_application.py", "django-redis-zlib")),
)


def answer(port: int, *words: str) -> str:
    return subprocess.run(
        ["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=False
    ).stdout.strip()


def interpreter(folder: Path, packages: tuple[str, ...]) -> Path:
    place = folder / str(abs(hash(packages)))
    if not place.exists():
        venv.create(place, with_pip=True)
        subprocess.run([place / "bin" / "pip", "-q", "install", *packages], check=True)
    return place / "bin" / "python"


def make(name: str, python: Path, arguments: tuple[str, ...]) -> None:
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
            script, *rest = arguments
            subprocess.run([python, HERE / script, str(port), str(truth), *rest], check=True)
            shutil.copy(Path(folder, "dump.rdb"), HERE.parent / f"{name}.rdb")
            (HERE.parent / f"{name}.json").write_text(truth.read_text() + "\n")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as environments:
        for dump, packages, arguments in DUMPS:
            if not wanted or dump in wanted:
                make(dump, interpreter(Path(environments), packages), arguments)
