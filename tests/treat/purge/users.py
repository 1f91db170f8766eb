"""Users of a shop with the pages ``/``, ``/login/NAME``, ``/work``, ``/logout``: each checks its session at each visit."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from necropsy.treat.purge.control import Knobs
from necropsy.treat.purge.plan import PurgePlan
from necropsy.treat.purge.progress import Progress
from servers import Server
from treat.purge.population import apply, make_plan, same, state, undo

USERS, AWAY = 8, 3
IDLE_S = 2


class User:
    """A browser: keeps its cookie, and knows what the application should say."""

    def __init__(self, port: int, name: str) -> None:
        self.port, self.name, self.cookie, self.count = port, name, "", 0
        self.noticed: list[str] = []
        self.requests = 0

    def get(self, path: str) -> str:
        """Ask for a page; return its text."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={"Cookie": self.cookie} if self.cookie else {})
        answer = connection.getresponse()
        text = answer.read().decode()
        if given := answer.getheader("Set-Cookie"):
            self.cookie = given.partition(";")[0]
        connection.close()
        self.requests += 1
        return text

    def login(self) -> None:
        """Come without a cookie, and log in."""
        self.cookie, self.count = "", 0
        self.get("/")
        self.get(f"/login/{self.name}")

    def live(self, until: threading.Event, turn: int) -> None:
        """Work, log out and come back until told otherwise; stop at the first answer that is not as it should be."""
        while not until.is_set():
            said = self.get("/work")
            self.count += 1
            if said != f"{self.name} {self.count}":
                self.noticed.append(f"{self.name} wanted {self.count}, got {said!r}")
                return
            if turn % 3 == 0 and self.count % 5 == 4:
                self.get("/logout")
                self.login()
            until.wait(0.02 if turn % 2 else 0.4)


@dataclass
class Seen:
    """What users saw of a purge, and what it did."""

    users: int
    requests: int
    noticed: list[str]
    plan: PurgePlan
    done: Progress
    restored: int
    differs: list[str]
    """What the undo lost, or wrote over."""

    def line(self) -> str:
        return (
            f"{self.users} users, {self.requests:,} requests, {len(self.noticed)} noticed; {self.done.deleted:,} sessions"
            f" deleted of {self.plan.sessions:,} planned ({dict(self.plan.layouts)}), {self.done.kept.total():,} kept; undo"
            f" restored {self.restored:,}"
        )


def purged_beside_users(server: Server, port: int, folder: Path, *, garbage: int) -> Seen:
    """Purge the sessions of visitors who never came back while users log in, work, log out and come back; then undo."""
    visitor = User(port, "probe")
    for _ in range(garbage):
        visitor.cookie = ""
        visitor.get("/")
    users = [User(port, f"user{number}") for number in range(USERS)]
    away = [User(port, f"away{number}") for number in range(AWAY)]
    for user in (*users, *away):
        user.login()
    time.sleep(2 * IDLE_S)
    away[0].get("/")  # changes nothing in the session: its expiry alone shows that uses leave a trace here
    stop = threading.Event()
    threads = [threading.Thread(target=user.live, args=(stop, turn)) for turn, user in enumerate(users)]
    for thread in threads:
        thread.start()
    try:
        plan, path = make_plan(server.url, folder, idle_s=IDLE_S)
        done = apply(path, folder / "journal", knobs=Knobs(batch=20, rate=400))
        time.sleep(0.5)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    noticed = [complaint for user in users for complaint in user.noticed]
    # Unused for longer than the limit, but logged in:
    noticed += [user.name for user in away if user.get("/work") != f"{user.name} 1"]
    left = state(server.client())
    restored = undo(folder / "journal").codes[1]
    back = state(server.client())
    for key, (value, ends) in left.items():  # sets of a minute have their members again
        if isinstance(value, set) and key in back and value <= back[key][0]:
            back[key] = (value, ends)
    differs = [wrong for wrong in same(left, back) if "missing" in wrong or "value" in wrong]
    requests = sum(user.requests for user in users)
    return Seen(len(users) + len(away), requests, noticed, plan, done, restored, differs)
