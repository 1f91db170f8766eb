"""Notices about stores (steady elsewhere than predicted, emptied, full, not read), instances that are gone, and a wrong file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from necropsy.guard.watch import wording
from necropsy.guard.watch.former import FEWEST, PROBES, Former, Limits, needed_readers
from necropsy.guard.watch.look import ZOMBIE, Look, StoreLook
from necropsy.guard.watch.notice import Member, Notice

_FLAT: Final = 0.03
"""A population is steady when its samples differ by less than this part of their mean."""
_DIFFERS: Final = 0.25
"""Part of the predicted steady state from which on another level is worth a word."""
_LEAST_SAMPLES: Final = 3
_ENOUGH: Final = 20.0
"""Sessions from which on their loss is not a night's quiet."""
_EMPTIED: Final = 0.1
"""A store that keeps less than this part of its sessions between two looks was emptied."""
_UNWATCHED: Final = "monitoring/store-unwatched"
FAILURE: Final = "unread:"
"""Key of the notice that a look failed as a whole; with the name of a store behind it, that this store cannot be read."""


def odd_plateaus(look: Look, former: Former, command: str) -> Iterator[Notice]:
    """Populations that are steady at another level than configuration predicts."""
    for store in look.stores.values():
        level = _steady(store, former.populations.get(store.name, ()))
        if level is None or not store.predicted or abs(level - store.predicted) < _DIFFERS * store.predicted:
            continue
        if any(c.over and c.store == store.name and c.slug == PROBES for c in look.creators):
            continue  # it is on its way, or half fixed, which is told in better words
        yield Notice(
            key=f"plateau:{store.name}",
            kind="plateau",
            slug="probes/creates-sessions",
            store=store.name,
            severity="warning",
            title=wording.steady(level, store.predicted, store.name),
            opened_at=look.at,
            command=wording.report(command),
            readers=needed_readers(look, store.name),
        )


def lost_sessions(look: Look, former: Former, command: str) -> Iterator[Notice]:
    """Stores that lost nearly all sessions since the look before, sooner than they expire: people were logged out.

    What was born since does not hide it: of those that were there before, hardly any are left. Where births are last uses, those
    that were used since seem born since: there the server's count of FLUSHALL must have risen, too.
    """
    for store in look.stores.values():
        then = former.populations.get(store.name, ())
        kept = store.sessions
        if store.older is not None and (not store.ages_move or _was_flushed(store, former)):
            kept = store.older
        if not then or then[-1][1] < _ENOUGH or kept > _EMPTIED * then[-1][1]:
            continue
        at, before = then[-1]
        if not store.lifetime_s or (store.at - at).total_seconds() < store.lifetime_s / 2:
            yield Notice(
                key=f"emptied:{store.name}:{store.at:%Y%m%dT%H%M%S}",
                kind="emptied",
                slug=_UNWATCHED,
                store=store.name,
                severity="critical",
                title=wording.emptied(store, round(before), kept),
                opened_at=look.at,
                since=at,
                figures=wording.how_emptied(store, at, round(before), kept),
                command=wording.report(command),
                readers=needed_readers(look, store.name),
            )


def _was_flushed(store: StoreLook, former: Former) -> bool:
    """Whether the server counts a FLUSHALL or FLUSHDB since the look before, of whichever database."""
    before = former.flushes.get(store.name)
    return store.flushes is not None and before is not None and store.flushes > before


def _steady(store: StoreLook, former: Sequence[tuple[datetime, float]]) -> float | None:
    """Return the level of a population that has been steady for a tenth of a lifetime and more; None if it is not."""
    if store.lifetime_s is None or store.lifetime_s <= 0 or store.immortal:
        return None
    since = store.at - timedelta(seconds=max(1_800.0, store.lifetime_s / 10))
    inside = [count for at, count in former if at >= since]
    reaches_back = any(at < since for at, _ in former)
    if not reaches_back or len(inside) + 1 < _LEAST_SAMPLES:
        return None
    counts = [*inside, float(store.sessions)]
    mean = sum(counts) / len(counts)
    return mean if mean and max(counts) - min(counts) < _FLAT * mean else None


def full_stores(look: Look, former: Former, limits: Limits, command: str) -> Iterator[Notice]:
    """Stores whose memory is used up soon at this rate."""
    held = {notice.key for notice in former.notices}
    for store in look.stores.values():
        key = f"full:{store.name}"
        left = (store.full_at - store.at).total_seconds() if store.full_at is not None else float("inf")
        if left > limits.full_within_s * (1.5 if key in held else 1.0):
            continue
        makers = [c for c in look.creators if c.store == store.name and not c.over]
        if makers and sum(creator.births for creator in makers) < FEWEST:
            continue
        yield Notice(
            key=key,
            kind="full",
            slug="memory/near-limit",
            store=store.name,
            severity="critical",
            title=wording.full(store),
            opened_at=look.at,
            members=tuple(c.member for c in makers),
            figures=tuple(wording.of_creators(makers, None, store)),
            line=next((c.line for c in makers if c.line), ""),
            command=wording.what_if(command),
            readers=needed_readers(look, store.name),
        )


def gone_instances(look: Look, former: Former) -> Iterator[Notice]:
    """Instances that are gone and that discovery still knows."""
    known = dict(look.zombies)
    fresh = dict(known)
    for notice in former.notices:
        if notice.kind == "zombie":
            mine = [member for member in notice.members if member.name in known]
            for member in mine:
                fresh.pop(member.name, None)
            if mine:
                yield notice
    if fresh:
        yield Notice(
            key=f"zombie:{look.at:%Y%m%dT%H%M%S}",
            kind="zombie",
            slug=ZOMBIE,
            store=None,
            severity="warning",
            title=wording.zombies(len(fresh)),
            opened_at=look.at,
            members=tuple(Member(name) for name in fresh),
            line=next((line for line in fresh.values() if line), ""),
            command=wording.explain(ZOMBIE),
            readers=needed_readers(look, None),
        )


def unread_stores(look: Look) -> Iterator[Notice]:
    """Stores that could not be read."""
    for store, why in look.unread.items():
        yield unread(store, why, look.at, look.hints.get(store, ""))


def unread(store: str | None, why: str, at: datetime, hint: str = "") -> Notice:
    """Return the notice on a look that failed, for one store or as a whole."""
    return Notice(
        key=f"{FAILURE}{store or ''}",
        kind="unread",
        slug=_UNWATCHED,
        store=store,
        severity="critical",
        title=f"Store {store} cannot be read: {why}" if store else f"The stores cannot be examined: {why}",
        opened_at=at,
        since=at,
        hint=hint,
        command=wording.explain(_UNWATCHED),
        readers=(f"store:{store}",) if store else (),
    )


def misread(look: Look) -> Iterator[Notice]:
    """The incident file, where it is wrong now: what is watched is what it said when it was right."""
    if look.misread:
        yield Notice(
            key="misread",
            kind="misread",
            slug=_UNWATCHED,
            store=None,
            severity="warning",
            title=f"The incident file has an error, so its last valid version is used: {look.misread}",
            opened_at=look.at,
            since=look.at,
            command=wording.explain(_UNWATCHED),
        )
