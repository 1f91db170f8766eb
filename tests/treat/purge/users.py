"""Users of a shop with the pages ``/``, ``/login/NAME``, ``/work``, ``/logout``: each checks its session at each visit."""

from __future__ import annotations

import threading
from http.client import HTTPConnection


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
