"""Changes between examinations: notices that open, go on, and are resolved. Pure: an examination and earlier notices go in.

Nothing is resolved by what could not be looked at: a notice ends only when every kind of source that showed it was read again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from necropsy.guard.watch.creators import half_fixes, high_shares, new_creators, risen_births
from necropsy.guard.watch.former import Former, Limits
from necropsy.guard.watch.identity import is_known
from necropsy.guard.watch.look import Look
from necropsy.guard.watch.notice import Notice
from necropsy.guard.watch.stores import full_stores, gone_instances, lost_sessions, misread, odd_plateaus, unread_stores

_ONE_MORE: Final = 2
"""Looks in a row that must miss a creator before it counts as gone, where none saw it end."""


def judge(look: Look, former: Former, limits: Limits, command: str) -> list[Notice]:
    """Return every notice that is open after a look, and those that it resolves.

    Parameters
    ----------
    command
        How the case of this look is called on a command line.
    """
    held = {notice.key: notice for notice in former.notices}
    seen: dict[str, Notice] = {}
    creators = list(new_creators(look, former, limits, command))
    opened = {
        (notice.store, notice.slug)
        for notice in creators
        if notice.key not in held or held[notice.key].revision < notice.revision
    }
    for notice in (
        *creators,
        *high_shares(look, former, limits, opened, command),
        *half_fixes(look, former, limits, command),
        *odd_plateaus(look, former, command),
        *lost_sessions(look, former, command),
        *risen_births(look, command),
        *full_stores(look, former, limits, command),
        *gone_instances(look, former),
        *unread_stores(look),
        *misread(look),
    ):
        before = held.get(notice.key)
        seen[notice.key] = notice if before is None else replace(notice, opened_at=before.opened_at, since=before.since)
    ended = [_ended(notice, look) for key, notice in held.items() if key not in seen]
    return [*seen.values(), *ended]


def _ended(notice: Notice, look: Look) -> Notice:
    """Resolve a notice that this look does not hold any more, if the look can tell."""
    if notice.store is not None and notice.store not in look.stores and notice.store not in look.unread:
        return replace(notice, resolved_at=look.at, unwatched=True)
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
