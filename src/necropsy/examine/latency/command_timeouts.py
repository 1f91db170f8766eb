"""``latency/command-timeouts``: the application waits for its session store in vain, or is refused by it.

Sign: ``RedisCommandTimeoutException`` and its kin in the application's error log. Reason: the store is busy, full,
swapping, forking or dead; every request that has a session cookie waits for it. The reader of logs says of each error
what it means for the store (``StoreTrouble``); here it is put into words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from necropsy.examine.interface import Examiner
from necropsy.examine.latency.troubles import WORDS
from necropsy.examine.latency.vital_signs import beside
from necropsy.model.figures import several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.model.store_trouble import StoreTrouble

if TYPE_CHECKING:
    from necropsy.case.store import Case

_CLASSES: Final = """
SELECT class, trouble, sum(events)::BIGINT AS events, min(bin) AS first, max(bin) AS last FROM error_event
WHERE trouble IS NOT NULL GROUP BY class, trouble ORDER BY events DESC, class, trouble
"""
_QUERY: Final = "SELECT class, trouble, sum(events) FROM error_event GROUP BY class, trouble"


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding for all logs together, lined up with what the store went through."""
    classes = case.rows(_CLASSES)
    if classes:
        yield _finding(case, classes)
        return
    logs = [row["locator"] for row in case.rows("SELECT locator FROM source WHERE reader = 'app_log' ORDER BY locator")]
    yield Cleared("", f"no error in {', '.join(logs)} points at the store")


def _finding(case: Case, classes: Sequence[Mapping[str, Any]]) -> Finding:
    by_trouble: dict[StoreTrouble, int] = {}
    for row in classes:
        trouble = StoreTrouble(row["trouble"])
        by_trouble[trouble] = by_trouble.get(trouble, 0) + row["events"]
    troubles = sorted(by_trouble, key=lambda trouble: (-by_trouble[trouble], trouble.rank))
    events = sum(by_trouble.values())
    begun = min((row["first"] for row in classes if row["first"] is not None), default=None)
    ended = max((row["last"] for row in classes if row["last"] is not None), default=None)
    when = _when(begun, ended) if begun and ended else ""
    exhibits = tuple(
        Exhibit(title=f"{row['class']}: {row['events']:,} ({WORDS[StoreTrouble(row['trouble'])].short})", query=_QUERY)
        for row in classes
    )
    signs = tuple(beside(case, begun, ended)) if begun and ended else ()
    leading = WORDS[troubles[0]]
    title = leading.title if len(troubles) == 1 else "The application could not use its store"
    return Finding(
        severity=Severity.WARNING,
        confidence=Confidence.MEDIUM if set(troubles) == {StoreTrouble.UNCLEAR} else Confidence.HIGH,
        title=f"{title} {several(events, 'time')}{when}",
        text=" ".join(
            [*(f"{several(by_trouble[one], 'time')}: {WORDS[one].meaning}." for one in troubles)]
            if len(troubles) > 1
            else [f"{leading.meaning[0].upper()}{leading.meaning[1:]}."]
        )
        + " Users saw this as pages that hang or fail. It is a symptom, not the cause.",
        primary=exhibits[0],
        supporting=exhibits[1:] + signs,
        remedy=Remedy(
            title=leading.remedy,
            text=" ".join(dict.fromkeys(WORDS[one].steps for one in troubles)),
            undo="",
            safe=True,
        ),
    )


def _when(begun: datetime, ended: datetime) -> str:
    """Return ``, from … to … UTC``, or one moment when both are in the same minute.

    >>> ten = datetime(2024, 2, 5, 10)
    >>> _when(ten, datetime(2024, 2, 5, 10, 11)), _when(ten, ten)
    (', from 2024-02-05 10:00 to 10:11 UTC', ', at 2024-02-05 10:00 UTC')
    """
    first = f"{begun:%Y-%m-%d %H:%M}"
    last = f"{ended:%H:%M}" if begun.date() == ended.date() else f"{ended:%Y-%m-%d %H:%M}"
    return f", at {first} UTC" if first.endswith(f" {last}") else f", from {first} to {last} UTC"


EXAMINER: Final = Examiner(
    slug="latency/command-timeouts",
    meaning="The application's requests to its session store time out or fail.",
    severity=Severity.WARNING,
    needs=("error_event",),
    examine=examine,
)
