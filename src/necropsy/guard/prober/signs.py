"""Signs in an answer that it starts a session, beside its Set-Cookie: a session id in a header or an address, a login page.

A redirect to a login is a sign and no proof: most applications start a session to remember where to go back to, some do not.
With a cookie that looks like an id, under a name that nobody knows, it is taken for one; without any it is only told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from necropsy.guard.prober.answer import Answer
from necropsy.guard.prober.cookies import SetCookie
from necropsy.model.traffic import REDIRECTS
from necropsy.probes.session_risk import LOGIN_WORDS

_LOGIN: Final = re.compile(
    rf"(?i)(?:^|[/.])(?:(?:[\w-]*[_-])?(?:\w*(?:log|sign)[io]n|(?:log|sign)[-_][io]n)|{LOGIN_WORDS})(?:$|[/.?;])"
)
_ID_IN_ADDRESS: Final = re.compile(r"(?i)[;?&](?:j?session_?id|phpsessid|asp\.net_sessionid|cfid)=([^;?&#]{8,})")
_ID_HEADERS: Final = ("x-auth-token", "x-session-id", "x-session-token")
"""Headers in which Spring Session (HeaderHttpSessionIdResolver) and others hand out an id in place of a cookie."""


def leads_to_login(location: str) -> bool:
    """Whether an address is that of a login page, by its path or host.

    >>> [leads_to_login(where) for where in ("/login?next=/", "https://sso.example.com/", "/auth/realms/a", "/catalogue")]
    [True, True, True, False]
    """
    parts = urlsplit(location)
    return bool(_LOGIN.search(parts.path) or _LOGIN.match((parts.hostname or "") + "/"))


def session_in_address(location: str, asked: str) -> bool:
    """Whether an address carries a session id that the one before did not.

    >>> session_in_address("/login;jsessionid=8F3A11C20D", "http://a/"), session_in_address("/login?next=/", "http://a/")
    (True, False)
    """
    match = _ID_IN_ADDRESS.search(location)
    return match is not None and match[1] not in asked


def sign_of(answer: Answer, url: str, asked: str, cookies: Sequence[SetCookie]) -> str:
    """Return by what an answer shows that it starts a session; empty: by nothing.

    Parameters
    ----------
    url
        The address that was asked.
    asked
        The headers of the request, as one text.
    cookies
        The cookies that it sets.
    """
    if any(cookie.is_session and cookie.is_new for cookie in cookies):
        return "cookie"
    if any(value and value not in asked for name in _ID_HEADERS for value in answer.all(name)):
        return "header"
    location = redirect_of(answer)
    if location and session_in_address(location, url):
        return "address"
    if location and leads_to_login(location) and any(cookie.is_id and cookie.is_new for cookie in cookies):
        return "login"
    return ""


def redirect_of(answer: Answer) -> str:
    """Return where an answer redirects to; empty: nowhere."""
    return next(iter(answer.all("location")), "") if answer.status in REDIRECTS else ""
