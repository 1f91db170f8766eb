"""Events beside changes: which deploy, commit, restart or new target stands where the births changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from necropsy.history.change_points import ChangePoint

_SHORTLY_S: Final = 15 * 60.0
"""Longest time from an event to its change: a rollout takes its time, a target is discovered after it was written."""
_RANK: Final = ("given", "commit", "target-appeared", "target-left", "restart", "emptied")
"""Order in which one of several events is named: acts come before their effects."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a known time."""

    at_s: float
    """Unix seconds."""
    kind: str
    """given, commit, restart, emptied, target-appeared or target-left."""
    text: str
    source: str
    store: str | None = None
    """The store that it is about; None: any."""


def event_of(change: ChangePoint, events: Sequence[Event], store: str) -> Event | None:
    """Return the event that stands at a change: within its interval, or up to a quarter of an hour before it.

    A coincidence in time is no proof: whoever shows it says "at the time of".
    """
    near = [
        event
        for event in events
        if event.store in (None, store) and change.earliest_s - _SHORTLY_S <= event.at_s <= change.latest_s
    ]
    if not near:
        return None
    return min(near, key=lambda event: (_RANK.index(event.kind), abs(event.at_s - change.at_s)))
