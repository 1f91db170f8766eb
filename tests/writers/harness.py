"""Drives the small application of one writer and keeps what its sessions look like: a dump, and what really happened.

Every application has the same pages (``/``, ``/health``, ``/account``, ``/login``, ``/cart``, ``/logout``). The harness asks
for them as probes and people do, looks at the keyspace before and after each visit, and writes ``store.rdb`` and
``facts.json`` beside the application: for each key that was made, when, by which visit, and whether it is logged in.

Run one: ``python -m writers.harness express_redis`` in ``tests/``; all of them: ``make writers``.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import running

HERE = Path(__file__).parent
WORK = Path(os.environ.get("WRITERS_WORK", HERE.parents[1] / ".tools" / "writers"))
"""Where installed packages and builds of the writers lie."""
_TOKEN = re.compile(rb'name="_csrf" type="hidden" value="([^"]+)"')
PAUSE_S = 1.3
"""Between two visits of one client: enough that a last use differs from a birth by more than a second."""


@dataclass(frozen=True)
class Writer:
    """One writer: how its application is started, and which of its keys are sessions."""

    name: str
    """Folder of the application."""
    layout: str
    """Name that necropsy gives to its sessions."""
    start: str
    """Command in the application's folder; ``PORT``, ``REDIS_PORT`` and ``WORK`` are in the environment."""
    version: str
    """Command that prints the versions of what writes."""
    sessions: str
    """Regular expression of the keys that are sessions (and nothing else)."""
    companions: str = "(?!)"
    """Regular expression of keys that belong to a session."""
    lifetime_s: int | None = 86_400
    environment: tuple[tuple[str, str], ...] = ()
    own_id: bool = True
    """Whether the key holds the session's id, so that it is known by its name after a visit."""
    server: str = "redis-7.0"
    folder: str = ""
    """Folder of the application's sources, when several writers share one."""
    db: int = 0
    """Database of the store."""
    renames: bool = False
    """Whether a new id is given to a session that stays what it was, its birth too."""
    fills: bool = False
    """Whether it is a script that fills a store with what is no session, and ends."""


@dataclass
class Client:
    """A browser, or something that is none: with ``keeps`` false it never returns a cookie."""

    port: int
    agent: str = "Mozilla/5.0"
    keeps: bool = True
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    """The last token against forged requests that a page gave it."""

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and Location."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        fields = dict(form or {}) | ({"_csrf": self.token} if self.token and method == "POST" else {})
        body = urllib.parse.urlencode(fields) if fields else None
        headers = {"User-Agent": self.agent, "Accept": "text/html,*/*" if self.keeps else "*/*"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif method == "POST":
            headers["Content-Length"] = "0"
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        found = _TOKEN.search(answer.read())
        if self.keeps:
            self.token = found[1].decode() if found else self.token
            for line in answer.headers.get_all("set-cookie", []):
                name, _, value = line.split(";")[0].partition("=")
                if "expires=thu, 01" in line.lower() or "max-age=0" in line.lower() or not value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = value
        connection.close()
        return answer.status, answer.headers.get("location") or ""


@dataclass
class Journal:
    """What the keyspace was before and after each visit."""

    store: redis.Redis
    writer: Writer
    known: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    visits: list[dict[str, Any]] = field(default_factory=list)

    def keys(self) -> dict[bytes, bytes]:
        """All keys with something that changes when the value does."""
        keys = sorted(self.store.scan_iter(count=1000))
        return {key: self.store.dump(key) or b"" for key in keys}

    def visit(self, name: str, client: Client, *asked: Any) -> list[tuple[int, str]]:
        """Ask, and note what it made."""
        before, began = self.keys(), self.now()
        lefts = {key: self.store.pexpiretime(key) for key in before}
        answers = []
        for one in asked:
            answers.append(client.ask(*one))
        time.sleep(0.15)  # some write after they have answered
        after, ended = self.keys(), self.now()
        made, touched, gone = [], [], sorted(before.keys() - after.keys())
        for key, value in after.items():
            if key not in before:
                made.append(key)
            elif value != before[key] or self.store.pexpiretime(key) != lefts[key]:
                touched.append(key)
        sessions = re.compile(self.writer.sessions.encode())
        for key in made:
            if sessions.fullmatch(key):
                self.known[key] = {"visit": name, "born": [began, ended], "touched": [began, ended], "logged_in": False}
        lost = [key for key in gone if key in self.known]
        if self.writer.renames and len(kept := [key for key in made if key in self.known]) == len(lost) == 1:
            self.known[kept[0]]["born"] = self.known[lost[0]]["born"]
        for key in (*made, *touched):
            if key in self.known:
                self.known[key]["touched"] = [began, ended]
                self.known[key].setdefault("visits", []).append(name)
        kept = [key for key in made if sessions.fullmatch(key)]
        self.visits.append(
            {
                "visit": name,
                "status": [status for status, _ in answers],
                "sessions_made": len(kept),
                "sessions_gone": sum(bool(sessions.fullmatch(key)) for key in gone),
                "keys_made": len(made),
                "bytes": sum(self.store.memory_usage(key) or 0 for key in made),
            }
        )
        return answers

    def now(self) -> int:
        """The store's time in milliseconds."""
        seconds, micros = self.store.time()
        return int(seconds) * 1000 + int(micros) // 1000


def drive(journal: Journal, port: int) -> None:
    """All visits, each by a client of its own."""
    for number, agent in enumerate(
        ("kube-probe/1.30", "Blackbox Exporter/0.28.0", "curl/8.5.0", "ELB-HealthChecker/2.0")
    ):
        journal.visit(f"look {number}", Client(port, agent, keeps=False), ("GET", "/"))
        time.sleep(0.3)
    journal.visit("head", Client(port, "curl/8.5.0", keeps=False), ("HEAD", "/"))
    journal.visit("health", Client(port, "kube-probe/1.30", keeps=False), ("GET", "/health"))
    journal.visit("redirect", Client(port, "Go-http-client/1.1", keeps=False), ("GET", "/account"), ("GET", "/login"))
    guest = Client(port)
    journal.visit("guest", guest, ("GET", "/"))
    buyer = Client(port)
    journal.visit("buyer looks", buyer, ("GET", "/"))
    time.sleep(PAUSE_S)
    journal.visit("guest returns", guest, ("GET", "/"))
    journal.visit("cart", buyer, ("POST", "/cart"))
    wrong = Client(port)
    journal.visit(
        "wrong password",
        wrong,
        ("GET", "/login"),
        ("POST", "/login", {"user": "anna", "username": "anna", "password": "wrong"}),
    )
    people = []
    for user in ("anna", "berta", "carla"):
        person = Client(port)
        before = set(journal.known)
        answers = journal.visit(
            f"login {user}", person, ("GET", "/login"), ("POST", "/login", {"user": user, "username": user, "password": "right"}),
            ("GET", "/account"),
        )  # fmt: skip
        assert answers[2][0] == 200, f"{journal.writer.name}: the login failed: {answers}"
        mine = (set(journal.known) - before) & set(journal.keys())
        for key in mine:
            journal.known[key]["logged_in"] = True
        people.append((person, mine))
    time.sleep(PAUSE_S)
    journal.visit("user returns", people[0][0], ("GET", "/account"))
    leaver, mine = people[1]
    before = set(journal.known)
    journal.visit("logout", leaver, ("POST", "/logout"))
    for key in (*mine, *(set(journal.known) - before)):
        if key in journal.known:
            journal.known[key]["logged_in"] = False
            journal.known[key]["logged_out"] = True
    stale = Client(port, cookies=dict(people[2][0].cookies))
    journal.visit("logout of another", people[2][0], ("POST", "/logout"))
    for key in people[2][1]:
        journal.known[key]["logged_in"] = False
        journal.known[key]["logged_out"] = True
    journal.visit("stale cookie", stale, ("GET", "/"))
    for number in range(6):
        journal.visit(f"again {number}", Client(port, "kube-probe/1.30", keeps=False), ("GET", "/"))
    last = Client(port)
    journal.visit("buyer again", last, ("GET", "/"), ("POST", "/cart"))


def record(writer: Writer, into: Path | None = None) -> dict[str, Any]:
    """Start a server and the application, drive it, keep the dump and the facts; beside the application, or elsewhere."""
    folder = HERE / (writer.folder or writer.name)
    target = into or HERE / writer.name
    target.mkdir(exist_ok=True)
    with running(writer.server, tcp=True) as server:
        store = redis.Redis(port=server.port, db=writer.db)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {
            **os.environ, "PORT": str(port), "REDIS_PORT": str(server.port), "WORK": str(WORK),
            "NODE_PATH": str(WORK / "node" / "node_modules"), **dict(writer.environment),
        }  # fmt: skip
        version = subprocess.run(
            writer.version, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if version.returncode:
            raise SystemExit(f"{writer.name}: {writer.version} failed:\n{version.stderr}")
        if writer.fills:
            subprocess.run(writer.start, shell=True, cwd=folder, env=environment, check=True, timeout=120)
            journal = Journal(store, writer)
            taken = journal.now()
            server.save(target / "store.rdb")
            facts = _facts(journal, taken, version.stdout)
            (target / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
            return facts
        log = (Path("/tmp") / f"writer-{writer.name}.log").open("w")
        process = subprocess.Popen(
            f"exec {writer.start}", shell=True, cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            _wait(port, process, writer, log.name)
            Client(port, keeps=False).ask("GET", "/")  # the first answer of some is slow, and what it writes comes late
            time.sleep(PAUSE_S)
            store.flushall()
            journal = Journal(store, writer)
            drive(journal, port)
            taken = journal.now()
            server.save(target / "store.rdb")
            facts = _facts(journal, taken, version.stdout)
        finally:
            process.terminate()
            process.wait(10)
            log.close()
    (target / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return facts


def _facts(journal: Journal, taken: int, version: str) -> dict[str, Any]:
    writer, store = journal.writer, journal.store
    left = journal.keys()
    companions = re.compile(writer.companions.encode())
    sessions = []
    for key, fact in journal.known.items():
        if key in left:
            kind = store.type(key).decode()
            sessions.append({"key": key.decode("latin-1"), "type": kind, "expires": store.pexpiretime(key), **fact})
    names = {key for key in left if key in journal.known}
    return {
        "writer": writer.name,
        "layout": writer.layout,
        "versions": version.split("\n")[:12],
        "command": f"python -m writers.harness {writer.name}",
        "start": writer.start,
        "lifetime_s": writer.lifetime_s,
        "taken": taken,
        "sessions": sessions,
        "companions": [key.decode("latin-1") for key in sorted(left) if companions.fullmatch(key)],
        "others": [key.decode("latin-1") for key in sorted(left) if key not in names and not companions.fullmatch(key)],
        "visits": journal.visits,
    }


def _wait(port: int, process: subprocess.Popen[bytes], writer: Writer, log: str) -> None:
    for _ in range(3000):  # some make a database first
        if process.poll() is not None:
            raise SystemExit(f"{writer.name}: the application ended: {Path(log).read_text()[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"{writer.name}: nobody listens on {port}")


def main(names: list[str]) -> int:
    """Record the named writers, or all of them."""
    from writers.registry import WRITERS

    failed = []
    for writer in WRITERS:
        if names and writer.name not in names:
            continue
        try:
            facts = record(writer)
        except (SystemExit, AssertionError, OSError, subprocess.SubprocessError) as error:
            failed.append(writer.name)
            print(f"{writer.name}: FAILED {error}", flush=True)
            continue
        print(f"{writer.name}: {len(facts['sessions'])} sessions, others {facts['others'][:4]}", flush=True)
        for visit in facts["visits"]:
            if visit["visit"] in {
                "look 0",
                "head",
                "health",
                "redirect",
                "wrong password",
                "login anna",
                "logout",
                "cart",
            }:
                print(
                    f"   {visit['visit']:16} {visit['status']} +{visit['sessions_made']} -{visit['sessions_gone']} keys {visit['keys_made']} {visit['bytes']} B"
                )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
