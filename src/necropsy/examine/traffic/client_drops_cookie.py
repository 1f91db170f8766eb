"""``traffic/client-drops-cookie``: clients are given a session cookie with each visit, and never bring one back.

Sign: logs that record both cookies tell of clients with several visits, each of which was given a session cookie, and none of
which brought one. Reason: a program without a cookie jar, or a browser whose cookies are lost on the way (another path or
domain, ``Secure`` behind plain HTTP, ``SameSite``): each visit starts a session that nobody comes back to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from necropsy.model.figures import percent, several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_FEWEST_VISITS = 3
"""Visits without a cookie after which it is no accident: two may be two people behind one address."""
_LEAST_SHARE = 0.05
_MOST_EXHIBITS = 8

_DROPS = f"brought = 0 AND renewed >= {_FEWEST_VISITS} * clients"
_QUERY = (
    "SELECT user_agent, sum(clients)::BIGINT AS clients, sum(visits)::BIGINT AS visits, sum(renewed)::BIGINT AS sessions"
    f" FROM cookie_use WHERE {_DROPS} GROUP BY user_agent ORDER BY sessions DESC, user_agent"
)


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding for all logs together: a client drops its cookie whichever server it asks."""
    told = case.rows(
        "SELECT coalesce(sum(given), 0)::BIGINT AS given, coalesce(sum(clients) FILTER (brought > 0), 0)::BIGINT AS returning"
        " FROM cookie_use"
    )[0]
    agents = case.rows(_QUERY)
    sessions = sum(agent["sessions"] for agent in agents)
    if not told["given"] or sessions < _LEAST_SHARE * told["given"]:
        yield Cleared(
            "", f"{_bring(told['returning'])} the session cookie back; none that matters drops it with each visit"
        )
        return
    share = sessions / told["given"]
    clients = _bring(sum(agent["clients"] for agent in agents), "never ")
    exhibits = tuple(_exhibit(agent) for agent in agents[:_MOST_EXHIBITS])
    yield Finding(
        severity=Severity.CRITICAL if share >= 0.5 else Severity.WARNING,
        confidence=Confidence.HIGH,
        title=f"{clients} the session cookie back: {percent(share)} of all that were given",
        text=(
            f"Each of their visits was given a new session: {several(sessions, 'session')} in these logs. Others do bring"
            f" theirs back ({several(told['returning'], 'client')}), so the application is not to blame for all of it."
            if told["returning"]
            else f"Each of their visits was given a new session: {several(sessions, 'session')} in these logs. Nobody brings"
            " one back: is the cookie's path, domain, Secure or SameSite wrong?"
        ),
        primary=exhibits[0],
        supporting=exhibits[1:],
        remedy=Remedy(
            title="Start no session for who brings no cookie back",
            text=(
                "Start sessions at login, not on the first page. Give programs that ask often an address without a session,"
                " or have them keep their cookies."
            ),
            undo="take the rule out again",
        ),
        share=None,
    )


def _bring(clients: int, never: str = "") -> str:
    return f"{several(clients, 'client')} {never}bring{'s' if clients == 1 else ''}"


def _exhibit(agent: dict[str, Any]) -> Exhibit:
    name = {"": "clients without a User-Agent", "*": "many clients"}.get(agent["user_agent"], agent["user_agent"])
    return Exhibit(
        title=f"{name}: {several(agent['sessions'], 'session')}",
        text=f"{several(agent['clients'], 'client')}, {several(agent['visits'], 'visit')}, not one of which brought a cookie",
        query=_QUERY,
    )
