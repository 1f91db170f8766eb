"""The pages of the twin: ``/health`` for anybody, ``/login`` and ``/logout`` with their forms, everything else after a login.

Who asks for a page without being logged in is sent to the login form, and his request is kept in a session: that one is born
before the redirect, whoever asks. The form's token is kept in the session too.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from necropsy.lab.live.twin import sessions
from necropsy.lab.live.twin.connection import TwinConnection
from necropsy.lab.live.twin.sessions import TwinSession
from necropsy.lab.spring_security import csrf_token, saved_request, security_context

COOKIE: Final = "SESSION"
_FORM: Final = """<!DOCTYPE html><html><body><form method="post" action="{action}">
<input type="text" name="username"><input type="password" name="password">
<input name="_csrf" type="hidden" value="{token}"><button>Go</button></form></body></html>
"""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request."""

    method: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    client: str
    """Address of whoever connected."""
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Answered:
    """The answer to it."""

    status: int
    body: str = ""
    location: str | None = None
    cookie: str | None = None
    """Value of the session cookie that is set; empty: it is deleted."""
    born: bool = False
    """Whether a session was created, other than by a login."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The application that answers.

    Parameters
    ----------
    lifetime_s
        Of a new session.
    absolute
        Whether redirects name the host, as Spring's do unless told otherwise.
    """

    lifetime_s: int
    absolute: bool

    def answer(self, asked: PageRequest, connect: Callable[[], TwinConnection]) -> Answered:
        """Answer one request; Redis is asked only where Spring asks it."""
        path = asked.path.partition("?")[0]
        if path == "/health":
            return Answered(200, "health")
        redis = connect()
        session = self._session(asked, redis)
        known = session is not None and session.principal is not None
        if path == "/login":
            return self._log_in(asked, redis, session) if asked.method == "POST" else self._form(redis, session, path)
        if not known or session is None:
            return self._sent_away(asked, redis, session, path)
        if path == "/logout":
            return self._log_out(asked, redis, session) if asked.method == "POST" else self._form(redis, session, path)
        if session.has(sessions.SAVED_REQUEST):
            session.put(sessions.SAVED_REQUEST, b"")
        sessions.save(redis, session)
        return Answered(200, f"<h1>{path}</h1>\n" + "<p>Nothing to do here.</p>\n" * 40)

    @staticmethod
    def _session(asked: PageRequest, redis: TwinConnection) -> TwinSession | None:
        cookies = dict(pair.strip().partition("=")[::2] for pair in asked.headers.get("cookie", "").split(";"))
        try:
            identifier = base64.b64decode(cookies.get(COOKIE, "")).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return sessions.find(redis, identifier) if identifier else None

    def _sent_away(self, asked: PageRequest, redis: TwinConnection, session: TwinSession | None, path: str) -> Answered:
        """Keep the request, and redirect to the form."""
        born = session is None
        session = session or sessions.created(self.lifetime_s)
        name, _, port = asked.headers.get("host", "localhost").partition(":")
        session.put(sessions.SAVED_REQUEST, saved_request(name, int(port or 80), path, asked.headers))
        sessions.save(redis, session)
        return Answered(302, location=self._place(asked, "/login"), cookie=_value(session) if born else None, born=born)

    def _form(self, redis: TwinConnection, session: TwinSession | None, action: str) -> Answered:
        """Show a form; its token makes a session where there is none."""
        born = session is None
        session = session or sessions.created(self.lifetime_s)
        token = str(uuid.uuid4())
        if not session.has(sessions.CSRF):
            session.put(sessions.CSRF, csrf_token(token))
        sessions.save(redis, session)
        page = _FORM.format(action=action, token=base64.urlsafe_b64encode(token.encode()).decode())
        return Answered(200, page, cookie=_value(session) if born else None, born=born)

    def _log_in(self, asked: PageRequest, redis: TwinConnection, session: TwinSession | None) -> Answered:
        """Change the session's id and keep who logged in; without the form's session the token is wrong (403)."""
        if session is None or not session.has(sessions.CSRF):
            return Answered(403)
        user = asked.form.get("username", "")
        context = security_context(user, "ROLE_STAFF", asked.client, session.id)
        session.id = str(uuid.uuid4())
        session.principal = user
        session.put(sessions.LAST_EXCEPTION, b"")
        session.put(sessions.CONTEXT, context)
        session.put(sessions.CSRF, b"")
        sessions.save(redis, session)
        # Back to the request that was saved: with its host, whatever other redirects look like.
        return Answered(
            302, location=f"http://{asked.headers.get('host', 'localhost')}/?continue", cookie=_value(session)
        )

    def _log_out(self, asked: PageRequest, redis: TwinConnection, session: TwinSession) -> Answered:
        sessions.delete(redis, session)
        return Answered(302, location=self._place(asked, "/login?logout"), cookie="")

    def _place(self, asked: PageRequest, path: str) -> str:
        return f"http://{asked.headers.get('host', 'localhost')}{path}" if self.absolute else path


def _value(session: TwinSession) -> str:
    return base64.b64encode(session.id.encode()).decode()
