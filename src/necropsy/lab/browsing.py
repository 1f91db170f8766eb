"""A browser's requests to the application: the first page, the login, pages, the logout."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from necropsy.lab.events import ActorTraces, LoggedRequest, WrittenSession, session_id
from necropsy.lab.java import string
from necropsy.lab.machines import milliseconds
from necropsy.lab.spring_security import PRINCIPAL_INDEX, saved_request, security_context
from necropsy.lab.story import Admin

_SAVED_REQUEST: Final = "SPRING_SECURITY_SAVED_REQUEST"
HOUR_MS: Final = 3_600_000
_TIMEOUT_MS: Final = 10_000
"""``spring.redis.timeout``."""

TIMEOUT_BURSTS: Final = ((-9.6, -9.3), (-6.2, -5.8), (-4.2, -3.6), (-2.05, -1.7), (-0.75, -0.15))
"""When Redis hangs, in hours before the end: the other store on the same machine has eaten its memory."""

_ASSETS: Final = ("/static/css/app.3f2a91.css", "/static/js/vendor.b81c40.js", "/static/js/app.77d0e2.js",
                  "/static/img/logo.svg", "/favicon.ico")  # fmt: skip


@dataclass(slots=True)
class Person:
    """One of them, and the session that her browser holds."""

    principal: str
    address: str
    browser: str
    server: int
    held: WrittenSession | None = None


class Browsing:
    """The comings and goings at one application, written down as they happen."""

    def __init__(self, admin: Admin, span: tuple[datetime, datetime], chance: random.Random) -> None:
        self.trace = ActorTraces()
        self.start, self.end = (milliseconds(moment) for moment in span)
        self._admin = admin
        self._chance = chance

    def come(self, person: Person, at: int) -> None:
        """Come to work at the browser: log in unless the browser still holds a session, look around, perhaps log out."""
        if not self.start < at <= self.end:
            return
        held, person.held = person.held, None
        idle = at - held.accessed_ms if held is not None else 0
        if held is not None and 0 < idle < self._admin.lifetime_s * 1000 and self._chance.random() < 0.25:
            session = held  # the tab was left open: no login, no new session
        else:
            if held is not None:
                self.trace.sessions.append(held)
            knocked = self._log_in(person, at)
            if knocked is None:
                return
            session = knocked
            at = session.accessed_ms
        person.held = self._look_around(person, session, at)

    def knock(self, at: int, server: int, path: str, user_agent: str) -> WrittenSession | None:
        """Ask for a page without a cookie: a session, and the way to the login page. None: after the story's end."""
        redirected = at + self._short()
        shown = redirected + 25 + self._short()
        if not self.start < at or shown > self.end:
            return None
        attributes: tuple[tuple[str, bytes], ...] = ()
        if self._admin.saves_requests:
            headers = {"host": self._admin.host, "user-agent": user_agent, "accept": "text/html,*/*;q=0.8",
                       "accept-language": "en", "connection": "keep-alive"}  # fmt: skip
            attributes = ((_SAVED_REQUEST, saved_request(self._admin.host, 80, path, headers)),)
        session = WrittenSession(session_id(self._chance), at + 2, shown - 4, shown, attributes)
        self._request(redirected, server, f"GET {path}", 302, 0, redirected - at, "", user_agent)
        self._request(shown, server, "GET /login", 200, 1769, shown - redirected - 25, "", user_agent)
        self.trace.sessions.append(session)
        return session

    def close(self, staff: list[Person]) -> None:
        """Write down what the browsers still hold at the end."""
        self.trace.sessions += [person.held for person in staff if person.held is not None]

    def _log_in(self, person: Person, at: int) -> WrittenSession | None:
        path = "/" if self._chance.random() < 0.7 else f"/orders/{self._chance.randrange(10_000, 99_999)}"
        anonymous = self.knock(at, person.server, path, person.browser)
        if anonymous is None:
            return None
        self._assets(person, anonymous.accessed_ms)
        typed = anonymous.accessed_ms + round(self._chance.lognormvariate(9.4, 0.5))
        answered = typed + 80 + self._short()
        if answered + 60 > self.end:
            return None
        self._request(answered, person.server, "POST /login", 302, 0, answered - typed, self._page("/login"),
                      person.browser)  # fmt: skip
        self._request(answered + 60, person.server, "GET /dashboard", 200, self._chance.randrange(9_000, 12_000), 30,
                      self._page("/login"), person.browser)  # fmt: skip
        self.trace.sessions.pop()  # it changes its name, and stays the same session
        attributes = [
            ("SPRING_SECURITY_CONTEXT",
             security_context(person.principal, self._admin.people.role, person.address, anonymous.id)),
            (PRINCIPAL_INDEX, string(person.principal)),
        ]  # fmt: skip
        if self._admin.saves_requests:
            attributes.append((_SAVED_REQUEST, b""))  # a removed attribute is an empty field
        return anonymous._replace(
            id=session_id(self._chance), accessed_ms=answered + 31, written_ms=answered + 60, attributes=tuple(attributes),
            principal=person.principal, former_id=anonymous.id, former_accessed_ms=anonymous.accessed_ms,
        )  # fmt: skip

    def _look_around(self, person: Person, session: WrittenSession, at: int) -> WrittenSession | None:
        """Return the session as it is when she stops; None after a logout (it is written down then)."""
        referrer = self._page("/login")
        for _ in range(round(self._chance.lognormvariate(2.2, 0.8))):
            at += round(self._chance.lognormvariate(10.2, 1.1))
            line = self._page_line(person)
            answered = at + self._short()
            if answered + _TIMEOUT_MS > self.end:
                return session
            if self._hangs(at):
                self._request(at + _TIMEOUT_MS, person.server, line, 500, 1204, _TIMEOUT_MS, referrer, person.browser)
                self.trace.fail(self._server(person.server), at + _TIMEOUT_MS)
                at += _TIMEOUT_MS
                continue
            posted = line.startswith("POST")
            self._request(answered, person.server, line, 302 if posted else 200,
                          0 if posted else self._chance.randrange(2_000, 40_000), answered - at, referrer,
                          person.browser)  # fmt: skip
            if posted:
                line, at = line.replace("POST", "GET"), answered + 30
                answered = at + self._short()
                self._request(answered, person.server, line, 200, self._chance.randrange(2_000, 40_000),
                              answered - at, referrer, person.browser)  # fmt: skip
            session = session._replace(accessed_ms=at + 1, written_ms=answered)
            referrer = self._page(line.partition(" ")[2])
        if self._chance.random() > 0.12:
            return session
        at += round(self._chance.lognormvariate(8.5, 0.7))
        if at + 50 <= self.end:
            self._request(at + 12, person.server, "POST /logout", 302, 0, 12, referrer, person.browser)
            self.trace.sessions.append(session._replace(accessed_ms=at + 1, written_ms=at + 12, ended=True))
            return None
        return session

    def _page_line(self, person: Person) -> str:
        number = self._chance.randrange
        lines = [
            f"GET /orders?page={number(1, 40)}",
            f"GET /orders/{number(10_000, 99_999)}",
            f"GET /orders/{number(10_000, 99_999)}/edit",
            f"POST /orders/{number(10_000, 99_999)}",
            f"GET /customers/{number(100, 9_999)}",
            f"GET /customers/{number(100, 9_999)}/invoices/{number(2017, 2020)}-{number(1, 900):04d}",
            f"GET /api/customers/{number(100, 9_999)}/notes",
            "GET /dashboard",
            f"GET /reports/daily?from=2019-05-{number(1, 24):02d}&format=html",
        ]
        if self._admin.people.careless_links:
            lines.append(f"GET /profile?user={person.principal}")
        return self._chance.choice(lines)

    def _assets(self, person: Person, at: int) -> None:
        for path in _ASSETS:
            if self._chance.random() < 0.6:
                took = self._chance.randrange(0, 4)
                status = self._chance.choice((200, 304))
                self._request(at + 40 + took, person.server, f"GET {path}", status,
                              self._chance.randrange(900, 90_000) if status == 200 else 0, took, self._page("/login"),
                              person.browser)  # fmt: skip

    def _hangs(self, at: int) -> bool:
        if not self._admin.times_out:
            return False
        hours = (at - self.end) / HOUR_MS
        return any(low <= hours < high for low, high in TIMEOUT_BURSTS) and self._chance.random() < 0.8

    def _request(
        self, ended: int, server: int, line: str, status: int, size: int, took: int, referrer: str, user_agent: str
    ) -> None:
        self.trace.log(
            self._server(server),
            LoggedRequest(ended, self._admin.host, f"{line} HTTP/1.1", status, size, took, referrer, user_agent),
        )

    def _short(self) -> int:
        """Milliseconds that a page takes."""
        return max(1, round(self._chance.lognormvariate(2.6, 0.5)))

    def _page(self, path: str) -> str:
        return f"https://{self._admin.host}{path}"

    def _server(self, index: int) -> str:
        return self._admin.servers[index].name
