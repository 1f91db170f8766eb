"""The state of a watch: the notices of its last examination, and whether the examination itself failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

from necropsy.guard.census.schedule import CensusSchedule
from necropsy.guard.notify.plan import latest
from necropsy.guard.watch.notice import Notice
from necropsy.guard.watch.stores import unread

Tell: TypeAlias = Callable[[Sequence[Notice]], None]
"""Is given all notices that are open, and the newest of those that are resolved."""


class Keeper:
    """Receives each look of a census and hands on what there is to tell.

    A look that failed is a notice of its own. It is in no case, since a failed look makes none.

    Parameters
    ----------
    failing_since
        When the looks of an earlier run began to fail, and were failing when it ended; None: they were not.
    """

    def __init__(self, tell: Tell, failing_since: datetime | None = None) -> None:
        self._tell = tell
        self._failed = (
            unread(None, "the last examination before the restart failed", failing_since) if failing_since else None
        )
        self._over: Notice | None = None
        """The last failure that ended: handed on until the next, since a channel may be down when it ends."""
        self._notices: tuple[Notice, ...] = ()
        self._lock = threading.Lock()

    def after_look(self, census: CensusSchedule) -> None:
        """Take what a look brought: called by the census."""
        at = datetime.now(UTC)
        with self._lock:
            failed, self._failed = self._failed, None
            if failed is not None and not census.error:
                self._over = replace(failed, resolved_at=at)
            said: list[Notice] = []
            if census.error:
                new = unread(None, census.error, at)
                self._failed = replace(new, opened_at=failed.opened_at, since=failed.since) if failed else new
                said.append(self._failed)
            else:
                said += [self._over] if self._over is not None else []
                self._notices = (*census.taken.notices, *census.taken.newest) if census.taken is not None else ()
            said += latest(self._notices)
        self._tell(said)

    def open(self) -> list[Notice]:
        """Return the notices that are open now."""
        with self._lock:
            mine = [self._failed] if self._failed is not None else []
            return [*mine, *(notice for notice in latest(self._notices) if notice.resolved_at is None)]
