"""The future of a store under given steps: the arithmetic of sessions in closed form.

Sessions that are there leave when their own expiry comes, which the store knows. Those that are born at a constant rate and
never used again live for one lifetime: they rise in a straight line over it and are steady from then on. People, who use their
sessions again, are steady today and stay so::

    sessions(t) = those there whose expiry is after t  +  rate x min(t, time in the store)  +  people

Spring's indexed layouts keep the hash for five minutes longer (``forecast.GRACE_S``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from necropsy.model.what_if import Outlook, StoreOutlooks
from necropsy.verdict.forecast import DAY_S, is_immortal
from necropsy.verdict.future import NEVER_S, StoreForecastInput, full_between

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNEXPLAINED: Final = "unexplained"
"""Slug of births whose creator is not known: no fix ends them."""
_POINTS: Final = 49
_HEADROOM: Final = 2.0
"""Of a limit that is enough: room for a day on which twice as many come, for buffers and for a save."""
_LEAST_BYTES: Final = 16_000_000
"""A server without a key takes about a megabyte; nobody offers less than this."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps that are taken."""

    fixes: tuple[str, ...] = ()
    """Slugs whose creators stop; ``all``: every one."""
    ttl_s: float | None = None
    """Lifetime of sessions from now on."""
    purge: bool = False
    """Whether sessions of nobody are deleted."""


def outlooks(store: StoreForecastInput, steps: Steps, memory_limit: int | None = None) -> StoreOutlooks:
    """Return where a store goes: as it is, with each step alone, and with all of them.

    Parameters
    ----------
    memory_limit
        Another limit than the store has, in bytes.
    """
    store = replace(store, memory_limit=memory_limit or store.memory_limit)
    alone = [Steps(fixes=(slug,)) for slug in steps.fixes]
    alone += [Steps(ttl_s=steps.ttl_s)] if steps.ttl_s is not None else []
    alone += [Steps(purge=True)] if steps.purge else []
    together = outlook(store, steps)
    return StoreOutlooks(
        store=store.name,
        at=store.at,
        memory_limit=store.memory_limit,
        today=outlook(store, Steps()),
        alone=tuple(outlook(store, one) for one in alone) if len(alone) > 1 else (),
        together=together,
        enough_bytes=_enough(together, store),
        notes=tuple(_notes(store, steps)),
    )


def outlook(store: StoreForecastInput, steps: Steps) -> Outlook:
    """Return where a store goes under some steps."""
    import numpy as np

    going_on = [
        stream
        for stream in store.streams
        if stream.slug == UNEXPLAINED or ("all" not in steps.fixes and stream.slug not in steps.fixes)
    ]
    per_day = sum(stream.per_day for stream in going_on)
    lifetime = steps.ttl_s if steps.ttl_s is not None else store.lifetime_s
    never = is_immortal(lifetime) or lifetime is None
    stay_s = np.inf if never else float(lifetime or 0.0) + store.grace_s
    left, immortal = _after_purge(store) if steps.purge else (store.left_s, store.immortal)
    people = min(round(store.people), left.size + immortal)
    leaving = _without(left, store.people_left_s if not steps.purge else None, min(people, left.size))
    immortal -= people - (left.size - leaving.size)

    def sessions(seconds: NDArray[np.float64], births: float, some_people: float) -> NDArray[np.float64]:
        there = leaving.size - np.searchsorted(leaving, seconds, side="right")
        return there + immortal + births / DAY_S * np.minimum(seconds, stay_s) + some_people

    steady = not (never and per_day > 0)
    settles_s = float(max(leaving[-1] if leaving.size else 0.0, stay_s if per_day and not never else 0.0))
    reach_s = min(NEVER_S, settles_s if steady and settles_s > 0 else _reach(store, per_day))
    times = np.linspace(0.0, max(reach_s, 1.0), _POINTS)
    values = sessions(times, per_day, people)
    final = float(sessions(np.array([settles_s]), per_day, people)[0]) if steady else None
    full_at, full_from, full_to = full_between(store, going_on, sessions, 0.0 if never else settles_s)
    return Outlook(
        steps=tuple(_words(steps)),
        births_per_day=per_day,
        sessions_now=round(float(values[0])),
        bytes_now=round(store.other_bytes + float(values[0]) * store.bytes_per_session),
        sessions_steady=final,
        bytes_steady=None if final is None else store.other_bytes + final * store.bytes_per_session,
        steady_after_s=settles_s if steady else None,
        full_at=full_at,
        full_from=full_from,
        full_to=full_to,
        curve=tuple((float(second), float(value)) for second, value in zip(times, values, strict=True)),
    )


def _without(left_s: NDArray[np.float64], of_people: NDArray[np.float64] | None, people: int) -> NDArray[np.float64]:
    """Take so many sessions of people out: first those that are known to be, then those that were used last.

    People's sessions are among those that are there; they are renewed or replaced, so they are not counted as leaving.
    """
    import numpy as np

    if of_people is not None and of_people.size:
        values, counts = np.unique(left_s, return_counts=True)
        place = np.searchsorted(values, of_people)
        there = (place < values.size) & (values[np.minimum(place, values.size - 1)] == of_people)
        np.subtract.at(counts, place[there][:people], 1)
        people -= min(people, int(there.sum()))
        left_s = np.repeat(values, np.maximum(counts, 0))
    return left_s[: left_s.size - people]


def _after_purge(store: StoreForecastInput) -> tuple[NDArray[np.float64], int]:
    """Take out what a purge takes: of the sessions that expire a like share of every age."""
    import numpy as np

    expiring = store.purgeable - store.purgeable_immortal
    kept = max(0, store.left_s.size - expiring)
    chosen = np.linspace(0, store.left_s.size - 1, kept).round().astype(np.int64) if kept else np.empty(0, np.int64)
    return store.left_s[chosen], store.immortal - store.purgeable_immortal


def _reach(store: StoreForecastInput, per_day: float) -> float:
    """Seconds to look ahead where nothing becomes steady: until the limit, or a month."""
    if store.memory_limit and per_day > 0 and store.bytes_per_session > 0:
        room = store.memory_limit - store.other_bytes - (store.left_s.size + store.immortal) * store.bytes_per_session
        return max(DAY_S, room / store.bytes_per_session / per_day * DAY_S * 1.1)
    return 30.0 * DAY_S


def _enough(together: Outlook, store: StoreForecastInput) -> int | None:
    """Return a power of two of bytes with headroom over the most that the store will hold; None where it grows for ever."""
    if together.bytes_steady is None:
        return None
    most = store.other_bytes + max(value for _, value in together.curve) * store.bytes_per_session
    size = _LEAST_BYTES
    while size < most * _HEADROOM:
        size *= 2
    return size


def _words(steps: Steps) -> list[str]:
    words = [f"fix {slug}" for slug in steps.fixes]
    if steps.ttl_s is not None:
        hours = steps.ttl_s / 3600
        words.append(f"a lifetime of {hours:g} hour{'' if hours == 1 else 's'} for new sessions")
    if steps.purge:
        words.append("purge of anonymous sessions")
    return words


def _notes(store: StoreForecastInput, steps: Steps) -> list[str]:
    notes = []
    if store.lifetime_s is None:
        notes.append("the lifetime of the sessions is unknown: new sessions are assumed to stay")
    if steps.ttl_s is not None:
        notes.append("existing sessions keep their lifetime; cap-ttl shortens it")
    unknown = [slug for slug in steps.fixes if slug != "all" and slug not in {stream.slug for stream in store.streams}]
    notes += [f"{slug} creates nothing in this store" for slug in unknown]
    if any(stream.slug == UNEXPLAINED for stream in store.streams):
        notes.append("unexplained births are assumed to go on: no fix is known for them")
    if store.people:
        notes.append("the number of people's sessions is assumed to stay as it is today")
    return notes
