"""The lifetime of sessions that do not say it: the longest time to live in their namespace, made round.

Most stores set one TTL for all sessions and set it again at each use: the session used last has nearly all of it left. For
somebody who is not logged in and never returns, which is every probe, the only use is the birth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.sessions.interface import Refinement

if TYPE_CHECKING:
    from datetime import datetime

    from necropsy.case.store import Case

_MINUTE: Final = 60
_USUAL_MINUTES: Final = (1, 2, 3, 5, 10, 15, 20, 24, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720)
_USUAL_DAYS: Final = (1, 2, 3, 5, 7, 10, 14, 15, 20, 21, 28, 30, 31, 60, 90, 180, 365)
USUAL: Final = tuple(_MINUTE * n for n in _USUAL_MINUTES) + tuple(86_400 * n for n in _USUAL_DAYS)
"""Lifetimes that people write into configurations, in seconds."""
_NEAR: Final = 0.95
_LONGEST: Final = """
SELECT namespace, db, layout, max(epoch(expires_at - $1)) AS left_s FROM session_part
WHERE store = $2 AND role = 'session' AND lifetime_s IS NULL AND list_contains($3, layout)
GROUP BY ALL HAVING left_s > 0 ORDER BY ALL
"""


def round_up(seconds: float) -> int:
    """Round a time to live up to a usual lifetime that is near, else to the minute.

    >>> round_up(86_391.2), round_up(1799), round_up(50_000)
    (86400, 1800, 50040)
    """
    for usual in USUAL:
        if seconds <= usual and seconds >= _NEAR * usual:
            return usual
    return -int(-seconds // _MINUTE) * _MINUTE


def inferred(case: Case, store: str, now: datetime, layouts: tuple[str, ...]) -> list[Refinement]:
    """Return a lifetime for the sessions of each namespace that have none of their own."""
    return [
        Refinement(row["namespace"], row["db"], row["layout"], row["layout"], lifetime_s=round_up(row["left_s"]))
        for row in case.rows(_LONGEST, [now, store, list(layouts)])
    ]
