"""Changes between examinations: notices that open, go on, and are resolved. Pure: an examination and earlier notices go in.

Nothing is resolved by what could not be looked at: a notice ends only when every kind of source that showed it was read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from necropsy.guard.watch import wording
from necropsy.guard.watch.identity import is_known, known_before
from necropsy.guard.watch.look import ZOMBIE, Creator, EventLook, Look, StoreLook
from necropsy.guard.watch.notice import Member, Notice

DAY_S: Final = 86_400
_FEWEST: Final = 5.0
"""Sessions of new creators of one kind from which on they are told: of one or two a rate says nothing."""
_ONE_MORE: Final = 2
"""Looks in a row that must miss a creator before it counts as gone, where none saw it end."""
_HYSTERESIS: Final = 0.8
"""A share is below its limit again when it is below this part of it."""
_FLAT: Final = 0.03
"""A population is steady when its samples differ by less than this part of their mean."""
_DIFFERS: Final = 0.25
"""Part of the predicted steady state from which on another level is worth a word."""
_LEAST_SAMPLES: Final = 3
_ENOUGH: Final = 20.0
"""Sessions from which on their loss is not a night's quiet."""
_EMPTIED: Final = 0.1
"""A store that keeps less than this part of its sessions between two looks was emptied."""
_SURE: Final = 12.0
"""Twice the logarithm of the likelihood ratio from which on births after an event are not chance (p < 0.001)."""
_ROSE: Final = 1.5
_EVENT_MATTERS_S: Final = 3 * DAY_S
_LEAST_AFTER_S: Final = 120.0
PROBES: Final = "probes/creates-sessions"


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something is worth a word."""

    share: float = 0.2
    """Share of a store's sessions that one cause may have."""
    least_per_day: float = 200.0
    """Sessions a day below which a creator is not spoken of."""
    full_within_s: float = float(DAY_S)


@dataclass(frozen=True, slots=True)
class Former:
    """Earlier examinations, by the history."""

    notices: Sequence[Notice] = ()
    """Those that were open."""
    shares: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """By store and slug, of the last look."""
    at: datetime | None = None
    """When it was taken, UTC; None: there was none."""
    populations: Mapping[str, Sequence[tuple[datetime, float]]] = field(default_factory=dict)
    """Sessions of each store in time, oldest first."""


def judge(look: Look, former: Former, limits: Limits, command: str) -> list[Notice]:
    """Return every notice that is open after a look, and those that it resolves.

    Parameters
    ----------
    command
        How the case of this look is called on a command line.
    """
    held = {notice.key: notice for notice in former.notices}
    seen: dict[str, Notice] = {}
    creators = list(_creators(look, former, limits, command))
    opened = {
        (notice.store, notice.slug)
        for notice in creators
        if notice.key not in held or held[notice.key].revision < notice.revision
    }
    for notice in (
        *creators,
        *_shares(look, former, limits, opened, command),
        *_half_fixed(look, former, limits, command),
        *_plateaus(look, former, command),
        *_emptied(look, former, command),
        *_events(look, command),
        *_full(look, former, limits, command),
        *_zombies(look, former),
        *_unread(look),
    ):
        before = held.get(notice.key)
        seen[notice.key] = notice if before is None else replace(notice, opened_at=before.opened_at, since=before.since)
    ended = [_ended(notice, look) for key, notice in held.items() if key not in seen]
    return [*seen.values(), *ended]


def _ended(notice: Notice, look: Look) -> Notice:
    """Resolve a notice that this look does not hold any more, if the look can tell."""
    if not set(notice.readers) <= look.readers:
        return notice
    if notice.kind == "creator" and notice.missed + 1 < _ONE_MORE and not _stopped(notice, look):
        return replace(notice, missed=notice.missed + 1)
    return replace(notice, resolved_at=look.at)


def _stopped(notice: Notice, look: Look) -> bool:
    """Whether the look saw each member end."""
    return all(
        any(creator.over and is_known(creator, replace(notice, members=(member,))) for creator in look.creators)
        for member in notice.members
    )


def _readers(look: Look, store: str | None) -> tuple[str, ...]:
    """Return what a later look must have read to resolve a notice: the store itself, and the other kinds of sources."""
    kinds = {reader for reader in look.readers if not reader.startswith("store:")}
    return tuple(sorted(kinds | ({f"store:{store}"} if store else set())))


def _creators(look: Look, former: Former, limits: Limits, command: str) -> Iterator[Notice]:
    """Those that go on: who was noticed before stays with its notice; who is new gets one, for each store and slug."""
    going = [c for c in look.creators if not c.over and c.member.per_day >= limits.least_per_day]
    fresh = list(going)
    gone: list[Notice] = []
    for notice in former.notices:
        if notice.kind != "creator":
            continue
        mine = [c for c in going if is_known(c, notice)]
        fresh = [c for c in fresh if c not in mine]
        if mine:
            yield replace(notice, missed=0)
        else:
            gone.append(notice)
    groups: dict[tuple[str, str], list[Creator]] = defaultdict(list)
    for creator in fresh:
        groups[creator.store, creator.slug].append(creator)
    for (store, slug), new in groups.items():
        if sum(creator.births for creator in new) < _FEWEST:
            continue
        began = [c.first_at for c in new if c.first_at is not None]
        share = look.shares.get((store, slug), 0.0)
        where = look.stores[store]
        known = known_before(new, store, gone)
        if known is not None:
            gone.remove(known)
        yield Notice(
            key=known.key if known else f"creator:{store}:{slug}:{look.at:%Y%m%dT%H%M%S}",
            revision=known.revision + 1 if known else 0,
            kind="creator",
            slug=slug,
            store=store,
            severity="critical" if share >= 0.5 or where.immortal else "warning",
            title=wording.new_creators(new, store),
            opened_at=look.at,
            since=min(began) if began else None,
            members=tuple(c.member for c in new),
            figures=tuple(wording.of_creators(new, share, where)),
            line=next((c.line for c in new if c.line), ""),
            command=wording.patch(command) if slug in look.patched else wording.explain(slug),
            readers=_readers(look, store),
        )


def _shares(
    look: Look, former: Former, limits: Limits, opened: set[tuple[str | None, str]], command: str
) -> Iterator[Notice]:
    """Shares that crossed the limit from below; not those of creators that are told of now anyway."""
    held = {notice.key for notice in former.notices}
    for (store, slug), share in look.shares.items():
        key = f"share:{store}:{slug}"
        before = former.shares.get((store, slug))
        crossed = before is not None and before < limits.share <= share and (store, slug) not in opened
        if store not in look.stores or not (crossed or (key in held and share >= _HYSTERESIS * limits.share)):
            continue
        makers = [c for c in look.creators if (c.store, c.slug) == (store, slug)]
        yield Notice(
            key=key,
            kind="share",
            slug=slug,
            store=store,
            severity="critical" if share >= 0.5 else "warning",
            title=wording.share(share, limits.share, store, slug),
            opened_at=look.at,
            members=tuple(c.member for c in makers),
            figures=tuple(wording.of_creators(makers, share, look.stores[store])),
            line=next((c.line for c in makers if c.line), ""),
            command=wording.patch(command) if slug in look.patched else wording.explain(slug),
            readers=_readers(look, store),
        )


def _half_fixed(look: Look, former: Former, limits: Limits, command: str) -> Iterator[Notice]:
    """Of the probes that start sessions in a store some stopped, and others go on: a server was forgotten."""
    probes = [notice for notice in former.notices if notice.kind in ("creator", "half-fixed") and notice.members]
    for store in look.stores.values():
        mine = [
            c for c in look.creators
            if c.store == store.name and c.member.per_day >= limits.least_per_day
            and (c.slug == PROBES or any(is_known(c, notice) for notice in probes if any(m.prober for m in notice.members)))
        ]  # fmt: skip
        stopped, going = [c for c in mine if c.over], [c for c in mine if not c.over]
        if not stopped or not going:
            continue
        ends = [c.last_at for c in stopped if c.last_at is not None]
        began = [c.first_at for c in going if c.first_at is not None]
        if ends and began and min(began) > max(ends):  # these came after those had gone
            continue
        yield Notice(
            key=f"half-fixed:{store.name}",
            kind="half-fixed",
            slug="probes/partial-fix",
            store=store.name,
            severity="warning",
            title=wording.half_fixed(stopped, going, store.name),
            opened_at=look.at,
            since=max(ends) if ends else None,
            members=tuple(c.member for c in going),
            figures=tuple(wording.plateau(stopped, going, store)),
            line=next((c.line for c in going if c.line), ""),
            command=wording.patch(command) if PROBES in look.patched else wording.explain("probes/partial-fix"),
            readers=_readers(look, store.name),
        )


def _plateaus(look: Look, former: Former, command: str) -> Iterator[Notice]:
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
            readers=_readers(look, store.name),
        )


def _emptied(look: Look, former: Former, command: str) -> Iterator[Notice]:
    """Stores that lost nearly all sessions since the look before, sooner than they expire: people were logged out."""
    for store in look.stores.values():
        then = former.populations.get(store.name, ())
        if not then or then[-1][1] < _ENOUGH or store.sessions > _EMPTIED * then[-1][1]:
            continue
        at, before = then[-1]
        if not store.lifetime_s or (store.at - at).total_seconds() < store.lifetime_s / 2:
            yield Notice(
                key=f"emptied:{store.name}:{store.at:%Y%m%dT%H%M%S}",
                kind="emptied",
                slug="monitoring/store-unwatched",
                store=store.name,
                severity="critical",
                title=wording.emptied(store, round(before)),
                opened_at=look.at,
                since=at,
                figures=wording.how_emptied(store, at, round(before)),
                command=wording.report(command),
                readers=_readers(look, store.name),
            )


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


def _events(look: Look, command: str) -> Iterator[Notice]:
    """Births that rose after something happened: more than chance, and by half at least."""
    for event in look.events:
        if (look.at - event.at).total_seconds() > _EVENT_MATTERS_S or not _rose(event):
            continue
        began = [
            c for c in look.creators
            if c.store == event.store and c.first_at is not None and event.at <= c.first_at <= event.at + timedelta(hours=1)
        ]  # fmt: skip
        yield Notice(
            key=f"event:{event.store}:{event.at:%Y%m%dT%H%M%S}",
            kind="event",
            slug=began[0].slug if began else PROBES,
            store=event.store,
            severity="warning",
            title=wording.after_event(event),
            opened_at=look.at,
            since=event.at,
            members=tuple(c.member for c in began),
            figures=(wording.around(event),),
            line=next((c.line for c in began if c.line), ""),
            command=wording.report(command),
            readers=_readers(look, event.store),
        )


def _rose(event: EventLook) -> bool:
    """Whether there were more births after an event: the likelihood ratio of two Poisson rates against one.

    >>> at = datetime(2019, 5, 24, 19, 0)
    >>> _rose(EventLook(at, "v42", "A", 40, 400, 3600.0, 3600.0)), _rose(EventLook(at, "v42", "A", 40, 52, 3600.0, 3600.0))
    (True, False)
    """
    from math import log

    if event.before_s < _LEAST_AFTER_S or event.after_s < _LEAST_AFTER_S or not event.after:
        return False
    all_births, all_s = event.before + event.after, event.before_s + event.after_s
    if event.after / event.after_s < _ROSE * event.before / event.before_s:
        return False

    def likelihood(births: int, seconds: float) -> float:
        return births * log(births / seconds * all_s / all_births) if births else 0.0

    return 2 * (likelihood(event.before, event.before_s) + likelihood(event.after, event.after_s)) > _SURE


def _full(look: Look, former: Former, limits: Limits, command: str) -> Iterator[Notice]:
    """Stores whose memory is used up soon at this rate."""
    held = {notice.key for notice in former.notices}
    for store in look.stores.values():
        key = f"full:{store.name}"
        left = (store.full_at - store.at).total_seconds() if store.full_at is not None else float("inf")
        if left > limits.full_within_s * (1.5 if key in held else 1.0):
            continue
        makers = [c for c in look.creators if c.store == store.name and not c.over]
        if makers and sum(creator.births for creator in makers) < _FEWEST:
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
            readers=_readers(look, store.name),
        )


def _zombies(look: Look, former: Former) -> Iterator[Notice]:
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
            readers=_readers(look, None),
        )


def _unread(look: Look) -> Iterator[Notice]:
    """Stores that could not be read."""
    for store, why in look.unread.items():
        yield unread(store, why, look.at)


def unread(store: str | None, why: str, at: datetime) -> Notice:
    """Return the notice on a look that failed, for one store or as a whole."""
    return Notice(
        key=f"unread:{store or ''}",
        kind="unread",
        slug="monitoring/store-unwatched",
        store=store,
        severity="critical",
        title=f"Store {store} cannot be read: {why}" if store else f"The stores cannot be examined: {why}",
        opened_at=at,
        since=at,
        command=wording.explain("monitoring/store-unwatched"),
        readers=(f"store:{store}",) if store else (),
    )
