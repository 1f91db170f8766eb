"""``traffic/client-drops-cookie``: clients never bring back the session cookie that they are given.

Signs: births follow each visit of programs that ask again and again (an HTTP library, an app, a partner's integration);
and logs that record both cookies tell of clients with several visits, each of which was given a session cookie, and none
of which brought one. Reason: a program without a cookie jar, or a browser whose cookies are lost on the way (another
path or domain, ``Secure`` behind plain HTTP, ``SameSite``): each visit starts a session that nobody comes back to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from necropsy.examine import creation
from necropsy.examine.interface import Examiner
from necropsy.examine.traffic.actors import exhibits, who_does
from necropsy.model.figures import percent, several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_FEWEST_VISITS = 3
"""Visits without a cookie after which it is no accident: two may be two people behind one address."""
_LEAST_SHARE = 0.05
_MOST_EXHIBITS = 8
_NEEDS: Final = "needs --access-log with $http_cookie and $sent_http_set_cookie"

_DROPS = f"brought = 0 AND renewed >= {_FEWEST_VISITS} * clients"
_QUERY = (
    "SELECT user_agent, sum(clients)::BIGINT AS clients, sum(visits)::BIGINT AS visits, sum(renewed)::BIGINT AS sessions"
    f" FROM cookie_use WHERE {_DROPS} GROUP BY user_agent ORDER BY sessions DESC, user_agent"
)
_REMEDY: Final = Remedy(
    title="Do not start a session for clients that never return the cookie",
    text=(
        "Start sessions at login, not on the first page. Give programs that come often a path without sessions, or"
        " let them keep their cookies."
    ),
    undo="remove the rule again",
)


def examine(case: Case) -> Iterator[Finding | Cleared | Unexamined]:
    """One finding per store whose births tell of it; else one for all logs together, whichever server is asked."""
    cookies = _cookies(case) if case.has("cookie_use") else None
    told = False
    for made in creation.created(case, creation.DROPS):
        if made.share < creation.LEAST_SHARE:
            continue
        told = True
        shown = exhibits(made)
        if isinstance(cookies, Finding) and cookies.primary is not None:
            shown = (*shown, replace(cookies.primary, title=f"in the logs: {cookies.primary.title}"))
        yield creation.finding(
            case,
            made,
            title=(
                f"{who_does(made, 'drops its session cookie', 'drop their session cookies')}:"
                f" {percent(made.share)} of the sessions in store {made.store}"
            ),
            text=("Each of its visits gets a new session, and the previous one is never used again."),
            remedy=_REMEDY,
            shown=shown,
        )
    if told:
        return
    yield cookies if cookies is not None else Unexamined("", ("cookie_use",), _NEEDS)


def _cookies(case: Case) -> Finding | Cleared:
    """Judge by the cookies alone: how many visits were given a new one by whom."""
    told = case.rows(
        "SELECT coalesce(sum(given), 0)::BIGINT AS given, coalesce(sum(clients) FILTER (brought > 0), 0)::BIGINT AS returning"
        " FROM cookie_use"
    )[0]
    agents = case.rows(_QUERY)
    sessions = sum(agent["sessions"] for agent in agents)
    if not told["given"] or sessions < _LEAST_SHARE * told["given"]:
        return Cleared(
            "", f"{_return(told['returning'])} the session cookie; no client that matters drops it at each visit"
        )
    share = sessions / told["given"]
    clients = _return(sum(agent["clients"] for agent in agents), "never ")
    shown = tuple(_exhibit(agent) for agent in agents[:_MOST_EXHIBITS])
    return Finding(
        severity=Severity.WARNING,
        confidence=Confidence.HIGH,
        title=f"{clients} the session cookie: {percent(share)} of all cookies set",
        text=(
            f"Each of their visits got a new session: {several(sessions, 'session')} in these logs."
            f" {several(told['returning'], 'other client')} did return theirs, so the application's cookie works."
            if told["returning"]
            else f"Each of their visits got a new session: {several(sessions, 'session')} in these logs. No client"
            f" returns one: check the cookie's path, domain, Secure and SameSite."
        ),
        primary=shown[0],
        supporting=shown[1:],
        remedy=_REMEDY,
    )


def _return(clients: int, never: str = "") -> str:
    return f"{several(clients, 'client')} {never}return{'s' if clients == 1 else ''}"


def _exhibit(agent: dict[str, Any]) -> Exhibit:
    name = {"": "clients without a User-Agent", "*": "many clients"}.get(agent["user_agent"], agent["user_agent"])
    return Exhibit(
        title=f"{name}: {several(agent['sessions'], 'session')}",
        text=f"{several(agent['clients'], 'client')}, {several(agent['visits'], 'visit')}, none of which sent a cookie",
        query=_QUERY,
    )


EXAMINER: Final = Examiner(
    slug="traffic/client-drops-cookie",
    meaning="Clients never return the session cookie that they are given.",
    severity=Severity.CRITICAL,
    needs=(),
    helped_by=("session", "cookie_use"),
    examine=examine,
)
