"""Fill a case with the sessions, index entries and key families of a keyspace, one batch of keys at a time."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.evidence import OpenKeyspace
    from necropsy.sessions.census import Census
    from necropsy.sessions.writers.form import SessionForm
    from necropsy.sessions.writers.hashes import HashForm

_INDEX: Final = "index_entry"
_STREAMED: Final = ("session", _INDEX)
"""Tables that get a row or more for each session."""


def fill(
    case: Case,
    store: str,
    keys: OpenKeyspace,
    now: datetime | None,
    described: tuple[SessionForm | HashForm, ...] = (),
    *,
    indexes: bool = True,
    settling_memory: str | None = None,
) -> Census:
    """Read a keyspace to its end.

    Parameters
    ----------
    store
        Name of the store.
    keys
        Its keys; read once.
    now
        The moment to call now; None: when the keys were taken.
    described
        Layouts that the user described.
    indexes
        Keep what the indexes hold: only ``sessions/orphaned-index`` wants to know.
    settling_memory
        Memory of the case's database once all keys are read; None: as before. Rows that come in need less than joins.

    Raises
    ------
    NecropsyError
        The source failed; nothing of the store stays in the case.
    """
    from necropsy.sessions.settle import settle

    census: Census | None = None
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        stack.enter_context(case.filling())
        streams = {table: stack.enter_context(case.stream(table)) for table in _STREAMED}
        for batch in keys:
            census = census or _census(case, store, keys, now, described)
            for table, rows in census.take(batch):
                if table == _INDEX and not indexes:
                    continue
                if table in streams:
                    streams[table].put(rows)
                else:
                    case.append(table, rows)
    census = census or _census(case, store, keys, now, described)
    case.append("key_family", census.families())
    if keys.is_live:
        census.uncertain_s += time.monotonic() - began  # keys were written meanwhile
    if settling_memory is not None:
        case.execute(f"SET memory_limit = '{settling_memory}'")
    settle(case, census)
    return census


def _census(
    case: Case, store: str, keys: OpenKeyspace, now: datetime | None, described: tuple[SessionForm | HashForm, ...]
) -> Census:
    from necropsy.sessions.census import Census

    taken_at = keys.taken_at or now or datetime.now(UTC)
    return Census(store, now or taken_at, case.hashes, taken_at, described)
