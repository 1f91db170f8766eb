"""The end of the demo: both stores live again, users go on working, the garbage is purged, and one batch is undone.

The sessions are those of the story, with all their times moved so that the story's end is this moment: a live server would
drop at once what expired in 2019. Users are checked at every visit, as an application would: does my session still know me?
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from necropsy.evidence.redis.options import LiveOptions
from necropsy.lab import java
from necropsy.lab.life import live
from necropsy.lab.machines import milliseconds
from necropsy.lab.server import Build, running
from necropsy.lab.spring import NAMESPACE, SpringKeys
from necropsy.lab.story import INCIDENT, Story
from necropsy.treat.purge import plan as plans
from necropsy.treat.purge.control import Knobs
from necropsy.treatment import purging
from necropsy.wire.redis.address import Address, parse_address
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.info import number, parse_info
from necropsy.wire.redis.writing_gate import WritingGate

_CONTEXT: Final = b"sessionAttr:SPRING_SECURITY_CONTEXT"
_BETWEEN_VISITS_S: Final = 0.005
_IMPACT_S: Final = 0.005


@dataclass(frozen=True, slots=True)
class Purged:
    """The outcome for one store."""

    name: str
    sessions: int
    """In the store, before."""
    planned: int
    deleted: int
    kept: int
    """Of those planned: used or changed meanwhile, or gone."""
    freed: int
    """Bytes of the server's memory."""
    users: int
    visits: int
    """Visits of users while the purge ran."""
    noticed: int
    """Visits at which a session no longer knew its user."""
    undone: int
    """Sessions that the undo of the first batch brought back."""


def purge_while_users_work(
    seed: int,
    progress: Callable[[str], None],
    *,
    story: Story = INCIDENT,
    build: Build | None = None,
    most: int | None = None,
) -> Iterator[Purged]:
    """Yield what became of each store.

    Parameters
    ----------
    most
        Keep at most so many anonymous sessions of each: for tests.

    Raises
    ------
    NecropsyError
        No embedded server is installed, or something failed.
    """
    for admin in story.admins:
        progress(f"{admin.name}: bringing its store back to life")
        now = int(time.time() * 1000)
        by = now - milliseconds(story.now)
        sessions = [
            one._replace(
                created_ms=one.created_ms + by,
                accessed_ms=one.accessed_ms + by,
                written_ms=one.written_ms + by,
                former_accessed_ms=one.former_accessed_ms + by,
            )
            for one in live(story, admin, seed).all.sessions
        ]
        if most is not None:
            sessions = [one for one in sessions if one.principal] + [one for one in sessions if not one.principal][
                :most
            ]
        keyspace = SpringKeys(sessions, admin.lifetime_s, now)
        users = [one.id for one in keyspace.live if one.principal is not None]
        with running(build) as server, tempfile.TemporaryDirectory() as folder:
            server.feed(keyspace.commands())
            address = f"unix://{server.socket}?db=0"
            crowd = _Crowd(address, users, admin.lifetime_s)
            with crowd:
                yield _purged(admin.name, address, Path(folder), crowd, progress)


def _purged(name: str, url: str, folder: Path, crowd: _Crowd, progress: Callable[[str], None]) -> Purged:
    address = parse_address(url)
    progress(f"{name}: planning the purge")
    wish = purging.PurgeSelection(("anonymous",))
    plan, key = purging.make_plan(address, wish, LiveOptions(max_impact_s=_IMPACT_S), lambda _what, _share: None)
    plans.save(plan, folder / "plan", key)
    before = _used(address)
    order = purging.PurgeOrder(folder / "plan", folder / "journal", address, knobs=Knobs(_IMPACT_S))
    done = purging.apply_plan(
        order,
        LiveOptions(max_impact_s=_IMPACT_S),
        lambda now: progress(f"{name}: {now.line()}"),
        confirm=lambda _plan: True,
    )
    freed = before - _used(address)
    visits, noticed = crowd.visits, crowd.noticed
    progress(f"{name}: undoing one batch")
    back = purging.undo(folder / "journal", redis=address, journal_key=None, batches=[1])
    deleted = done.deleted if done else 0
    kept = done.kept.total() if done else 0
    return Purged(
        name, plan.total, plan.sessions, deleted, kept, max(0, freed), len(crowd.users), visits, noticed, back.codes[1]
    )


def _used(address: Address) -> int:
    with Connection.open(address) as connection:
        return number(parse_info(connection.command("INFO", "memory")), "used_memory")


class _Crowd:
    """Everybody who is logged in, coming back again and again: reads the session, checks it, saves it, as Spring does."""

    def __init__(self, url: str, users: list[str], lifetime_s: int) -> None:
        self.users = users
        self.visits = 0
        self.noticed = 0
        self._lifetime_s = lifetime_s
        self._connection = Connection.open(parse_address(url), gate=WritingGate())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._connection.close()

    def _live(self) -> None:
        while self.users and not self._stop.is_set():
            for user in self.users:
                self._visit(user)
                if self._stop.wait(_BETWEEN_VISITS_S):
                    return

    def _visit(self, user: str) -> None:
        key = f"{NAMESPACE}:sessions:{user}".encode()
        self.visits += 1
        if self._connection.command("HSTRLEN", key, _CONTEXT) == 0:
            self.noticed += 1
            return
        now = int(time.time() * 1000)
        ends = now + 1000 * self._lifetime_s
        self._connection.pipeline(
            [
                (b"HSET", key, b"lastAccessedTime", java.long(now)),
                (b"PEXPIREAT", key, ends + 300_000),
                (b"PEXPIREAT", f"{NAMESPACE}:sessions:expires:{user}".encode(), ends),
            ]
        )
