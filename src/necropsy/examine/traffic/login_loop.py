"""``traffic/login-loop``: a program logs in again and again, and each login starts a session.

Sign: births follow ``POST /login`` and its kin, from clients that do so many times within one lifetime. Reason: a script,
an integration or a test logs in for each thing it does, and throws the session away instead of keeping its cookie. Such
sessions are logged in, so that they look like people's; those of somebody who tries passwords are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine import creation
from necropsy.examine.interface import Examiner
from necropsy.examine.traffic.actors import exhibits, who_does
from necropsy.model.figures import percent
from necropsy.model.finding import Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_MOSTLY: Final = 0.9
"""Share of the sessions from which they are called logged in; below the rest of it: not."""


def examine(case: Case) -> Iterator[Finding]:
    """One finding per store."""
    for made in creation.created(case, creation.LOGIN):
        if made.share < creation.LEAST_SHARE:
            continue
        yield creation.finding(
            case,
            made,
            title=(
                f"{who_does(made, 'logs in', 'log in')} again and again: {percent(made.share)} of the sessions in store"
                f" {made.store}"
            ),
            text=f"Each login starts a session, and the next login does not use it.{_who_they_are(case, made)}",
            remedy=Remedy(
                title="Let it keep its cookie, or give it a token",
                text=(
                    "Log in once and use the session until it is refused, or use an API token on a path without"
                    " sessions. Until then, limit logins per client at the proxy (nginx: limit_req on the login's"
                    " location)."
                ),
                undo="remove the limit again",
            ),
            shown=exhibits(made),
        )


_LOGGED_IN: Final = """
SELECT avg(CASE s.authentication WHEN 'yes' THEN 1.0 ELSE 0.0 END) AS share, count(*) AS n
FROM session_claim c JOIN session s ON s.store = c.store AND s.id_hash = c.id_hash
WHERE c.store = $1 AND list_contains($2, c.claim_id) AND s.authentication IN ('yes', 'no')
"""


def _who_they_are(case: Case, made: creation.Created) -> str:
    """Say whether their sessions are somebody's: a wrong password starts a session, too."""
    told = case.rows(_LOGGED_IN, [made.store, list(made.ids)])[0]
    if not told["n"]:
        return ""
    if told["share"] >= _MOSTLY:
        return " These sessions are logged in and look like people's."
    if told["share"] <= 1 - _MOSTLY:
        return " Nobody is logged in to these sessions: the logins failed, or they are tries of passwords."
    return f" {percent(told['share'])} of these sessions are logged in, the others are not."


EXAMINER: Final = Examiner(
    slug="traffic/login-loop",
    meaning="A program logs in again and again, and each login starts a session.",
    severity=Severity.CRITICAL,
    needs=("session",),
    helped_by=("visitor_class",),
    examine=examine,
)
