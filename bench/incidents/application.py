"""An application: what an answer leaves in the store and in the log of the proxy before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from incidents.chance import Chance
from incidents.scene import Actor, Request, Scene, Session

STYLES = ("guarded", "open", "form")
"""How it treats a visitor without a session.

guarded: any page makes a session, and redirects to the login page (Spring Security with a request cache).
open: any page makes a session and is shown (express-session with saveUninitialized, Flask-Session 0.5).
form: pages redirect, and the login page makes the session (a token against forged requests).
"""


NEVER = ("/health", "/static", "/api/public")
"""Paths that make no session, whoever asks."""


@dataclass(frozen=True, slots=True)
class Client:
    """How one client of an actor behaves."""

    actor: Actor
    agent: str
    address: str
    follows: bool = True
    keeps_cookies: bool = False
    referrer: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request as it arrives."""

    at: float
    client: Client
    path: str
    method: str
    host: str
    server: str | None


class Application:
    """Answers visits; the store's layout decides what a write means later, not here."""

    def __init__(
        self, scene: Scene, store: str, style: str, host: str, servers: tuple[str, ...], speed_ms: float
    ) -> None:
        self.scene = scene
        self.store = scene.stores[store]
        self.style = style
        self.host = host
        self.servers = servers
        self.speed_ms = speed_ms
        """Median time that a page takes."""
        self.login_page_starts = False
        """Whether the login page, too, makes a session for who brings none: each request of a redirect does."""
        self.saves_requests = style == "guarded" and scene.chance.happens(0.5)
        self._chance: Chance = scene.chance.fork(f"application {store}")
        self._random = self._chance.python

    def visit(
        self,
        at: float,
        client: Client,
        path: str,
        *,
        method: str = "GET",
        server: str | None = None,
        session: Session | None = None,
        host: str | None = None,
        creates: bool | None = None,
    ) -> Session | None:
        """One visit with the redirects that the client follows; return the session that it now has, if any.

        ``server`` None: goes round the proxies, no log shows it. ``creates`` overrides what the path says.
        """
        self._count(client.actor, at)
        asked = _Asked(at, client, path, method, host or self.host, server)
        if session is not None and not session.ended and session.expires_ms > at:
            took = self._took()
            self._touch(session, at + took * 0.2, at + took * 0.8)
            self._log(asked, at + took, took, 200, brought=True)
            return session
        makes = self.makes(path) if creates is None else creates
        if path.startswith(NEVER) or (creates is False and self.style == "open"):
            took = self._took() * 0.3
            self._log(asked, at + took, took, 200, brought=session is not None)
            return None
        took = self._took()
        born = self._bear(asked, took) if makes else None
        shown = self.style == "open" or path.startswith("/login")
        self._log(asked, at + took, took, 200 if shown else 302, brought=session is not None, given=born is not None)
        return born if shown or not client.follows else self._redirected(asked, at + took, born)

    def _redirected(self, asked: _Asked, at: float, born: Session | None) -> Session | None:
        """The second request of a visit: the login page, which makes the session where forms do."""
        again = at + self._random.uniform(0.3, 3.0)
        took = self._took()
        asked = replace(asked, at=again, path="/login", method="GET")
        given = self.style == "form" or (self.login_page_starts and not asked.client.keeps_cookies)
        if given:
            born = self._bear(asked, took)
        elif born is not None and asked.client.keeps_cookies:
            self._touch(born, again + took * 0.2, again + took * 0.8)
        self._log(asked, again + took, took, 200, brought=asked.client.keeps_cookies and not given, given=given)
        return born

    @staticmethod
    def _count(actor: Actor, at: float) -> None:
        actor.visits += 1
        actor.first_ms = at if actor.visits == 1 else min(actor.first_ms, at)
        actor.last_ms = max(actor.last_ms, at)

    def makes(self, path: str) -> bool:
        """Whether a request for this path without a session makes one."""
        if path.startswith(NEVER):
            return False
        if self.login_page_starts:
            return True
        return self.style == "open" or path.startswith("/login") is (self.style == "form")

    def post(self, at: float, client: Client, path: str, session: Session | None, server: str | None) -> None:
        """One POST of somebody who holds a session."""
        took = self._took() * 2
        if session is not None:
            self._touch(session, at + took * 0.2, at + took * 0.8, write=True)
        asked = _Asked(at, client, path, "POST", self.host, server)
        self._log(asked, at + took, took, 302, brought=session is not None)

    def log_in(
        self, at: float, client: Client, session: Session, principal: str, server: str | None, rotates: str
    ) -> Session:
        """POST /login. ``rotates``: ``rename`` keeps the birth and changes the id, ``fresh`` makes a new session."""
        took = self._took() * 2
        self._count(client.actor, at)
        self._log(
            _Asked(at, client, "/login", "POST", self.host, server), at + took, took, 302, brought=True, given=True
        )
        if rotates == "fresh":
            session.ended = True
            new = self._new(client, at + took * 0.5, at + took * 0.8)
            new.principal = principal
            return new
        if self.store.layout.startswith("spring"):
            session.former_id, session.former_accessed_ms = session.id, session.accessed_ms
            session.id = self._chance.uuid()
        session.principal = principal
        session.saved = None
        self._touch(session, at + took * 0.2, at + took * 0.8, write=True)
        return session

    def sign_in_once(
        self, at: float, client: Client, path: str, principal: str, server: str | None, method: str = "POST"
    ) -> Session:
        """Send credentials without a session: the answer makes one for somebody who is logged in."""
        took = self._took() * 1.5
        self._count(client.actor, at)
        session = self._new(client, at + took * self._random.uniform(0.1, 0.5), at + took * 0.9)
        session.principal = principal
        status = 302 if method == "POST" else 200
        self._log(_Asked(at, client, path, method, self.host, server), at + took, took, status, given=True)
        return session

    def log_out(self, at: float, client: Client, session: Session, server: str | None) -> None:
        self.post(at, client, "/logout", session, server)
        session.ended = True

    def _touch(self, session: Session, accessed: float, written: float, *, write: bool = False) -> None:
        session.accessed_ms = max(session.accessed_ms, int(accessed))
        # Express rewrites the value only when it changed; Spring and Flask write on every request.
        if write or not self.store.layout.startswith(("express", "django")):
            session.written_ms = max(session.written_ms, int(written))

    def _bear(self, asked: _Asked, took: float) -> Session:
        born = self._new(asked.client, asked.at + took * self._random.uniform(0.08, 0.4), asked.at + took * 0.9)
        if self.saves_requests:
            born.saved = (asked.host, asked.path, asked.client.agent, asked.client.address)
        return born

    def _new(self, client: Client, born: float, written: float) -> Session:
        layout = self.store.layout
        session = Session(
            id=self._identifier(layout), store=self.store.name, creator=client.actor.name, born_ms=int(born),
            accessed_ms=int(born), written_ms=int(written), lifetime_s=self.store.lifetime_s, slides=not layout.startswith("django"),
        )  # fmt: skip
        self.scene.sessions.append(session)
        return session

    def _identifier(self, layout: str) -> str:
        if layout.startswith("express"):
            return self._chance.text(_URL_SAFE, 32)
        if layout.startswith("django"):
            return self._chance.text("abcdefghijklmnopqrstuvwxyz0123456789", 32)
        if layout == "flask-msgpack":
            return self._chance.text(_URL_SAFE, 43)
        if layout in {"php", "symfony"}:
            return self._chance.text("abcdefghijklmnopqrstuvwxyz0123456789", 26)
        if layout == "laravel":
            return self._chance.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 40)
        return self._chance.uuid()

    def _took(self) -> float:
        return max(0.6, self.speed_ms * self._random.lognormvariate(0, 0.45))

    def _log(
        self, asked: _Asked, ended: float, took: float, status: int, *, brought: bool = False, given: bool = False
    ) -> None:
        if asked.server is None:
            return
        size = 900 + (len(asked.path) * 977) % 20_000
        if status == 302:
            size = 0
        elif asked.path.startswith("/health"):
            size = 6
        client = asked.client
        self.scene.requests.append(
            Request(ended, took, asked.server, asked.host, asked.method, asked.path, status, size, client.address, client.agent,
                    client.referrer, brought, given, client.actor.name)
        )  # fmt: skip


_URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
