"""Identity of creators: a prober has the name of its client, and that of its probe while the configuration has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from necropsy.guard.watch.look import WatchedCreator
from necropsy.guard.watch.notice import Notice


def known_before(new: Sequence[WatchedCreator], store: str, gone: Iterable[Notice]) -> Notice | None:
    """Return the notice that told of these creators under other names; None: they are new.

    Only what a configuration explains now, and did not before, is somebody better known: that two ask for one page does not
    make them one.

    Parameters
    ----------
    new
        Creators of one store, none of whom a notice names.
    gone
        Notices of whose members the look saw none.
    """
    asked = {creator.member.asks for creator in new if creator.member.prober} - {""}
    for notice in gone:
        if notice.store != store or any(member.prober for member in notice.members):
            continue
        if asked & {member.asks for member in notice.members}:
            return notice
    return None


def is_known(creator: WatchedCreator, notice: Notice) -> bool:
    """Whether a notice names this creator, also under the name that it had before the configuration was mended.

    Who is a probe by the configuration is called by its client once the configuration no longer has that URL; its sessions are
    those that were there when the notice was opened. Whoever began later to ask for the same is somebody else.
    """
    if creator.store != notice.store:
        return False
    if any(creator.member.is_same(member) for member in notice.members):
        return True
    if creator.member.prober or creator.first_at is None or creator.first_at > notice.opened_at:
        return False
    return bool(creator.member.asks) and creator.member.asks in {m.asks for m in notice.members if m.prober}
