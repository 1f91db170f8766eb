"""``traffic/login-loop``: a program logs in again and again, and each login starts a session.

Sign: births follow ``POST /login`` and its kin, from clients that do so many times within one lifetime. Reason: a script,
an integration or a test logs in for each thing it does, and throws the session away instead of keeping its cookie. Such
sessions are logged in, so that they look like people's.
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
            text=(
                "Each login starts a session, and the next login does not use it. These sessions are logged in and"
                " look like people's."
            ),
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


EXAMINER: Final = Examiner(
    slug="traffic/login-loop",
    meaning="A program logs in again and again, and each login starts a session.",
    severity=Severity.CRITICAL,
    needs=("session",),
    helped_by=("visitor_class",),
    examine=examine,
)
