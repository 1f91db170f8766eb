"""Judgement from a log alone of visits that probably start a session: no store is asked, so nothing here is proof.

What a log tells: whom the application sends to a login page (most frameworks remember where the visitor wanted to go, in a
new session), who calls and so whether a cookie comes back, what was asked for and how it was answered. ``necropsy examine``
with a dump counts what this can only suppose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from necropsy.model.traffic import STATIC, AgentKind, Likelihood
from necropsy.probes.session_risk import LOGIN_WORDS, is_harmless_path

# "userlogin" is a login, "blog-in" and "design-in" are not: what is written in two words begins with the first.
_LOGIN: Final = re.compile(rf"(?i)/(?:[\w.-]*[._-])?(?:\w*(?:log|sign)[io]n|{LOGIN_WORDS})\b")
_FILE: Final = re.compile(rf"{STATIC}|\.(?:pdf|zip|gz|txt|xml|webmanifest)$")
# HEAD is not among them: each recorded writer (tests/writers) starts as many sessions for HEAD as for GET, and behind an nginx
# that caches the application gets GET (proxy_cache_convert_head, on by default).
_NOT_A_PAGE: Final = frozenset({"OPTIONS", "TRACE", "CONNECT"})
# Measured: Express and PHP with a front controller store a session for a page that is not there, and with Koa for one that fails
# (findings/koa-session-stores-what-it-answers-with-500.sh).
_FAILED: Final = {
    404: "the page is not there, but the application that says so may have stored a session",
    410: "the page is gone, but the application that says so may have stored a session",
    499: "the client did not wait, but the application may have stored a session",
    500: "an error of the application, which may have stored a session before",
}
"""Statuses of requests that reached the application and failed."""
_PERMANENT: Final = frozenset({301, 308})
_TEMPORARY: Final = frozenset({302, 303, 307})
_FORGETS: Final = "programs hardly ever return cookies"
_OF_KIND: Final = {"unknown": "it is not a browser, so it hardly ever returns cookies"}
_OF_A_CLOCK: Final = (
    "this log has no User-Agents, but what comes at a fixed interval is a program, and hardly ever returns cookies"
)


@dataclass(frozen=True, slots=True)
class SessionStart:
    """Whether visits start sessions, and why that is thought."""

    likelihood: Likelihood
    because: str


_DROPS: Final = SessionStart("likely", "given a session cookie at each visit, and never returned one")
_BARE: Final = SessionStart("unlikely", "its responses have no body: no page was shown")
_SEVERAL: Final = SessionStart("possible", "rare clients in one row: unknown which of them return cookies")
_UNTOLD: Final = SessionStart(
    "possible", "this log has no User-Agents: unknown whether it is a browser that returns its cookie"
)
_BRINGS: Final = SessionStart("once", "returns the session cookie that it was given")


@lru_cache(maxsize=1 << 16)  # many classes differ in their client alone
def judge(
    kind: AgentKind,
    method: str,
    path: str,
    status: int | None,
    followed_to: str | None,
    *,
    periodic: bool = False,
    returns: bool | None = None,
    bare: bool = False,
    several: bool = False,
    untold: bool = False,
) -> SessionStart:
    """Judge the visits of one class.

    Parameters
    ----------
    kind
        Kind of the program that calls.
    method, path, status
        Of the first request of a visit; no status: not known.
    followed_to
        Where a redirect led.
    periodic
        Whether they come at a fixed interval.
    returns
        Whether this client brings back the session cookies that it is given; None: the log does not tell.
    bare
        Whether this page is never more than headers, as its bytes tell; of answers to HEAD they tell nothing.
    several
        Whether programs of all kinds were folded into this one class.
    untold
        Whether the log has no User-Agent of anybody: then only what comes like clockwork is surely a program.

    >>> judge("library", "GET", "/", 302, "/login")
    SessionStart(likelihood='likely', because='sent to a login page, and programs hardly ever return cookies')
    >>> judge("prober", "GET", "/health", 200, None).likelihood, judge("browser", "GET", "/", 200, None).likelihood
    ('unlikely', 'once')
    """
    nothing = _starts_nothing(method, path, status, followed_to)
    if nothing:
        return SessionStart("unlikely", nothing)
    if returns is not None:
        return _BRINGS if returns else _DROPS
    unsure = (
        _BARE if bare and method != "HEAD" else _SEVERAL if several else _UNTOLD if untold and not periodic else None
    )
    if unsure is not None:
        return unsure
    sent = status in _TEMPORARY and _LOGIN.search(followed_to or "") is not None
    if kind == "browser":
        return _browser(method, path, status, sent=sent, periodic=periodic)
    return _program(_OF_A_CLOCK if untold else _OF_KIND.get(kind, _FORGETS), path, status, sent=sent)


def _starts_nothing(method: str, path: str, status: int | None, followed_to: str | None) -> str:
    """Say why a visit starts no session; empty: it may."""
    reasons = (
        (is_harmless_path(path), "a health or metrics endpoint, by its name"),
        (_FILE.search(path) is not None, "a file, not a page"),
        (method in _NOT_A_PAGE, f"{method} requests no page"),
        (status == 304, "not modified: it had the page already"),
        (status in _PERMANENT and followed_to is None, "a permanent redirect, usually answered by a proxy"),
        (
            status is not None and 400 <= status < 500 and status not in {401, 403, *_FAILED},
            "refused: no page was shown",
        ),
        (status is not None and status > 500, "an error: no page was shown"),
        (status is not None and status < 200, "no page was shown"),
    )
    return next((why for holds, why in reasons if holds), "")


def _browser(method: str, path: str, status: int | None, *, sent: bool, periodic: bool) -> SessionStart:
    if sent and periodic:
        return SessionStart(
            "possible",
            "sent to a login page at a fixed interval: a program under a browser's name, or a page that reloads",
        )
    if sent:
        return SessionStart("once", "sent to a login page; a browser returns its cookie")
    if method == "POST" and _LOGIN.search(path) and status in _TEMPORARY:
        return SessionStart("once", "a login: one session each, and a wanted one")
    return SessionStart("once", "a browser: its first visit may start a session, then it returns the cookie")


def _program(returns: str, path: str, status: int | None, *, sent: bool) -> SessionStart:
    if status in _FAILED:
        return SessionStart("possible", f"{_FAILED[status]}: {returns}")
    if sent or _LOGIN.search(path):
        return SessionStart("likely", f"{'sent to' if sent else 'requests'} a login page, and {returns}")
    if status is None or status < 300:
        return SessionStart("possible", f"if this page starts sessions, each visit starts one: {returns}")
    return SessionStart("possible", f"{'turned away' if status in {401, 403} else 'redirected'}, and {returns}")
