"""The sentences of notices: values in, a sentence without its full stop out."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime

from necropsy.guard.watch.look import EventLook, StoreLook, WatchedCreator
from necropsy.model.figures import several
from necropsy.report.figures import count, duration, moment, percent, size


def new_creators(new: Sequence[WatchedCreator], store: str) -> str:
    """Say who began."""
    who = "A new creator starts" if len(new) == 1 else f"{len(new)} new creators start"
    return f"{who} {count(_per_day(new))} sessions a day in store {store}"


def share(now: float, limit: float, store: str, slug: str) -> str:
    """Say that a share crossed its limit."""
    return f"{slug} explains {percent(now)} of the sessions in store {store}, more than the limit of {percent(limit)}"


def half_fixed(stopped: Sequence[WatchedCreator], going: Sequence[WatchedCreator], store: str) -> str:
    """Say how many stopped and how many go on."""
    total = len(stopped) + len(going)
    go = "1 goes on" if len(going) == 1 else f"{len(going)} go on"
    return f"Partly fixed: {len(stopped)} of {total} probes that start sessions in store {store} have stopped, {go}"


def steady(level: float, predicted: float, store: str) -> str:
    """Say that a population is steady at another level than predicted."""
    return (
        f"Store {store} is steady at {count(level)} sessions, not at the {count(predicted)} predicted from the"
        f" configuration"
    )


def emptied(store: StoreLook, before: int, kept: int) -> str:
    """Say that nearly all sessions went at once."""
    if kept == store.sessions:
        return f"Store {store.name} lost its sessions: {count(before)} at the previous examination, {count(kept)} now"
    return f"Store {store.name} lost its sessions: of the {count(before)} at the previous examination {count(kept)} are left"


def how_emptied(store: StoreLook, at: datetime, before: int, kept: int) -> tuple[str, ...]:
    """Say what it can have been, and that nobody saw it."""
    gone = f"{percent(1 - kept / before)} gone between {moment(at)} and {moment(store.at)}"
    lives = f", each lives for {duration(store.lifetime_s)}" if store.lifetime_s else ""
    return (
        f"{gone}{lives}: they did not expire" if lives else f"{gone}; how long each lived is not known",
        "what can do that: FLUSHALL or FLUSHDB, a restart without its dump, a failover to an empty replica, a purge",
    )


def after_event(event: EventLook) -> str:
    """Say by how much births rose."""
    before, after = event.before / event.before_s, event.after / event.after_s
    if not before:
        return f"After “{event.text}” store {event.store} gets new sessions; before, it got none"
    times = f"{format(after / before, '.1f').removesuffix('.0')} times as many new sessions"
    return f"After “{event.text}” store {event.store} gets {times}"


def around(event: EventLook) -> str:
    """Say the births on both sides of an event."""
    return (
        f"{several(event.before, 'birth')} in the {duration(round(event.before_s))} before,"
        f" {event.after:,} in the {duration(round(event.after_s))} after"
    )


def full(store: StoreLook) -> str:
    """Say when a store is full."""
    assert store.full_at is not None  # noqa: S101 -- for the type checker: who has none is not told
    left = (store.full_at - store.at).total_seconds()
    if left < 60:
        return f"Store {store.name} is full"
    return f"Store {store.name} will be full in {duration(round(left))} at the present rate of new sessions"


def zombies(number: int) -> str:
    """Say how many instances are gone."""
    return f"{several(number, 'instance')} {'is' if number == 1 else 'are'} gone, but still registered"


def of_creators(creators: Sequence[WatchedCreator], explained: float | None, store: StoreLook) -> Iterator[str]:
    """Yield figures: rate, share, where the population leads, when memory is gone."""
    if creators:
        yield f"{count(_per_day(creators))} sessions a day"
    if explained is not None:
        yield f"{percent(explained)} of {several(store.sessions, 'session')} ({size(store.bytes)})"
    if store.immortal:
        yield "these sessions never expire: no plateau"
    elif creators and store.lifetime_s is not None and store.lifetime_s > 0:
        yield _settles(creators, store)
    if store.full_at is not None:
        yield f"memory will be full at {moment(store.full_at)}"


def plateau(stopped: Sequence[WatchedCreator], going: Sequence[WatchedCreator], store: StoreLook) -> Iterator[str]:
    """Yield figures of a half fix: what went, what stays, where it leads."""
    yield f"stopped: {', '.join(creator.member.name for creator in stopped)}"
    yield f"{count(_per_day(going))} sessions a day instead of {count(_per_day([*stopped, *going]))}"
    if store.immortal:
        yield "these sessions never expire: no plateau"
    elif store.lifetime_s is not None and store.lifetime_s > 0:
        yield _settles(going, store)


def _settles(creators: Sequence[WatchedCreator], store: StoreLook) -> str:
    at = _per_day(creators) / 86_400 * (store.lifetime_s or 0.0)
    each = store.bytes / store.sessions if store.sessions else 0.0
    memory = f", {size(at * each)}" if each else ""
    return f"their sessions alone level off at {count(round(at))}{memory}, as each lives for {duration(store.lifetime_s or 0)}"


def _per_day(creators: Sequence[WatchedCreator]) -> float:
    return round(sum(creator.member.per_day for creator in creators))


def explain(slug: str) -> str:
    """Return the command that explains a slug."""
    return f"necropsy explain {slug}"


def patch(case: str) -> str:
    """Return the command that shows the patch."""
    return f"necropsy treat {shlex.quote(case)} --patch"


def report(case: str) -> str:
    """Return the command that shows the whole verdict."""
    return f"necropsy report {shlex.quote(case)}"


def what_if(case: str) -> str:
    """Return the command that shows what would help."""
    return f"necropsy what-if {shlex.quote(case)}"
