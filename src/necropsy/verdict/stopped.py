"""Say of the creators of a cause who has stopped, and whether that is an end or a pause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from necropsy.model.figures import percent, several
from necropsy.model.verdict import Actor, sessions_of_stopped

_LEAST_PAUSED_H: Final = 2.0
"""A prober that is restarted, or moves to another host, is silent for a while, too."""
_LEAST_PAUSED: Final = 0.2
"""Share of the time between first and last birth."""


def what_stopped(actors: Sequence[Actor], left: str, *, one_program: bool) -> str:
    """Say when creators began and stopped; empty where all go on.

    Parameters
    ----------
    actors
        The creators of one cause.
    left
        What becomes of their sessions, as a clause.
    one_program
        Whether clients of one name and page are one creator: a telephone that has another address now has not stopped.
    """
    actors = _programs(actors) if one_program else actors
    first = min((actor.first_at for actor in actors if actor.first_at is not None), default=None)
    ended = [actor for actor in actors if actor.over and actor.last_at is not None]
    if not ended:
        return ""
    last = max(actor.last_at for actor in ended if actor.last_at is not None)
    if len(ended) < len(actors):
        return _some(ended, actors, last)
    paused = max(ended, key=paused_hours)
    if (hours := paused_hours(paused)) and paused.first_at and paused.last_at:
        whole = _hours(paused.last_at, paused.first_at)
        return (
            f"It stopped on {moment(last)}, and may come again: its births fill {whole - hours:.0f} of the"
            f" {several(round(whole), 'hour')} since {moment(paused.first_at)}."
        )
    began = f"It is over: it began on {moment(first)} and stopped on" if first else "It stopped on"
    return f"{began} {moment(last)}: {left}."


def paused_hours(actor: Actor) -> float:
    """Hours between its first and last birth for which it did not come, by its births and their rate; 0: it never paused.

    A check that a scheduler sends at night alone is gone each morning, and is not over.
    """
    if not actor.period_s or actor.births_per_hour <= 0 or actor.first_at is None or actor.last_at is None:
        return 0.0
    whole = _hours(actor.last_at, actor.first_at)
    silent = whole - actor.sessions / actor.births_per_hour
    return silent if silent >= max(_LEAST_PAUSED_H, _LEAST_PAUSED * whole) else 0.0


def _programs(actors: Sequence[Actor]) -> list[Actor]:
    """One actor for the clients of one name that ask for one page; it goes on while one of them does."""
    kinds: dict[tuple[str, str, str], Actor] = {}
    for actor in actors:
        key = (actor.user_agent, actor.url, actor.method)
        before = kinds.get(key)
        kinds[key] = actor if before is None else _both(before, actor)
    return list(kinds.values())


def _both(one: Actor, other: Actor) -> Actor:
    return replace(
        one,
        over=one.over and other.over,
        sessions=one.sessions + other.sessions,
        births_per_hour=one.births_per_hour + other.births_per_hour,
        period_s=None,
        first_at=min((at for at in (one.first_at, other.first_at) if at is not None), default=None),
        last_at=max((at for at in (one.last_at, other.last_at) if at is not None), default=None),
    )


def _some(ended: Sequence[Actor], actors: Sequence[Actor], last: datetime) -> str:
    going = len(actors) - len(ended)
    go = "goes" if going == 1 else "go"
    said = f"{len(ended)} of {len(actors)} stopped, the last on {moment(last)}"
    if sessions := sessions_of_stopped(actors):
        made = percent(sessions / sum(actor.sessions for actor in actors))
        said += f": {'it' if len(ended) == 1 else 'they'} made {made} of these sessions"
    return f"{said}; {going} {go} on."


def _hours(until: datetime, since: datetime) -> float:
    return (until - since).total_seconds() / 3_600


def moment(at: datetime) -> str:
    """A time of the report, to the minute."""
    return f"{at:%Y-%m-%d at %H:%M} UTC"
