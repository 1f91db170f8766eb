"""One batch: fetch, judge again, journal, compare-and-delete, and what became of each session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from necropsy.sessions.pieces import NONE
from necropsy.treat.purge import payload as payloads
from necropsy.treat.purge import scripts
from necropsy.treat.purge.expected import ExpectedSession
from necropsy.treat.purge.journal import JournalRecord
from necropsy.treat.purge.scripts import Answer
from necropsy.treat.purge.stores import Demoted, Primary, WritableStore, refusal
from necropsy.treat.purge.watch import Untracked, Watch
from necropsy.wire.redis.connection import pack
from necropsy.wire.redis.replies import ConnectionLost, ServerError

if TYPE_CHECKING:
    import pyarrow as pa

_TOLD_OF_FAILOVERS: Final = frozenset({"sentinel", "cluster"})
"""Kinds of stores that say themselves who took a server's place."""
HEARD_AFTER_S: Final = 1.0
"""Time in which applications read the hash of a session whose marker ended."""
_PASSING: Final = frozenset({"MOVED", "ASK", "TRYAGAIN", "READONLY", "CLUSTERDOWN", "LOADING"})
"""Errors that a failover, or slots that move, bring for a while."""
_TRIES: Final = 2
"""Times that a key on another node is asked for: once more after the Cluster was asked where it went."""


BATCH_BYTES: Final = 32 << 20
"""Bytes of a batch, whatever its number of sessions: all of them are in memory, and in one frame of the journal."""
T = TypeVar("T")


class PurgeSource(Protocol):
    """The source of a store's keys. A conductor makes it: the treatment knows no reader."""

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...

    @property
    def from_snapshot(self) -> bool:
        """Whether values come with the keys: ``payload`` has them."""

    def payload(self, key: bytes, expires_ms: int) -> bytes | None:
        """Return the payload of a key of the batch of the moment, not sealed yet; None: the server is to be asked for it."""

    def decoded(self, records: Sequence[tuple[bytes, bytes, int, int]], db: int) -> pa.RecordBatch:
        """Return the columns (``keyspace.key_schema``) of keys with payload, expiry (-1: none) and idle seconds."""


class Unlinker:
    """Deletes sessions of one store, and knows where their other keys are.

    Parameters
    ----------
    notify
        Let applications hear of it: markers first, hashes a second later.
    """

    def __init__(self, store: WritableStore, *, notify: bool) -> None:
        self.store = store
        self.notify = notify
        self._minutes: dict[bytes, int] = {}
        self._sorted_sets: dict[bytes, bool] = {}
        self._watches: dict[str, Watch] = {}
        self.heard = 0

    def together(self) -> bool:
        """Whether all keys of a session are on one server."""
        return self.store.kind != "cluster"

    def watch(self, prefixes: Sequence[bytes]) -> str:
        """Have the servers tell what is touched from now on; return why they do not, or nothing.

        Before anything is read: what was read before is compared instead.
        """
        if not self.together() or self.notify:
            return ""  # a transaction of a Cluster holds one slot; the marker's second in between is no transaction
        try:
            for primary in self.store.primaries:
                self._watches[primary.name] = Watch(self.store.address, primary, prefixes)
        except Untracked as error:
            self._watches.clear()
            return f"the server does not report touched keys ({error}): whole values are compared instead"
        return ""

    def watching(self, primary: Primary, key: bytes) -> Watch | None:
        """Return what watches this key; None: nothing does, or it did not all the time."""
        watch = self._watches.get(primary.name)
        return watch if watch is not None and watch.primary is primary and watch.covers(key) else None

    def touched(self, key: bytes) -> bool:
        """Whether it is known that a key was touched since the watch began."""
        watch = self.watching(self.store.owner(key), key)
        return watch is not None and watch.touched(key)

    def close(self) -> None:
        """Hang up what watches."""
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()

    def fetch(self, primary: Primary, keys: Sequence[bytes]) -> list[tuple[int, int, bytes | None]]:
        """Return idle seconds, absolute expiry and payload of each key."""
        if (watch := self.watching(primary, keys[0])) is not None:
            watch.forget(keys)
        flat = primary.run(scripts.fetch(since_7=primary.since_7), pack(keys))
        return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))

    def record(self, session: ExpectedSession, payload: bytes, idle_s: int) -> JournalRecord:
        """Return what is to be journalled of a session."""
        beside = session.pieces
        if beside is NONE:
            return JournalRecord(session.key, payload, session.expires_ms, idle_s)
        if beside.sorted_set and self._has_sorted_set(beside.sorted_set):
            return JournalRecord(session.key, payload, session.expires_ms, idle_s, beside.marker, beside.sorted_set,
                          beside.identifier, -1, max(0, session.ends_ms))  # fmt: skip
        ends = self._minutes.get(beside.minute, -1)
        return JournalRecord(
            session.key, payload, session.expires_ms, idle_s, beside.marker, beside.minute, beside.member, ends
        )

    def learn_minutes(self, sessions: Sequence[ExpectedSession]) -> None:
        """Ask when the sets of minutes expire: an undo that makes one anew gives it the same life."""
        new = list({s.pieces.minute for s in sessions if s.pieces.minute} - self._minutes.keys())
        for primary in self.store.primaries:
            mine = [key for key in new if self.store.owner(key) is primary]
            command = b"PEXPIRETIME" if primary.since_7 else b"PTTL"
            now = 0 if primary.since_7 or not mine else primary.now_ms()
            for key, answer in zip(mine, primary.pipeline([(command, key) for key in mine]), strict=True):
                if isinstance(answer, int):
                    self._minutes[key] = answer + now if answer >= 0 else answer

    def delete(
        self, primary: Primary, db: int, sessions: Sequence[ExpectedSession], records: Sequence[JournalRecord]
    ) -> list[Answer]:
        """Delete sessions whose records are journalled and that are what they were; as ``scripts.delete`` answers, of each."""
        asked = records
        if all(self.watching(primary, record.key) is not None for record in records):
            answers = self._beside(sessions, records, self._watches[primary.name].delete(db, records))
            if len(answers) < len(records):
                self.close()
                answers += self.delete(primary, db, sessions[len(answers) :], records[len(answers) :])
            return answers
        ended: list[Answer] | None = None
        if self.notify and self.together() and any(record.marker for record in records):
            ended = self._run(primary, scripts.announce(since_7=primary.since_7), records)
            time.sleep(HEARD_AFTER_S)
            records = [record._replace(marker=b"") for record in records]
        elif not self.together():
            records = [record._replace(marker=b"", minute=b"") for record in records]
        answers = self._run(primary, scripts.delete(since_7=primary.since_7), records)
        if ended is not None:
            answers = self._after_notice(primary, sessions, ended, answers)
        return self._beside(sessions, asked, answers)

    def _run(self, primary: Primary, script: str, records: Sequence[JournalRecord]) -> list[Answer]:
        words: list[bytes | int] = []
        for record in records:
            minute = record.minute if record.score < 0 else b""
            words += (
                record.key,
                record.expires_ms,
                payloads.value_of(record.payload),
                record.marker,
                minute,
                record.member,
            )
        flat = primary.run(script, pack(words))
        return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))

    def _after_notice(
        self, primary: Primary, sessions: Sequence[ExpectedSession], ended: Sequence[Answer], answers: Sequence[Answer]
    ) -> list[Answer]:
        """Put back the marker of a session that was used in the second between."""
        merged = []
        back = []
        for session, (_, expiry, _), (said, _, left) in zip(sessions, ended, answers, strict=True):
            merged.append((said, expiry, left))
            if said == scripts.CHANGED and expiry != scripts.NO_MARKER:
                self.heard += 1
                until = (b"PXAT", expiry) if expiry >= 0 else ()
                back.append((b"SET", session.pieces.marker, b"", b"NX", *until))
        primary.pipeline(back)
        return merged

    def _beside(
        self, sessions: Sequence[ExpectedSession], records: Sequence[JournalRecord], answers: Sequence[Answer]
    ) -> list[Answer]:
        """Delete what the script could not: keys on other nodes of a Cluster, entries of a sorted set."""
        results = list(answers)
        due: list[tuple[int, JournalRecord, bool]] = []
        for place, record in enumerate(records[: len(answers)]):
            if answers[place][0] != 0 or not sessions[place].pieces.marker:
                continue
            if not self.together():
                due.append((place, record, True))
            if record.minute and (record.score >= 0 or not self.together()):
                due.append((place, record, False))
        for attempt in range(_TRIES):
            if attempt:
                self.store.reconnect()
            due = self._asked_beside(due, results)
            if not due:
                break
        return results

    def _asked_beside(
        self, due: Sequence[tuple[int, JournalRecord, bool]], results: list[Answer]
    ) -> list[tuple[int, JournalRecord, bool]]:
        """Delete markers and memberships; return those that moved to another node meanwhile."""
        moved = []
        for primary in self.store.primaries:
            mine = [one for one in due if self.store.owner(one[1].marker if one[2] else one[1].minute) is primary]
            commands: list[tuple[bytes | int, ...]] = []
            for _, record, is_marker in mine:
                if is_marker:
                    commands += [(b"PTTL", record.marker), (b"STRLEN", record.marker)]
                else:
                    commands.append((b"ZREM" if record.score >= 0 else b"SREM", record.minute, record.member))
            said = iter(primary.pipeline(commands))
            now = primary.now_ms() if mine else 0
            markers = []
            for one in mine:
                place, record, is_marker = one
                verdict, ended, left = results[place]
                first = next(said)
                if _passes(first):
                    moved.append(one)
                if is_marker:
                    length = next(said)
                    if length == 0 and isinstance(first, int) and first != -2:
                        ended = now + first if first >= 0 else -1
                        markers.append(one)
                else:
                    left = 1 if first == 1 else left
                results[place] = (verdict, ended, left)
            gone = primary.pipeline([(b"UNLINK", record.marker) for _, record, _ in markers])
            moved += [one for one, answer in zip(markers, gone, strict=True) if _passes(answer)]
        return moved

    def _has_sorted_set(self, key: bytes) -> bool:
        if key not in self._sorted_sets:
            try:
                self._sorted_sets[key] = self.store.owner(key).connection.command("TYPE", key) == b"zset"
            except ServerError:
                self._sorted_sets[key] = False
        return self._sorted_sets[key]


def lighter(whole: Sequence[T], weight: Callable[[T], int]) -> Iterator[Sequence[T]]:
    """Yield a batch in pieces of no more than ``BATCH_BYTES``, or of one.

    >>> [len(piece) for piece in lighter([20 << 20, 10 << 20, 5 << 20, 99 << 20, 1], lambda bytes_: bytes_)]
    [2, 1, 1, 1]
    """
    start = total = 0
    for place, one in enumerate(whole):
        if place > start and total + weight(one) > BATCH_BYTES:
            yield whole[start:place]
            start, total = place, 0
        total += weight(one)
    if whole:
        yield whole[start:]


def _passes(answer: Any) -> bool:
    """Whether an answer is an error that goes by: the key moved, or its server is about to be another."""
    return isinstance(answer, ServerError) and answer.kind in _PASSING


def require_restorable(primary: Primary, record: JournalRecord, *, together: bool) -> str:
    """Try a RESTORE under a name of our own before the first UNLINK; return a remark, or nothing.

    Parameters
    ----------
    together
        Whether all keys of a session are on this server: then it is asked as well whether they may be written.

    Raises
    ------
    ServerError
        The server refuses what it, or its snapshot, gave: no journal made of it could be undone.
    """
    key, payload = record.key, record.payload
    tag = key[key.find(b"{") + 1 : key.find(b"}", key.find(b"{") + 1)] if b"{" in key else key
    name = b"necropsy-try:{%b}" % (tag or key)
    unlink = (b"UNLINK", name)
    harmless = [
        unlink, (b"SREM", name, b"x"), (b"EXISTS", name), (b"PTTL", name), (b"PEXPIREAT", name, 1), (b"ZREM", name, b"x"),
    ]  # fmt: skip
    # A user may be confined to some keys. Of what is no set nothing can be removed either, but it is said who may not try.
    harmless += [(b"SREM", beside, name) for beside in (record.marker, record.minute) if beside and together]
    written = [
        (b"SET", name, b"", b"NX", b"PX", 60_000), unlink, (b"SADD", name, b"x"), unlink,
        (b"ZADD", name, b"NX", 1, b"x"), unlink,
    ]  # fmt: skip
    for commands in (harmless, written):  # nothing is written that could not be taken away again
        for answer in primary.pipeline(commands):
            if isinstance(answer, ServerError) and answer.kind not in {"OOM", "WRONGTYPE"}:
                raise answer
    answer = primary.pipeline([(b"RESTORE", name, 60_000, payloads.seal([payload])[0]), (b"UNLINK", name)])[0]
    if isinstance(answer, ServerError):
        if answer.kind == "OOM":
            return "the store is full: RESTORE could not be tried, and an undo needs memory first"
        if answer.kind != "BUSYKEY":
            raise answer
    return ""


def require_answered(store: WritableStore, db: int, key: bytes) -> None:
    """Stop where a script could not read a key for another reason than that it moved to another node of a Cluster.

    Raises
    ------
    TreatmentError
        The server refuses what a purge must ask of each key.
    """
    if store.kind == "cluster":
        return
    primary = primary_of(store, db, key)
    expiry = b"PEXPIRETIME" if primary.since_7 else b"PTTL"
    for answer in primary.pipeline([(b"DUMP", key), (expiry, key), (b"TIME",)]):
        if isinstance(answer, ServerError):
            raise refusal(store.address, answer)


def again(store: WritableStore, ask: Callable[[], Any]) -> Any:
    """Ask; after a broken connection or a moved slot find the servers again, and ask once more.

    Raises
    ------
    TreatmentError
        The store does not come back.
    """
    for attempt in range(5):
        try:
            return ask()
        except ConnectionLost:
            store.reconnect()
        except Demoted:
            if store.kind not in _TOLD_OF_FAILOVERS:
                raise
            store.reconnect()
        except ServerError as error:
            if error.kind not in _PASSING or attempt == 4:
                raise refusal(store.address, error) from None
            store.reconnect()
    return ask()


def primary_of(store: WritableStore, db: int, key: bytes) -> Primary:
    """Return the server of a key, with this database selected; after a failover the one of then.

    Raises
    ------
    TreatmentError
        The store does not come back.
    """
    again(store, lambda: store.owner(key).select(db))
    return store.owner(key)
