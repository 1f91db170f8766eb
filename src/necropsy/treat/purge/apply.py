"""The purge: batch after batch, journal first, in the server's own time.

Every session of the plan ends in one count: deleted, or kept with its reason. Stopped, killed or cut off at any instant,
it goes on with the same command and the same journal.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from necropsy.sessions.spring.names import GRACE_S
from necropsy.treat.purge import payload as payloads
from necropsy.treat.purge import scripts
from necropsy.treat.purge.batch import (
    BATCH_BYTES,
    PurgeSource,
    Unlinker,
    again,
    lighter,
    primary_of,
    require_answered,
    require_restorable,
)
from necropsy.treat.purge.control import Control
from necropsy.treat.purge.expected import ExpectedSession, of_candidates
from necropsy.treat.purge.journal import Batch, Journal, JournalRecord
from necropsy.treat.purge.judge import CHANGED, GOES, READ, REASONS, UNKNOWN, UNTIMED, Candidates, Judge
from necropsy.treat.purge.progress import Progress
from necropsy.treat.purge.scripts import Answer
from necropsy.treat.purge.stores import Primary, TreatmentError, WritableStore, next_step
from necropsy.treat.purge.throttle import Throttle
from necropsy.wire.redis.replies import ConnectionLost, ServerError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.treat.purge.plan import PurgePlan

GONE: Final = "already gone"
NOT_FOUND: Final = "not found: gone, or in slots that moved meanwhile"
"""In a Cluster: who moved from a node that was not read yet to one that was, was not seen."""
ELSEWHERE: Final = "moved to another node of the Cluster"
STOPPED: Final = "not tried: stopped before"
_CLOCK_MAY_DIFFER_S: Final = 30
"""Seconds by which a clock may run away, or two servers' clocks may differ; a session must have been unused for far longer."""
_KEPT: Final = {
    scripts.GONE: GONE,
    scripts.CHANGED: CHANGED,
    scripts.ELSEWHERE: ELSEWHERE,
    scripts.NOT_TRIED: STOPPED,
}


class Purge:
    """One run over a store.

    Parameters
    ----------
    judge
        Made for the plan.
    report
        Called now and then with the progress.
    """

    def __init__(
        self,
        plan: PurgePlan,
        store: WritableStore,
        source: PurgeSource,
        judge: Judge,
        journal: Journal,
        control: Control,
        *,
        notify: bool = False,
        report: Callable[[Progress], None] | None = None,
    ) -> None:
        import numpy as np

        self.plan, self.store, self.source, self.judge = plan, store, source, judge
        self.journal, self.control = journal, control
        self.unlinker = Unlinker(store, notify=notify)
        self.throttle = Throttle(control)
        self.progress = Progress(len(plan.hashes))
        self._report = report or (lambda _progress: None)
        self._seen: npt.NDArray[np.bool_] = np.zeros(len(plan.hashes), bool)
        self._waiting: dict[tuple[int, str], list[tuple[ExpectedSession, bytes | None]]] = {}
        """Sessions to delete, by database and server, until they fill a batch."""
        self._weight: Counter[tuple[int, str]] = Counter()
        """Bytes of those, estimated."""
        self._tried: set[str] = set()
        """Servers that restored a value of their own under another name: users and versions differ within a Cluster."""
        self._processes = store.processes
        self._within = 0
        """Sessions of the batch in hand that were asked for: they are not counted yet."""
        self._ahead: int | None = None
        """Milliseconds by which the server's clock is ahead of a clock of ours that nobody sets."""

    def run(self) -> Progress:
        """Go through the store; return what became of the plan.

        Raises
        ------
        JournalError, TreatmentError, UnreadableSource
            It had to stop; what was deleted is in the journal.
        """
        resolve(self.journal, self.store)
        self.progress.deleted_before = self.journal.deleted - self.journal.returned
        if remark := self.unlinker.watch([prefix.encode() for prefix in self.plan.prefixes]):
            self.progress.remarks.append(remark)
        if self.unlinker.notify and not self.unlinker.together():
            self.progress.remarks.append(
                "in a Cluster a session's hash and marker are on different nodes: hashes went first, and applications"
                " were not notified"
            )
        try:
            for batch in self.source:
                self._take(batch)
                if self.control.look().stopping:
                    break
            for group in list(self._waiting):
                self._work(group, least=1)
        finally:
            self.unlinker.close()
        self._sum_up()
        return self.progress

    def _take(self, batch: pa.RecordBatch) -> None:
        import numpy as np

        for found in self._judged(batch, asked_later=self.source.from_snapshot):
            fresh = np.flatnonzero(~self._seen[found.places])
            self._seen[found.places[fresh]] = True
            # Whose last use is not in the keys themselves is judged again on what is fetched, idle time included.
            reasons = found.reasons[fresh]
            going = fresh[(reasons == GOES) | (reasons == REASONS.index(UNTIMED))]
            self._count(reasons[(reasons != GOES) & (reasons != REASONS.index(UNTIMED))])
            sessions = of_candidates(found, going)
            databases = found.batch.column("db")
            for session in sessions:
                timed = self.source.from_snapshot and found.reasons[session.at] == GOES
                timed = timed and not self.unlinker.touched(session.key)
                row = int(found.rows[session.at])
                value = self.source.payload(session.key, session.expires_ms) if timed else None
                group = (databases[row].as_py(), self.store.owner(session.key).name)
                self._waiting.setdefault(group, []).append((session, value))
                self._weight[group] += _weight(session, value)
                if self._weight[group] >= BATCH_BYTES:
                    self._work(group, least=1)
        for group in list(self._waiting):
            self._work(group, least=self.control.knobs.batch)

    def _judged(self, batch: pa.RecordBatch, *, asked_later: bool = False) -> Iterator[Candidates]:
        """Judge a batch; after a failover the new master's idle times say nothing of what was read on the old one.

        Nor do they, at any time, of what clients read from caches of their own.
        """
        now_ms = self._now_ms()
        if self.store.processes != self._processes or self.store.is_cached:
            self._processes = self.store.processes
            self.judge.since_ms = now_ms
        return self.judge.judge(batch, now_ms, asked_later=asked_later)

    def _count(self, reasons: npt.NDArray[np.int8]) -> None:
        import numpy as np

        for number, count in enumerate(np.bincount(reasons, minlength=len(REASONS)).tolist()):
            if number != GOES and count:
                self.progress.kept[REASONS[number]] += count

    def _work(self, group: tuple[int, str], *, least: int) -> None:
        """Work off what waits for a database of a server while it fills a batch."""
        waiting = self._waiting[group]
        before = len(waiting)
        while waiting and len(waiting) >= least:
            size = self.control.look().batch
            piece = waiting[:size]
            del waiting[:size]
            if self.control.knobs.stopping:
                self.progress.kept[STOPPED] += len(piece)
            else:
                self._batch(group[0], piece)
        if len(waiting) < before:
            self._weight[group] = sum(_weight(*one) for one in waiting)

    def _batch(self, db: int, piece: Sequence[tuple[ExpectedSession, bytes | None]]) -> None:
        for ready in lighter(self._nobodys(self._with_values(db, piece)), lambda one: len(one[1])):
            self._delete(db, ready)

    def _delete(self, db: int, ready: Sequence[tuple[ExpectedSession, bytes, int]]) -> None:
        sessions = [session for session, _, _ in ready]
        again(self.store, lambda: self.unlinker.learn_minutes(sessions))
        records = [self.unlinker.record(session, value, idle) for session, value, idle in ready]
        self._try_out(primary_of(self.store, db, sessions[0].key), records[0])
        number = self.journal.sessions(
            db, again(self.store, lambda: primary_of(self.store, db, sessions[0].key).now_ms()), records
        )
        answers: list[Answer] = []
        asked = 0
        try:
            while len(answers) < len(sessions) and self._may_go_on(sessions[0].key):
                call = slice(len(answers), len(answers) + self.throttle.fitting())
                asked = min(call.stop, len(sessions))
                answers += self._call(db, sessions[call], records[call])
                self._within = len(answers)
        finally:
            # Of what was asked and never answered nobody knows: an undo brings back what is not there.
            answers += [(scripts.LOST, -2, 0)] * (asked - len(answers))
            answers += [(scripts.NOT_TRIED, -2, 0)] * (len(sessions) - len(answers))
            self._within = 0
            self._conclude(number, sessions, records, answers)

    def _with_values(
        self, db: int, piece: Sequence[tuple[ExpectedSession, bytes | None]]
    ) -> list[tuple[ExpectedSession, bytes, int]]:
        """Return sessions with their payloads and idle times: of a snapshot, or fetched and judged on what was fetched."""
        had = self._unread(db, [(session, value, -1) for session, value in piece if value is not None])
        piece = [one for one in piece if one[1] is None]
        records: list[tuple[bytes, bytes, int, int]] = []
        waiting = [session.key for session, _ in piece]
        while waiting:
            if not self._may_go_on(waiting[0]):
                self.progress.kept[STOPPED] += len(waiting)
                break
            keys = waiting[: self.throttle.call]
            del waiting[: len(keys)]
            began = time.perf_counter()
            fetched = self._fetched(db, keys)
            self.throttle.took(len(keys), time.perf_counter() - began)
            for key, (idle, expiry, value) in zip(keys, fetched, strict=True):
                if value is None:
                    if expiry == scripts.ELSEWHERE:
                        require_answered(self.store, db, key)
                    self.progress.kept[ELSEWHERE if expiry == scripts.ELSEWHERE else GONE] += 1
                else:
                    records.append((key, value, expiry, idle))
        if not records:
            return had
        self.progress.dumped += len(records)
        batch = self.source.decoded(records, db)
        known = {key: (value, idle) for key, value, _, idle in records}
        ready = had
        judged = 0
        for found in self._judged(batch):
            judged += len(found.rows)
            self._count(found.reasons)
            for session in of_candidates(found, found.going()):
                ready.append((session, *known[session.key]))
        if judged < len(records):  # what is there now is no session of the plan any more
            self.progress.kept[CHANGED] += len(records) - judged
        return ready

    def _nobodys(self, ready: list[tuple[ExpectedSession, bytes, int]]) -> list[tuple[ExpectedSession, bytes, int]]:
        """Keep those in which the application itself may say who is logged in, beside Spring Security or in its place."""
        users = {session.key for session, value, _ in ready if session.named and payloads.may_name_user(value)}
        if users:
            self.progress.kept[UNKNOWN] += len(users)
        return [one for one in ready if one[0].key not in users] if users else ready

    def _fetched(self, db: int, keys: Sequence[bytes]) -> list[tuple[int, int, bytes | None]]:
        """Return idle seconds, absolute expiry and payload of each key."""
        found: list[tuple[int, int, bytes | None]] = again(
            self.store, lambda: self.unlinker.fetch(primary_of(self.store, db, keys[0]), keys)
        )
        return found

    def _unread(
        self, db: int, had: list[tuple[ExpectedSession, bytes, int]]
    ) -> list[tuple[ExpectedSession, bytes, int]]:
        """Keep those whose application may have read them and written nothing, unless the server says that nobody did."""
        silent = [session.key for session, _, _ in had if session.silent]
        if not silent or not self.judge.keeps_idle_times:
            return had
        commands = [(b"OBJECT", b"IDLETIME", key) for key in silent]
        answers = again(self.store, lambda: primary_of(self.store, db, silent[0]).pipeline(commands))
        now_ms = self._now_ms()
        idle = {key: said for key, said in zip(silent, answers, strict=True) if isinstance(said, int)}
        kept: dict[bytes, str] = {}
        for session, _, _ in had:
            said = idle.get(session.key, -1)
            if session.silent and self.judge.read_lately(said, now_ms):
                kept[session.key] = READ
            elif session.unproven and not self.judge.proves(said, now_ms):
                kept[session.key] = UNTIMED
        self.progress.kept.update(kept.values())
        return [(session, value, idle.get(session.key, -1)) for session, value, _ in had if session.key not in kept]

    def _call(self, db: int, sessions: Sequence[ExpectedSession], records: Sequence[JournalRecord]) -> list[Answer]:
        broken: list[bool] = []

        def ask() -> list[Answer]:
            primary = primary_of(self.store, db, sessions[0].key)
            try:
                return self.unlinker.delete(primary, db, sessions, records)
            except (ConnectionLost, ServerError):
                broken.append(True)
                raise

        began = time.perf_counter()
        answers: list[Answer] = again(self.store, ask)
        self.throttle.took(len(sessions), time.perf_counter() - began)
        moved = [place for place, (said, _, _) in enumerate(answers) if said == scripts.ELSEWHERE]
        if moved:
            require_answered(self.store, db, sessions[moved[0]].key)
        if broken:  # the first call may have deleted what the second did not find
            answers = [(scripts.LOST, *rest) if said == scripts.GONE else (said, *rest) for said, *rest in answers]  # type: ignore[misc]
        return answers

    def _conclude(
        self,
        number: int,
        sessions: Sequence[ExpectedSession],
        records: Sequence[JournalRecord],
        answers: Sequence[Answer],
    ) -> None:
        progress = self.progress
        for session, record, (said, ended, _) in zip(sessions, records, answers, strict=True):
            if said in scripts.DELETED:
                progress.deleted += 1
                progress.freed += session.bytes
                progress.halves += bool(record.marker) and ended == scripts.NO_MARKER
            else:
                progress.kept[_KEPT.get(said, CHANGED)] += 1
        self.journal.outcome(number, answers)
        progress.batches += 1
        progress.heard = self.unlinker.heard
        self._tell()

    def _try_out(self, primary: Primary, record: JournalRecord) -> None:
        if primary.name in self._tried:
            return
        self._tried.add(primary.name)
        nothing = "nothing was deleted"
        if self.progress.deleted:
            nothing += f" there; the {self.progress.deleted:,} sessions deleted elsewhere are in the journal"
        try:
            remark = require_restorable(primary, record, together=self.unlinker.together())
        except ServerError as error:
            if payloads.refused(error.text):
                raise TreatmentError(
                    f"{primary.name}: the server refuses to restore the value of one session: {error.text}; {nothing}",
                    hint="Add --journal-by dump: then the journal holds values as the server itself writes them.",
                ) from None
            raise TreatmentError(
                f"{primary.name}: the server refuses commands that a purge or its undo needs: {error.text}; {nothing}",
                hint=next_step(error),
            ) from None
        if remark:
            self.progress.remarks.append(remark)

    def _may_go_on(self, key: bytes) -> bool:
        """Rest as long as there is a reason to; return False when it is to stop."""
        owner = self.store.owner
        again(self.store, lambda: self.throttle.ping(owner(key)))
        while not self.control.look().stopping:
            reason = again(self.store, lambda: self.throttle.reason(owner(key)))
            pause = self.throttle.pace(self.progress.deleted + self._within)
            if not reason and pause <= 0:
                reason = self.throttle.latency(owner(key))
                if reason:
                    self.progress.state = f"paused: {reason}"
                    self._tell()
                again(self.store, lambda: self.throttle.breathe(owner(key)))
                self.progress.state = self.control.knobs.complaint or "running"
                return True
            self.progress.state = f"paused: {reason}" if reason else f"paused: {self.control.knobs.rate:,.0f} a second"
            self._tell()
            if reason:
                again(self.store, lambda: self.throttle.rest(owner(key)))
            else:
                time.sleep(min(pause, 0.5))
        return False

    def _now_ms(self) -> int:
        """Return the store's clock.

        Raises
        ------
        TreatmentError
            It was set meanwhile: who used a session a minute ago may look idle for an hour.
        """
        moment: int = again(self.store, self.store.now_ms)
        ahead = moment - int(1000 * _steady_s())
        self._ahead = ahead if self._ahead is None else self._ahead
        if abs(ahead - self._ahead) > 1000 * _CLOCK_MAY_DIFFER_S:
            raise TreatmentError(
                f"{self.store.address.masked}: the server's clock was set {'forward' if ahead > self._ahead else 'back'}"
                f" by {abs(ahead - self._ahead) // 1000:,} s meanwhile (or a failover brought another clock): stopped before"
                f" the next batch",
                hint="Sessions in use may look idle now. Wait for as long as --idle says, then run the same command again.",
            )
        return moment

    def _tell(self) -> None:
        primary = self.store.primaries[0]
        self.progress.p99_s = self.throttle.p99_s(primary)
        self.progress.max_impact_s = self.control.knobs.max_impact_s
        self._report(self.progress)

    def _sum_up(self) -> None:
        progress = self.progress
        unseen = progress.total - int(self._seen.sum()) - progress.deleted_before
        stopped = self.control.knobs.stopping
        if unseen > 0:
            found = NOT_FOUND if self.store.kind == "cluster" else GONE
            progress.kept[STOPPED if stopped else found] += unseen
        progress.state = "stopped" if stopped else "done"
        self.journal.remember(deleted=self.journal.deleted, finished=not stopped)
        self._tell()


def _weight(session: ExpectedSession, value: bytes | None) -> int:
    """Return the bytes of a session: of its value where that is here, else of its record, estimated."""
    return max(session.bytes, len(value or b""))


def _steady_s() -> float:
    """Return a clock that nobody sets, and that goes on while this machine sleeps where the system has one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def resolve(journal: Journal, store: WritableStore) -> int:
    """Find out what became of sessions that were journalled, or asked for, when a run ended; return of how many batches.

    What is still there was not deleted; what is not was, by all that is known.
    """
    announced = bool(journal.header.get("notify"))
    unheard = [batch for batch in journal.batches() if _unheard(batch)]
    for batch in unheard:
        answers: list[Answer] = []
        said = batch.outcome or ((scripts.LOST, scripts.NO_MARKER, 0),) * len(batch.records)
        back = batch.restored or (0,) * len(batch.records)
        for record, answer, code in zip(batch.records, said, back, strict=True):
            if answer[0] != scripts.LOST or code:
                answers.append(answer)
                continue

            def there(record: JournalRecord = record) -> Any:
                primary = store.owner(record.key)
                primary.select(batch.db)  # noqa: B023 -- used within this turn
                return primary.connection.command("EXISTS", record.key)

            lives = again(store, there)
            answers.append((scripts.NOT_TRIED, scripts.NO_MARKER, 0) if lives else answer)
            if lives and announced and record.marker:  # killed in the second between marker and hash
                again(store, lambda record=record, db=batch.db: _marked(store, record, db))  # type: ignore[misc]
        if tuple(answers) != batch.outcome:
            journal.outcome(batch.number, answers)
    return len(unheard)


def _unheard(batch: Batch) -> bool:
    """Whether nobody knows of some of a batch if they were deleted: no outcome was written, or no answer was heard."""
    return batch.outcome is None or any(said == scripts.LOST for said, _, _ in batch.outcome)


def _marked(store: WritableStore, record: JournalRecord, db: int) -> None:
    """Give a session its marker again, if it has none: it ends with the session."""
    primary = store.owner(record.marker)
    primary.select(db)
    until = (b"PXAT", record.expires_ms - 1000 * GRACE_S) if record.expires_ms >= 0 else ()
    primary.connection.command(b"SET", record.marker, b"", b"NX", *until)
