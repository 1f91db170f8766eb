"""An application of the lab, run for a test, and what its sessions leave in Redis."""

from __future__ import annotations

import re
import subprocess
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from necropsy.lab.live.actors.asking import ActorResponse, ask
from servers import free_port

Shape = dict[str, tuple[str, ...]]
"""Fields of each hash, or ``ttl`` for a key that expires, by the key with its ids and times struck out."""


@dataclass
class Browser:
    """Keeps its cookie."""

    place: str
    cookie: str = ""

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> ActorResponse:
        headers = {"User-Agent": "test", **({"Cookie": self.cookie} if self.cookie else {})}
        answer = ask(self.place, method, path, headers, urllib.parse.urlencode(form) if form else "")
        self.cookie = answer.cookie if answer.cookie is not None else self.cookie
        return answer

    def form(self, path: str) -> str:
        found = re.search(r'name="_csrf" type="hidden" value="([^"]+)"', self.ask("GET", path).body)
        assert found
        return found.group(1)

    def log_in(self, user: str) -> ActorResponse:
        self.ask("GET", "/")
        return self.ask("POST", "/login", {"username": user, "password": "admin", "_csrf": self.form("/login")})


@contextmanager
def application(
    command: Sequence[str], folder: Path, redis_port: int, *, redirects: str = "absolute", timeout: int = 20
) -> Iterator[str]:
    """Run it; yields its HOST:PORT."""
    port = free_port()
    options = {"address": "127.0.0.1", "port": port, "redis-host": "127.0.0.1", "redis-port": redis_port, "lifetime": 3600,
               "redirects": redirects, "timeout": timeout, "notes": folder / "notes.jsonl", "errors": folder / "errors.log"}  # fmt: skip
    (folder / "errors.log").touch()
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in options.items())], stdout=output, stderr=output
        )
    place = f"127.0.0.1:{port}"
    try:
        for _ in range(1200):
            if ask(place, "GET", "/health", {}).status == 200:
                break
            assert process.poll() is None, (folder / "output").read_text()
            time.sleep(0.1)
        yield place
    finally:
        process.kill()
        process.wait()


def shapes(client: redis.Redis) -> list[tuple[str, bool, tuple[str, ...]]]:
    """Read until nothing changes any more: Spring goes on after it has answered."""
    before = _shapes(client)
    for _ in range(100):
        time.sleep(0.3)
        if (found := _shapes(client)) == before:
            return found
        before = found
    raise AssertionError("the keys never come to rest")


def _shapes(client: redis.Redis) -> list[tuple[str, bool, tuple[str, ...]]]:
    """Key with ids and times struck out, whether it expires, fields or members; sorted."""
    found = []
    for key in client.keys("*"):
        name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", key.decode())
        kind = client.type(key)
        fields: tuple[str, ...] = ()
        if kind == b"hash":
            fields = tuple(
                sorted(f"{field.decode()}{'' if value else ' (empty)'}" for field, value in client.hgetall(key).items())
            )
        elif kind == b"set":
            fields = tuple(
                sorted(
                    re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}", b"ID", member).decode(errors="replace")
                    for member in client.smembers(key)
                )
            )
        found.append((re.sub(r"expirations:\d+", "expirations:MINUTE", name), client.ttl(key) > 0, fields))
    return sorted(found)
