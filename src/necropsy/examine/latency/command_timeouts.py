"""``latency/command-timeouts``: the application waits for its session store in vain.

Sign: ``RedisCommandTimeoutException`` and its kin in the application's error log. Reason: the store is busy, swapping,
forking or dead; every request that has a session cookie waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from necropsy.examine.latency.vital_signs import beside
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_SIGNS = "(?i)timeout|timed out|MISCONF|LOADING|OOM command|max number of clients|JedisConnection|RedisConnection"
_CLASSES = """
SELECT class, sum(events)::BIGINT AS events, min(bin) AS first, max(bin) AS last FROM error_event
WHERE regexp_matches(class, ?) GROUP BY class ORDER BY events DESC, class
"""


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding for all logs together, lined up with what the store went through."""
    classes = case.rows(_CLASSES, [_SIGNS])
    if not classes:
        yield Cleared("", "no error in the application's log points at the store")
        return
    events = sum(row["events"] for row in classes)
    begun = min((row["first"] for row in classes if row["first"] is not None), default=None)
    ended = max((row["last"] for row in classes if row["last"] is not None), default=None)
    when = f", from {begun:%Y-%m-%d %H:%M} to {ended:%H:%M} UTC" if begun and ended else ""
    exhibits = tuple(
        Exhibit(
            title=f"{row['class']}: {row['events']:,}",
            query="SELECT class, sum(events) FROM error_event GROUP BY class",
        )
        for row in classes
    )
    signs = tuple(beside(case, begun, ended)) if begun and ended else ()
    yield Finding(
        severity=Severity.WARNING,
        confidence=Confidence.HIGH,
        title=f"The application gave up on its store {events:,} time{'s' if events != 1 else ''}{when}",
        text="That is what people saw: pages that hang, then an error. It is the symptom; look for the cause above.",
        primary=exhibits[0],
        supporting=exhibits[1:] + signs,
        remedy=Remedy(
            title="Mend the cause; restarting the store only buys time",
            text="Compare the times with the store's memory and latency. A longer client timeout hides the illness.",
            undo="nothing to undo",
            safe=True,
        ),
    )
