"""Notices about who creates sessions: new creators, shares above their limit, half fixes, births after an event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from necropsy.guard.watch import wording
from necropsy.guard.watch.former import DAY_S, FEWEST, PROBES, Former, Limits, needed_readers
from necropsy.guard.watch.identity import is_known, known_before
from necropsy.guard.watch.look import EventLook, Look, WatchedCreator
from necropsy.guard.watch.notice import Notice

_HYSTERESIS: Final = 0.8
"""A share is below its limit again when it is below this part of it."""
_SURE: Final = 12.0
"""Twice the logarithm of the likelihood ratio from which on births after an event are not chance (p < 0.001)."""
_ROSE: Final = 1.5
_EVENT_MATTERS_S: Final = 3 * DAY_S
_LEAST_AFTER_S: Final = 120.0


def new_creators(look: Look, former: Former, limits: Limits, command: str) -> Iterator[Notice]:
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
    groups: dict[tuple[str, str], list[WatchedCreator]] = defaultdict(list)
    for creator in fresh:
        groups[creator.store, creator.slug].append(creator)
    for (store, slug), new in groups.items():
        if sum(creator.births for creator in new) < FEWEST:
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
            readers=needed_readers(look, store),
        )


def high_shares(
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
            readers=needed_readers(look, store),
        )


def half_fixes(look: Look, former: Former, limits: Limits, command: str) -> Iterator[Notice]:
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
            readers=needed_readers(look, store.name),
        )


def risen_births(look: Look, command: str) -> Iterator[Notice]:
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
            readers=needed_readers(look, event.store),
        )


def _rose(event: EventLook) -> bool:
    """Whether there were more births after an event: the likelihood ratio of two Poisson rates against one.

    >>> from datetime import datetime
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
