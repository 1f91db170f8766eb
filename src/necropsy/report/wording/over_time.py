"""The past of the stores in sentences: when births changed, by how much, and what happened at that time."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from necropsy.model.history import RateChange, StoreHistory
from necropsy.model.report import Report
from necropsy.report.figures import count, duration, moment

_MOST: Final = 6
"""Changes of one history that are told, the latest."""
_WEEKS: Final = timedelta(days=14)
_DAYS: Final = timedelta(days=3)
"""From here on the daily pattern is known (``history.change_points``)."""


def changes(report: Report) -> list[tuple[str, str]]:
    """Return (store, sentence without a full stop) of each change, in order of stores and time."""
    told = []
    for history in report.histories:
        shown = history.changes[-_MOST:]
        if len(shown) < len(history.changes):
            told.append((history.store, f"{len(history.changes) - len(shown)} earlier changes ({history.source})"))
        told += [(history.store, sentence(change, history, report)) for change in shown]
        if shown and (why := too_short(history)):
            told.append((history.store, f"{why} ({history.source})"))
    return told


def too_short(history: StoreHistory) -> str:
    """Say what a history that is shorter than two weeks cannot tell; empty where there is nothing to say.

    People come by the hour and by the day of the week: what returns is taken off only where it was seen to return.
    """
    span = history.end - history.start
    if span >= _WEEKS:
        return ""
    days = f"{span / timedelta(days=1):.0f} days" if span >= timedelta(days=1.5) else "about a day at most"
    usual = "a Monday or a weekend" if span >= _DAYS else "a morning, a Monday or a weekend"
    return f"a history of {days}: {usual} can look like a change of people's visits"


def sentence(change: RateChange, history: StoreHistory, report: Report) -> str:
    """Say when births changed, how surely, from what to what, and what happened then.

    ``2026-11-26 23:40 UTC (± 30 s): from 20 to 1,440 new sessions an hour; at the time of: version 14 (births of …)``
    """
    what = f"new {history.births_of}"
    text = (
        f"{moment(change.at)} ({_precision(change)}): from {count(change.before_per_hour)} to"
        f" {count(change.after_per_hour)} {what} an hour"
    )
    event = next((one for one in report.events if one.text == change.event), None)
    if event is not None:
        apart = (change.at - event.at).total_seconds()
        when = (
            "at the same time"
            if abs(apart) < 60
            else f"{duration(round(abs(apart)))} {'after' if apart > 0 else 'before'}"
        )
        text += f"; {when}{':' if when.startswith('at') else ''} {event.text}"
    return f"{text} ({history.source})"


def _precision(change: RateChange) -> str:
    """Precision of the moment: half of its interval."""
    half = max(change.at - change.earliest_at, change.latest_at - change.at, timedelta(seconds=1))
    return f"± {duration(round(half.total_seconds()))}"
