"""Who is known better by a later look: at first by what a session or a log tells, then as a probe of the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from necropsy.guard.watch.look import Creator
from necropsy.guard.watch.notice import Notice


def known_before(new: Sequence[Creator], store: str, gone: Iterable[Notice]) -> Notice | None:
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
