"""Clients of captured incidents: people with cookie jars and a crawler without, each a thread with real connections."""

from __future__ import annotations

import http.client
import threading
from types import TracebackType
from typing import ClassVar, Self

from incidents.chance import Chance


class _Client:
    """A thread that acts at random moments until the run ends."""

    def __init__(self, port: int, chance: Chance, *, every_s: float) -> None:
        self._port = port
        self._chance = chance.fork(type(self).__name__)
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._over.wait(self._chance.python.expovariate(1 / self._every_s)):
            self._act()

    def _act(self) -> None:
        raise NotImplementedError

    def _ask(self, method: str, path: str, agent: str, cookie: str = "", body: str = "") -> str:
        """One request; return the cookie that the client has afterwards."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        headers = {"User-Agent": agent} | ({"Cookie": cookie} if cookie else {})
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
            given = answer.getheader("Set-Cookie", "")
        finally:
            connection.close()
        return given.partition(";")[0] or cookie


class Browsers(_Client):
    """Each act is a visitor: a page, the form, a few pages with the cookie."""

    def _act(self) -> None:
        agent = f"Mozilla/5.0 (captured) Chrome/{self._chance.whole(100, 121)}.0.0.0"
        cookie = self._ask("GET", "/", agent)
        if self._chance.happens(0.7):
            cookie = self._ask("POST", "/login", agent, cookie, f"user=user-{self._chance.hex(6)}")
        for _ in range(self._chance.whole(0, 4)):
            self._ask("GET", f"/orders/{self._chance.whole(1, 999)}", agent, cookie)


class Crawler(_Client):
    """Pages, one after the other, and never a cookie."""

    AGENT: ClassVar[str] = "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)"

    def _act(self) -> None:
        self._ask("GET", f"/products/{self._chance.whole(1, 9_999)}", self.AGENT)
