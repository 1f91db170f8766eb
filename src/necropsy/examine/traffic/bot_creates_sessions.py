"""``traffic/bot-creates-sessions``: a client that is no browser, and comes irregularly, creates sessions.

Sign: births that follow the visits of one User-Agent, or sessions that name it as their creator; a robot by its name, or
a program under a browser's name that never comes back with its cookie. Reason: crawlers and scripts start without a
cookie each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine import creation
from necropsy.examine.interface import Examiner
from necropsy.examine.traffic.actors import exhibits, is_named_as_browser, who_does
from necropsy.model.figures import percent
from necropsy.model.finding import Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case


_PERHAPS_A_BROWSER: Final = (
    " Either a program uses the name of a browser here, or a browser loses its cookie: check the cookie's Domain, Path,"
    " Secure and SameSite first."
)


def examine(case: Case) -> Iterator[Finding]:
    """One finding per store."""
    for made in creation.created(case, creation.BOTS):
        if made.share < creation.LEAST_SHARE:
            continue
        yield creation.finding(
            case,
            made,
            title=f"{who_does(made, 'creates', 'create')} {percent(made.share)} of the sessions in store {made.store}",
            text="A client that returns no session cookie starts another session with each visit to a page that starts one."
            + (_PERHAPS_A_BROWSER if is_named_as_browser(made) else ""),
            remedy=Remedy(
                title="Do not start sessions for clients without a login",
                text="Start the session at login, or serve known robots from a path outside the session middleware.",
                undo="remove the rule again",
            ),
            shown=exhibits(made),
        )


EXAMINER: Final = Examiner(
    slug="traffic/bot-creates-sessions",
    meaning="A client that is not a browser creates sessions, irregularly.",
    severity=Severity.CRITICAL,
    needs=("session",),
    helped_by=("visitor_class",),
    examine=examine,
)
