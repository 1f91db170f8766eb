"""Cookies of a target, and whether an answer starts a session.

An answer starts a session when it sets a session cookie to a value that the request did not bring. A deletion does not: an
empty value, or an expiry that is past.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Final
from urllib.request import Request

from necropsy.sessions.cookie_names import is_session_cookie

_ID: Final = re.compile(r"(?=[^\s]*\d)(?=[^\s]*[A-Za-z])[\w%.:~+/=-]{20,}")
_NO_ID: Final = re.compile(
    r"(?i)csrf|xsrf|lang|locale|theme|time_?zone|consent|state|nonce|pkce|verif|redirect|return|next|request_?uri|awsalb|^_|route"
    r"|server|balance|sticky|node|visitor|device|track|campaign|utm|experiment|variant"
)
"""Names of cookies that are long and random, and belong to no session: of forgery protection, balancers, statistics."""
_MOST: Final = 50
"""Cookies that are kept for a target: as many as a browser keeps at least (RFC 6265, 6.1). Some logins set one of a new name
each time."""
_LONGEST: Final = 4_096
"""Characters of a cookie: longer ones are not kept, as in browsers (RFC 6265, 6.1)."""
_EXPIRED: Final = re.compile(r"(?i);\s*max-age\s*=\s*(?:0|-\d+)\s*(?:;|$)|;\s*expires\s*=[^;]*\b(?:1970|1969)\b")


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One Set-Cookie header, without its value."""

    name: str
    is_session: bool
    """Its name is that of a session cookie, and it sets a value."""
    is_new: bool
    """The request did not bring this value."""
    is_id: bool = False
    """Its value looks like an id, and its name is none that means something else: a session's, perhaps."""


def set_cookies(headers: Iterable[str], brought: str) -> list[SetCookie]:
    """Read the Set-Cookie headers of an answer.

    Parameters
    ----------
    headers
        Their values.
    brought
        The Cookie header of the request; empty: none.

    >>> [c.is_session and c.is_new for c in set_cookies(["JSESSIONID=a1; Path=/", "theme=dark"], "")]
    [True, False]
    >>> set_cookies(["sid=a1"], "sid=a1")[0].is_new, set_cookies(["sid=; Max-Age=0"], "sid=a1")[0].is_session
    (False, False)
    """
    known = {pair.strip() for pair in brought.split(";")}
    found = []
    for header in headers:
        pair = header.partition(";")[0].strip()
        name, _, value = pair.partition("=")
        lives = bool(value.strip('" ')) and not _EXPIRED.search(header)
        name = name.strip()
        is_id = lives and _is_id(name, value)
        found.append(SetCookie(name, is_session_cookie(name) and lives, pair not in known, is_id))
    return found


def _is_id(name: str, value: str) -> bool:
    return _ID.fullmatch(value.strip('" ')) is not None and _NO_ID.search(name) is None


class Jar:
    """Cookies of one target, by the name of its host, whatever address the name leads to."""

    def __init__(self) -> None:
        self._jar = CookieJar(DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainLiberal))

    @property
    def is_used(self) -> bool:
        """Whether it holds a cookie."""
        return len(self._jar) > 0

    def header(self, url: str) -> str:
        """Return the Cookie header for a URL; empty: none."""
        request = Request(url)  # noqa: S310 -- carries a URL into the jar, and is never sent
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie") or ""

    def keep(self, url: str, headers: Iterable[str]) -> None:
        """Keep the cookies that an answer set."""
        message = Message()
        for header in headers:
            if len(header.partition(";")[0]) <= _LONGEST:
                message["Set-Cookie"] = header
        self._jar.extract_cookies(_Answer(message), Request(url))  # type: ignore[arg-type]  # noqa: S310 -- as above
        for cookie in self._too_many():
            self._jar.clear(cookie.domain, cookie.path, cookie.name)

    def _too_many(self) -> list[Cookie]:
        """Return what is not kept: the newest, that of a session last. The first ones belong to the session that is kept."""
        newest_first = list(self._jar)[::-1]
        by_worth = sorted(newest_first, key=_worth)
        return by_worth[: max(0, len(by_worth) - _MOST)]


def _worth(cookie: Cookie) -> int:
    """Rank a cookie by how likely a session begins where it is not brought back."""
    if is_session_cookie(cookie.name):
        return 2
    return int(_is_id(cookie.name, cookie.value or ""))


class _Answer:
    """The part of a response that a cookie jar needs."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def info(self) -> Message:
        return self._message
