"""Fill levels of a store: measured, predicted earlier, and from now on, by its history and the arithmetic of its sessions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from necropsy.model.history import Course

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.history import PastEvent
    from necropsy.model.report import StoreSummary
    from necropsy.model.what_if import Outlook

PREDICTED: Final = "predicted"
"""Quantity of ``history``: sessions at later moments, as somebody predicted them at the first of these."""
_MOST_POINTS: Final = 240
_MOST_MARKS: Final = 12
_IMMORTAL_S: Final = 365 * 86_400.0

Points = tuple[tuple[float, float], ...]


def outlook(case: Case, store: str, at: datetime) -> Outlook:
    """Return where a store of a judged case goes if nobody changes anything."""
    from necropsy.autopsy.what_if import store as known
    from necropsy.verdict.what_if import Steps
    from necropsy.verdict.what_if import outlook as of

    return of(known(case, store, at), Steps())


def predicted(store: str, source: str, at: datetime, curve: Iterable[tuple[float, float]]) -> list[dict[str, object]]:
    """Return a curve (seconds after a moment, sessions) as rows of ``history``."""
    naive = at.astimezone(UTC).replace(tzinfo=None)
    return [
        {"store": store, "source": source, "quantity": PREDICTED, "at": naive + timedelta(seconds=second), "seconds": 0.0,
         "value": value}
        for second, value in curve
    ]  # fmt: skip


def courses(case: Case, stores: Sequence[StoreSummary], events: Sequence[PastEvent], now: datetime) -> Iterator[Course]:
    """Yield the course of each store of which the past is known.

    Parameters
    ----------
    stores
        The stores as they are now.
    now
        When they were read, where they do not say so themselves.
    """
    from necropsy.autopsy.what_if import store as known
    from necropsy.verdict.what_if import Steps
    from necropsy.verdict.what_if import outlook as of

    for store in stores:
        at = store.taken_at or now
        end_s = at.timestamp()
        unit = next((unit for unit in ("sessions", "keys") if _measured(case, store.name, unit, end_s)), None)
        if unit is None or not store.sessions:
            continue
        level = store.sessions if unit == "sessions" else store.keys
        measured = _measured(case, store.name, unit, end_s)
        by, former = _predicted(case, store.name) if unit == "sessions" else ("", ())
        facts = known(case, store.name, at)
        ahead = of(facts, Steps()).curve
        each = 1.0 if unit == "sessions" else store.session_keys / store.sessions
        first_s = min(line[0][0] for line in (measured, former) if line)
        shown_s = end_s + max(end_s - first_s, 3_600.0)
        full = None
        if facts.memory_limit is not None and facts.bytes_per_session > 0:
            most = (facts.memory_limit - facts.other_bytes) / facts.bytes_per_session
            full = level + (most - store.sessions) * each
        lifetime = store.lifetime_s
        yield Course(
            store=store.name,
            unit=unit,
            measured=(*measured, (end_s, float(level))),
            predicted=_until(former, shown_s),
            predicted_by=by,
            ahead=_until(
                tuple((end_s + second, level + (value - ahead[0][1]) * each) for second, value in ahead), shown_s
            ),
            full=full,
            horizon=at - timedelta(seconds=lifetime) if lifetime and 0 < lifetime < _IMMORTAL_S else None,
            marks=_marks(store.name, events, first_s, shown_s),
        )


def _measured(case: Case, store: str, unit: str, end_s: float) -> Points:
    """Return the levels of the source that has most of them, thinned."""
    rows = case.rows(
        'SELECT source, epoch("at") AS at_s, value FROM history WHERE store = $store AND quantity = $unit'
        ' AND epoch("at") < $end ORDER BY source, "at"',
        {"store": store, "unit": unit, "end": end_s},
    )
    by_source: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        by_source.setdefault(row["source"], []).append((row["at_s"], row["value"]))
    points = max(by_source.values(), key=len, default=[])
    step = -(-len(points) // _MOST_POINTS) or 1
    return tuple(points[::step])


def _predicted(case: Case, store: str) -> tuple[str, Points]:
    """Return who predicted first, and what; nothing where nobody did."""
    rows = case.rows(
        'SELECT source, epoch("at") AS at_s, value FROM history WHERE store = ? AND quantity = ? ORDER BY "at"',
        [store, PREDICTED],
    )
    by = rows[0]["source"] if rows else ""
    return by, tuple((row["at_s"], row["value"]) for row in rows if row["source"] == by)


def _until(points: Points, end_s: float) -> Points:
    """Cut a line off at a moment, on the line."""
    kept = [point for point in points if point[0] <= end_s]
    for (before_s, before), (after_s, after) in pairwise(points):
        if before_s <= end_s < after_s:
            kept.append((end_s, before + (after - before) * (end_s - before_s) / (after_s - before_s)))
    return tuple(kept)


def _marks(store: str, events: Sequence[PastEvent], start_s: float, end_s: float) -> tuple[tuple[float, str], ...]:
    """Place the events of the time shown; one of the first second counts, as events are written to the whole second."""
    marks = [
        (max(event.at.timestamp(), start_s), event.text)
        for event in events
        if event.store in (None, store) and math.floor(start_s) <= event.at.timestamp() <= end_s
    ]
    return tuple(sorted(marks)[-_MOST_MARKS:])
