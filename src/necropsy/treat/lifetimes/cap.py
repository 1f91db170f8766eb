"""``cap-ttl``: sessions that live too long get an end, and nobody is logged out.

A session that would live longer than the limit from now on ends at the limit, counted from now: whoever comes back before
is as logged in as ever, and goes on with the shorter lifetime, as it is written into the session too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from necropsy.sessions.columns import Keys
from necropsy.sessions.interface import SESSION, Layout
from necropsy.sessions.lifetime_fields import CARRIED, LIFETIME_FIELD, capped_fields, capped_text
from necropsy.sessions.registry import LAYOUTS
from necropsy.sessions.spring.names import GRACE_S
from necropsy.treat.purge import payload as payloads
from necropsy.treat.purge import scripts
from necropsy.treat.purge.batch import PurgeSource, Unlinker, again, lighter, primary_of
from necropsy.treat.purge.expected import Expectations, ExpectedSession
from necropsy.treat.purge.journal import JournalRecord
from necropsy.treat.purge.judge import Candidates
from necropsy.treat.purge.scripts import Answer
from necropsy.treat.purge.throttle import Throttle
from necropsy.wire.redis.connection import PackedCommand, pack
from necropsy.wire.redis.replies import ConnectionLost, ServerError

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.treat.purge.control import Control
    from necropsy.treat.purge.journal import Batch, Journal
    from necropsy.treat.purge.stores import Primary, WritableStore
    from necropsy.wire.redis.gate import Word

_SLACK_S: Final = 60
_BATCH: Final = 1000
_SAME_MS: Final = 1000
_MIGRATED_MS: Final = 500
"""Milliseconds by which an expiry is later after MIGRATE: it sends the time that is left, not the moment."""
_NEVER_SHORTENED, _RESTORED, _USED, _GONE = range(4)
"""What an undo did with a session, as the journal has it."""


@dataclass(slots=True)
class Capped:
    """Counts of the lifetimes that were, or would be, shortened."""

    sessions: int = 0
    """Sessions that were looked at."""
    too_long: Counter[str] = field(default_factory=Counter)
    """Those that live beyond the limit, by layout family."""
    capped: int = 0
    changed: int = 0
    """Used or changed while it looked at them: their next run will see."""
    not_carried: Counter[str] = field(default_factory=Counter)
    """Families whose sessions do not carry their lifetime: the application makes the next use as long as before."""
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class LifetimeChange:
    """The changes to one session."""

    ends_ms: int
    marker: bytes
    marker_ends_ms: int
    writes: tuple[bytes, ...]
    """Fields and their values; of a string the new one and the old."""
    hashed: bool

    def packed(self) -> PackedCommand:
        """Return it as words of the script."""
        return pack([self.ends_ms, self.marker, self.marker_ends_ms, len(self.writes), *self.writes])

    def commands(self, key: bytes, markers: frozenset[bytes]) -> list[tuple[Word, ...]]:
        """Return it as commands; of ``markers`` it is known that they are some, and nobody's value under such a name."""
        made: list[tuple[Word, ...]] = []
        if self.writes:
            made.append((b"HSET", key, *self.writes) if self.hashed else (b"SET", key, self.writes[0]))
        made.append((b"PEXPIREAT", key, self.ends_ms))
        return [*made, (b"PEXPIREAT", self.marker, self.marker_ends_ms)] if self.marker in markers else made


class Cap:
    """One run over a store."""

    def __init__(
        self, store: WritableStore, source: PurgeSource, journal: Journal | None, control: Control, max_s: int,
        report: Callable[[Capped], None] | None = None,
    ) -> None:  # fmt: skip
        self.store, self.source, self.journal, self.control, self.max_s = store, source, journal, control, max_s
        self.done = Capped()
        self._layouts: list[Layout] = [layout() for layout in LAYOUTS]
        self._expectations = Expectations()
        self._unlinker = Unlinker(store, notify=False)
        self._throttle = Throttle(control)
        self._lost = False
        """Whether an answer was lost: some of it may have been done."""
        self._report = report or (lambda _done: None)

    def run(self) -> Capped:
        """Go through the store; without a journal, only count.

        Raises
        ------
        JournalError, TreatmentError, UnreadableSource
        """
        if self.journal is not None:
            self._unlinker.watch(())  # without, the script compares
        try:
            self._run()
        finally:
            self._unlinker.close()
        return self.done

    def _run(self) -> None:
        for batch in self.source:
            now = again(self.store, lambda: self.store.primaries[0].now_ms())  # noqa: PLW0108 -- the first one of then
            for found in self._too_long(batch, now):
                family = found.layout.family
                self.done.too_long[family] += len(found.rows)
                if family not in CARRIED:
                    self.done.not_carried[family] += len(found.rows)
                if self.journal is not None:
                    self._work(found)
            self._report(self.done)
            if self.control.look().stopping:
                self.done.stopped = True
                break

    def _too_long(self, batch: pa.RecordBatch, now_ms: int) -> list[Candidates]:
        import numpy as np
        import pyarrow as pa

        keys = Keys(batch)
        found = []
        expires = batch.column("expires_at").cast(pa.int64())
        never = expires.is_null().to_numpy(zero_copy_only=False)
        until = expires.fill_null(0).to_numpy(zero_copy_only=False)
        late = never | (until > now_ms + 1000 * (self.max_s + GRACE_S + _SLACK_S))
        for layout in self._layouts:
            for claim in list(layout.recognise(keys)):
                keys.free[claim.rows] = False
                if claim.role != SESSION:
                    continue
                self.done.sessions += len(claim.rows)
                rows = claim.rows[late[claim.rows]]
                if len(rows):
                    nothing, no = np.zeros(len(rows), np.int64), [np.zeros(len(rows), bool)] * 3
                    found.append(Candidates(layout, batch, rows, nothing, nothing.astype(np.int8), nothing - 1, *no))
        return found

    def _work(self, found: Candidates) -> None:
        sessions = self._expectations.sessions(found, found.going())
        databases = found.batch.column("db")
        told = self._told(found)
        groups: dict[tuple[int, str], list[tuple[ExpectedSession, bytes | None]]] = {}
        for session in sessions:
            place = (databases[int(found.rows[session.at])].as_py(), self.store.owner(session.key).name)
            value = told[session.at] or self.source.payload(session.key, session.expires_ms)
            groups.setdefault(place, []).append((session, None if self._unlinker.touched(session.key) else value))
        for (db, _), group in groups.items():
            for start in range(0, len(group), _BATCH):
                for piece in lighter(group[start : start + _BATCH], lambda one: max(one[0].bytes, len(one[1] or b""))):
                    self._batch(db, found.layout.family, piece)

    def _told(self, found: Candidates) -> list[bytes | None]:
        """Return what an undo needs of each: of a hash its old lifetime alone, which was read with it; else None."""
        name = "field:" + LIFETIME_FIELD.decode()
        if found.layout.family != "spring" or name not in found.batch.schema.names:
            return [None] * len(found.rows)
        values = found.batch.column(name)
        old = [values[int(row)].as_py() for row in found.rows]
        return [None if value is None else payloads.small_hash({LIFETIME_FIELD: value}) for value in old]

    def _batch(self, db: int, family: str, group: Sequence[tuple[ExpectedSession, bytes | None]]) -> None:
        """Fetch values where they are needed, journal, shorten."""
        now = again(self.store, lambda: primary_of(self.store, db, group[0][0].key).now_ms())
        ready = [
            (session, record := self._record(session, value, -1), self._change(family, session, record, now))
            for session, value in group
            if value is not None
        ]
        ready += self._fetched(db, [session for session, value in group if value is None], now)
        for piece in lighter(ready, lambda one: len(one[1].payload)):
            self._shorten(db, now, piece)

    def _shorten(
        self, db: int, now: int, ready: Sequence[tuple[ExpectedSession, JournalRecord, LifetimeChange]]
    ) -> None:
        if self.journal is None:
            return
        number = self.journal.sessions(db, now, [record for _, record, _ in ready])
        answers: list[tuple[int, int, int]] = []
        asked = 0
        try:
            while len(answers) < len(ready) and not self.control.look().stopping:
                call = ready[len(answers) : len(answers) + self._throttle.call]
                asked = len(answers) + len(call)
                answers += self._call(db, call)
        finally:
            # What was asked for and never answered may have been done: an undo knows it by the expiry that it was given.
            answers += [(scripts.LOST, change.ends_ms, 0) for _, _, change in ready[len(answers) : asked]]
            answers += [(scripts.NOT_TRIED, -2, 0)] * (len(ready) - len(answers))
            self.journal.outcome(number, answers)
            self.done.capped += sum(said == 0 for said, _, _ in answers)
            self.done.changed += sum(said in (scripts.GONE, scripts.CHANGED) for said, _, _ in answers)

    def _record(self, session: ExpectedSession, value: bytes, idle: int) -> JournalRecord:
        return JournalRecord(session.key, value, session.expires_ms, idle, session.pieces.marker)

    def _fetched(
        self, db: int, sessions: Sequence[ExpectedSession], now: int
    ) -> list[tuple[ExpectedSession, JournalRecord, LifetimeChange]]:
        """Fetch the values of sessions, and judge again on what was fetched."""
        if not sessions:
            return []
        keys = [session.key for session in sessions]
        fetched = again(self.store, lambda: self._unlinker.fetch(primary_of(self.store, db, keys[0]), keys))
        values = [(key, value, expiry, idle) for key, (idle, expiry, value) in zip(keys, fetched, strict=True) if value]
        if not values:
            return []
        payload_of = {key: (value, idle) for key, value, _, idle in values}
        ready: list[tuple[ExpectedSession, JournalRecord, LifetimeChange]] = []
        for found in self._too_long(self.source.decoded(values, db), now):
            for session in self._expectations.sessions(found, found.going()):
                record = self._record(session, *payload_of[session.key])
                ready.append((session, record, self._change(found.layout.family, session, record, now)))
        self.done.sessions -= len(values)  # counted when they were scanned
        return ready

    def _call(self, db: int, call: Sequence[tuple[ExpectedSession, JournalRecord, LifetimeChange]]) -> list[Answer]:
        watched = self._watched(db, call)
        if watched is not None:
            return watched
        parts = [self._expectations.packed_shapes()]
        for session, _, change in call:
            parts += (session.words, change.packed())
        arguments = PackedCommand(sum(part.words for part in parts), b"".join([part.data for part in parts]))

        broken = self._lost

        def ask() -> list[int]:
            nonlocal broken
            primary = primary_of(self.store, db, call[0][0].key)
            try:
                flat: list[int] = primary.run(scripts.cap(since_7=primary.since_7), arguments)
            except (ConnectionLost, ServerError):
                broken = True
                raise
            self._rest(primary)
            return flat

        flat = again(self.store, ask)
        answers: list[Answer] = list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
        if broken:
            answers = self._after_loss(db, call, answers)
        if not self._unlinker.together():  # in a Cluster a marker is on another node than its hash
            for (_, record, _), (said, ends, _) in zip(call, answers, strict=True):
                if said == 0 and record.marker:
                    _end_marker(self.store, record.marker, ends)
        return answers

    def _watched(
        self, db: int, call: Sequence[tuple[ExpectedSession, JournalRecord, LifetimeChange]]
    ) -> list[Answer] | None:
        """Shorten under WATCH; None: the script is to compare."""
        keys = [record.key for _, record, _ in call]
        primary = primary_of(self.store, db, keys[0])
        watch = self._unlinker.watching(primary, keys[0])
        if watch is None:
            return None

        def ask() -> list[bool]:
            markers = _markers(primary, [change.marker for _, _, change in call if change.marker])
            return watch.write(db, keys, [change.commands(record.key, markers) for _, record, change in call])

        try:
            sent = ask()
        except (ConnectionLost, ServerError):
            self._unlinker.close()
            self._lost = True
            return None
        if len(sent) < len(call):
            self._unlinker.close()
        self._rest(primary)
        answers: list[Answer] = [
            (0 if done else scripts.CHANGED, change.ends_ms, 0)
            for done, (_, _, change) in zip(sent, call, strict=False)
        ]
        return answers if len(answers) == len(call) else [*answers, *self._call(db, call[len(answers) :])]

    def _after_loss(
        self, db: int, call: Sequence[tuple[ExpectedSession, JournalRecord, LifetimeChange]], answers: Sequence[Answer]
    ) -> list[Answer]:
        """Count as shortened what ends when it was to end: nobody heard the answer to the first attempt."""
        self._lost = False
        told = []
        for (_, record, change), answer in zip(call, answers, strict=True):
            primary = primary_of(self.store, db, record.key)
            left = primary.connection.command("PTTL", record.key) if answer[0] == scripts.CHANGED else -2
            same = left >= 0 and abs(primary.now_ms() + left - change.ends_ms) < _SAME_MS
            told.append((0, change.ends_ms, 0) if same else answer)
        return told

    def _rest(self, primary: Primary) -> None:
        self._throttle.ping(primary)
        self._throttle.latency(primary)
        self._throttle.breathe(primary)

    def _change(self, family: str, session: ExpectedSession, record: JournalRecord, now_ms: int) -> LifetimeChange:
        """Return what is written."""
        end = now_ms + 1000 * self.max_s
        spring = bool(session.pieces.marker) and family == "spring"
        writes: list[bytes] = []
        try:
            value = payloads.logical(record.payload)
        except payloads.Unreadable:
            value = b""
        if isinstance(value, dict):
            writes = [word for pair in capped_fields(value, self.max_s).items() for word in pair]
        elif family in CARRIED and (made := capped_text(value, self.max_s, now_ms)) != value:
            writes = [made, value]
        marker = record.marker if self._unlinker.together() else b""
        return LifetimeChange(
            end + (1000 * GRACE_S if spring else 0), marker, end, tuple(writes), hashed=isinstance(value, dict)
        )


@dataclass(slots=True)
class GivenBack:
    """The outcome of an undo of shortened lifetimes."""

    restored: int = 0
    used: int = 0
    """Used or changed since: they stay as they are."""
    gone: int = 0
    """Not there any more: expired, deleted, logged out."""
    before: int = 0
    """Given back by an earlier undo."""
    stopped: bool = False

    def line(self) -> str:
        """Return it as one line."""
        parts = [f"{self.restored:,} lifetimes restored"]
        parts += [f"{self.used:,} sessions were used since then and are left as they are"] if self.used else []
        parts += [f"{self.gone:,} sessions are gone"] if self.gone else []
        parts += [f"{self.before:,} were restored before"] if self.before else []
        parts += ["stopped: the same command goes on"] if self.stopped else []
        return "; ".join(parts)


def undo_cap(journal: Journal, store: WritableStore, control: Control) -> GivenBack:
    """Give sessions their lifetimes again.

    Raises
    ------
    JournalError, TreatmentError
    """
    done = GivenBack()
    for batch in journal.batches():
        if batch.restored is not None:
            done.before += sum(code == _RESTORED for code in batch.restored)
            continue
        if control.look().stopping:
            done.stopped = True
            break
        codes = []
        for record, (said, ended, _) in zip(batch.records, batch.outcome or _by_plan(journal, batch), strict=True):
            if said not in scripts.DELETED:
                codes.append(0)
                continue

            def ask(record: JournalRecord = record, ended: int = ended, db: int = batch.db) -> int:
                primary = store.owner(record.key)
                primary.select(db)
                together = store.kind != "cluster"
                mine = record if together else record._replace(marker=b"")
                slack_ms = 0 if together else _MIGRATED_MS
                if _give_back(primary, mine, ended, int(journal.header["max_s"]), batch.read_ms, slack_ms):  # noqa: B023 -- within this turn
                    if record.marker and not together:
                        _end_marker(store, record.marker, record.expires_ms)
                    return _RESTORED
                return _left(primary, record)

            codes.append(again(store, ask))
        done.restored += codes.count(_RESTORED)
        done.used += codes.count(_USED)
        done.gone += codes.count(_GONE)
        journal.restored(batch.number, codes)
    return done


def _by_plan(journal: Journal, batch: Batch) -> list[Answer]:
    """Return what was to become of the sessions of a batch when it was killed: who ends otherwise was not shortened."""
    end = batch.read_ms + 1000 * int(journal.header.get("max_s", 0))
    return [(0, end + (1000 * GRACE_S if record.marker else 0), 0) for record in batch.records]


def _left(primary: Primary, record: JournalRecord) -> int:
    """Return why a session was left as it is: it is gone, or ends when it did before, as the run was killed before its turn."""
    left = primary.connection.command("PTTL", record.key)
    if left == -2:
        return _GONE
    before = left == record.expires_ms == -1
    if left >= 0 and record.expires_ms >= 0:
        before = abs(primary.now_ms() + left - record.expires_ms) < _SAME_MS
    return _NEVER_SHORTENED if before else _USED


def _markers(primary: Primary, names: Sequence[bytes]) -> frozenset[bytes]:
    """Return which of these keys are markers: they are empty."""
    if not names:
        return frozenset()
    values = primary.connection.command(b"MGET", *names)
    return frozenset(name for name, value in zip(names, values, strict=True) if value == b"")


def _end_marker(store: WritableStore, marker: bytes, hash_ends_ms: int) -> None:
    """Let a marker end five minutes before its hash, or never."""
    command = (b"PERSIST", marker) if hash_ends_ms < 0 else (b"PEXPIREAT", marker, hash_ends_ms - 1000 * GRACE_S)

    def ask() -> None:
        primary = store.owner(marker)
        if _markers(primary, [marker]):
            primary.connection.command(*command)

    again(store, ask)


def _give_back(primary: Primary, record: JournalRecord, ended_ms: int, max_s: int, read_ms: int, slack_ms: int) -> int:
    """Take a shortening back unless the expiry, or what it wrote, was changed since."""
    try:
        value = payloads.logical(record.payload)
    except payloads.Unreadable:
        value = b""
    if isinstance(value, dict):
        made = capped_fields(value, max_s).get(LIFETIME_FIELD, b"")
        old = value.get(LIFETIME_FIELD, b"") if made else b""
    else:
        made = capped_text(value, max_s, read_ms)
        old = value if made != value else b""
    kind = b"hash" if isinstance(value, dict) else b"string"
    words: list[bytes | int] = [
        record.key,
        ended_ms,
        record.expires_ms,
        kind,
        LIFETIME_FIELD,
        old,
        record.marker,
        made,
        slack_ms,
    ]
    answer: int = primary.run(scripts.give_back(since_7=primary.since_7), pack(words))
    return answer
