"""The way back: what was deleted is restored with the lifetime that it has left; nothing newer is overwritten.

RESTORE without REPLACE: a key that is there stays as it is. What has expired meanwhile is not brought back. Where the
server refuses a payload's version (an upgrade, a migration), the value itself is written. Each session is brought back once:
what an undo restored is in the journal, and a second undo leaves it alone, also when somebody has logged out since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from necropsy.model.figures import size
from necropsy.treat.purge import payload as payloads
from necropsy.treat.purge import scripts
from necropsy.treat.purge.batch import again
from necropsy.treat.purge.stores import Primary, TreatmentError, WritableStore
from necropsy.wire.redis.info import number
from necropsy.wire.redis.replies import ServerError

if TYPE_CHECKING:
    from necropsy.treat.purge.control import Control
    from necropsy.treat.purge.journal import Batch, Journal, JournalRecord

NOT_TRIED, RESTORED, THERE, EXPIRED, REFUSED = range(5)
_CALL: Final = 256
_MARGIN_MS: Final = 5
_WITH_FIELDS_THAT_EXPIRE: Final = frozenset({22, 24, 25})
"""Types of hashes whose fields have expiries of their own: Valkey 9's, and both of Redis 7.4."""
_SAME_MS: Final = 1000
_OVERHEAD: Final = 300
"""Bytes of memory that a session takes beyond its payload, roughly: keys, dictionary entries, expiries."""
_PUT_HASH: Final = """\
if redis.call('EXISTS', ARGV[1]) == 1 then return 0 end
for i = 3, #ARGV, 2 do redis.call('HSET', ARGV[1], ARGV[i], ARGV[i + 1]) end
if ARGV[2] ~= '-1' then redis.call('PEXPIREAT', ARGV[1], ARGV[2]) end
return 1
"""
_PUT_STRING: Final = """\
if redis.call('EXISTS', ARGV[1]) == 1 then return 0 end
redis.call('SET', ARGV[1], ARGV[3])
if ARGV[2] ~= '-1' then redis.call('PEXPIREAT', ARGV[1], ARGV[2]) end
return 1
"""


@dataclass(slots=True)
class Restored:
    """The outcome of an undo."""

    sessions: int = 0
    """Sessions of the journal that were deleted."""
    codes: Counter[int] = field(default_factory=Counter)
    rewritten: int = 0
    """Restored by their value, as the server refused the payload."""
    before: int = 0
    """Restored by an earlier undo."""
    stopped: bool = False

    def line(self) -> str:
        """Return it as one line."""
        codes = self.codes
        if not self.sessions:
            before = f"; {self.before:,} were restored before" if self.before else ""
            return f"undo: nothing to restore{before}" + (" · stopped" if self.stopped else "")
        parts = [f"undo {codes[RESTORED]:,}/{self.sessions:,} sessions restored"]
        parts += [f"{codes[code]:,} {word}" for code, word in _WORDS if codes[code]]
        return " · ".join(parts) + (" · stopped" if self.stopped else "")


_WORDS: Final = (
    (THERE, "exist already, and are left as they are"),
    (EXPIRED, "have expired meanwhile"),
    (REFUSED, "refused by the server"),
    (NOT_TRIED, "not tried"),
)


def room_needed(journal: Journal, batches: set[int] | None = None, *, lenient: bool = False) -> int:
    """Return the bytes of memory that an undo of these batches takes, roughly; None: of all."""
    return sum(
        len(record.payload) + len(record.key) + len(record.marker) + _OVERHEAD
        for batch in journal.batches(lenient=lenient)
        if batches is None or batch.number in batches
        for record, _ in _deleted(batch)
    )


def undo(
    journal: Journal,
    store: WritableStore,
    control: Control,
    *,
    batches: set[int] | None = None,
    lenient: bool = False,
    report: Callable[[Restored], None] | None = None,
) -> Restored:
    """Restore what a purge deleted.

    Parameters
    ----------
    batches
        Numbers of the batches to restore; None: all.
    lenient
        Use a damaged journal as far as it goes.

    Raises
    ------
    TreatmentError
        The store is full, or does not come back.
    JournalError
        The journal was cut or changed.
    """
    done = Restored()
    _require_room(journal, store, batches, lenient=lenient)
    for batch in journal.batches(lenient=lenient):
        if batches is not None and batch.number not in batches:
            continue
        if control.look().stopping:
            done.stopped = True
            break
        done.before += sum(code == RESTORED for code in batch.restored or ())
        codes = _batch(batch, store, done)
        if codes is not None:
            journal.restored(batch.number, codes)
        if report is not None:
            report(done)
    return done


def _deleted(batch: Batch) -> list[tuple[JournalRecord, int]]:
    """Return the records of a batch that were deleted and not brought back, with their places."""
    outcome = batch.outcome or tuple((scripts.LOST, -2, 0) for _ in batch.records)
    before = batch.restored or (NOT_TRIED,) * len(batch.records)
    return [
        (record, place)
        for place, (record, (said, _, _), code) in enumerate(zip(batch.records, outcome, before, strict=True))
        if said in scripts.DELETED and code in {NOT_TRIED, REFUSED}
    ]


def _batch(batch: Batch, store: WritableStore, done: Restored) -> list[int] | None:
    found = _deleted(batch)
    if not found:
        return None
    codes = list(batch.restored or (NOT_TRIED,) * len(batch.records))
    outcome = batch.outcome or tuple((scripts.LOST, -2, 0) for _ in batch.records)
    done.sessions += len(found)
    for start in range(0, len(found), _CALL):
        piece = found[start : start + _CALL]

        def ask(piece: Sequence[tuple[JournalRecord, int]] = piece) -> dict[int, int]:
            return _of_all_nodes(batch, piece, store, done)

        for place, code in again(store, ask).items():
            codes[place] = code
            done.codes[code] += 1
    again(store, lambda: _pieces(batch, outcome, codes, found, store))
    return codes


def _of_all_nodes(
    batch: Batch, found: Sequence[tuple[JournalRecord, int]], store: WritableStore, done: Restored
) -> dict[int, int]:
    """Restore sessions' own keys, each where it belongs by now: slots may move between two attempts."""
    groups: dict[str, list[tuple[JournalRecord, int]]] = {}
    for record, place in found:
        groups.setdefault(store.owner(record.key).name, []).append((record, place))
    codes: dict[int, int] = {}
    for group in groups.values():
        restored = _records(batch, [record for record, _ in group], store, done)
        codes |= zip((place for _, place in group), restored, strict=True)
    return codes


def _records(batch: Batch, records: Sequence[JournalRecord], store: WritableStore, done: Restored) -> list[int]:
    """Restore the sessions' own keys; all are on one server."""
    primary = store.owner(records[0].key)
    primary.select(batch.db)
    now = primary.now_ms()
    lfu = "lfu" in primary.info.get("maxmemory_policy", "")
    codes = [EXPIRED if 0 <= record.expires_ms <= now + _MARGIN_MS else NOT_TRIED for record in records]
    places = [place for place, code in enumerate(codes) if code == NOT_TRIED]
    passed = max(0, (now - batch.read_ms) // 1000)
    sealed = payloads.seal([records[place].payload for place in places])
    commands = [
        _restore(records[place]._replace(payload=value), passed, lfu=lfu)
        for place, value in zip(places, sealed, strict=True)
    ]
    for place, answer in zip(places, primary.pipeline(commands), strict=True):
        codes[place] = _code(primary, records[place], answer, done)
    # RESTORE says OK also to what expired on its way, and to a hash whose fields all have: those are looked for.
    near = [
        place
        for place in places
        if codes[place] == RESTORED
        and (0 <= records[place].expires_ms < now + 60_000 or records[place].payload[0] in _WITH_FIELDS_THAT_EXPIRE)
    ]
    for place, there in zip(near, primary.pipeline([(b"EXISTS", records[place].key) for place in near]), strict=True):
        if there == 0:
            codes[place] = EXPIRED
    # Those that an undo restored before it was killed have the very expiry that they had.
    said = {id(record): answer[0] for record, answer in zip(batch.records, batch.outcome or (), strict=False)}
    # So have those whose deletion was asked for and never answered, and that lost at most their marker.
    there = [place for place in places if codes[place] == THERE and said.get(id(records[place]), 0) in scripts.DELETED]
    ttls = primary.pipeline([(b"PTTL", records[place].key) for place in there])
    for place, ttl in zip(there, ttls, strict=True):
        until = now + ttl if ttl >= 0 else -1
        if abs(until - records[place].expires_ms) <= _SAME_MS:
            codes[place] = RESTORED
    return codes


def _restore(record: JournalRecord, passed_s: int, *, lfu: bool) -> tuple[bytes | int, ...]:
    ttl: tuple[bytes | int, ...] = (0,) if record.expires_ms < 0 else (record.expires_ms,)
    words = (b"RESTORE", record.key, *ttl, record.payload, *((b"ABSTTL",) if record.expires_ms >= 0 else ()))
    return (*words, b"IDLETIME", record.idle_s + passed_s) if record.idle_s >= 0 and not lfu else words


def _code(primary: Primary, record: JournalRecord, answer: Any, done: Restored) -> int:
    if not isinstance(answer, ServerError):
        return RESTORED
    if answer.kind == "BUSYKEY":
        return THERE
    if answer.kind == "OOM":
        raise _full(primary, answer)
    if not payloads.refused(answer.text):
        raise answer
    try:
        value = payloads.logical(record.payload)
    except payloads.Unreadable:
        return REFUSED
    from necropsy.wire.redis.connection import pack

    words: list[bytes | int] = [record.key, record.expires_ms]
    if isinstance(value, dict):
        put = primary.run(_PUT_HASH, pack([*words, *(word for pair in value.items() for word in pair)]))
    else:
        put = primary.run(_PUT_STRING, pack([*words, value]))
    done.rewritten += put
    return RESTORED if put else THERE


def _pieces(
    batch: Batch,
    outcome: Sequence[tuple[int, int, int]],
    codes: Sequence[int],
    found: Sequence[tuple[JournalRecord, int]],
    store: WritableStore,
) -> None:
    """Restore markers and memberships of the sessions that came back."""
    commands: dict[str, list[tuple[bytes | int, ...]]] = {}
    for record, place in found:
        said, ended, left = outcome[place]
        if codes[place] != RESTORED or not record.marker:
            continue
        if said == scripts.LOST and ended == scripts.NO_MARKER:  # nobody heard the answer: it follows from the hash's
            ended, left = (record.expires_ms - 300_000 if record.expires_ms >= 0 else -1), 1
        if ended != scripts.NO_MARKER:
            until = (b"PXAT", ended) if ended >= 0 else ()
            commands.setdefault(store.owner(record.marker).name, []).append((b"SET", record.marker, b"", b"NX", *until))
        if left and record.minute:
            mine = commands.setdefault(store.owner(record.minute).name, [])
            if record.score >= 0:
                mine.append((b"ZADD", record.minute, b"NX", record.score, record.member))
            else:
                mine.append((b"SADD", record.minute, record.member))
    for primary in store.primaries:
        primary.select(batch.db)
        mine = commands.get(primary.name, [])
        for answer in primary.pipeline(mine):
            _require_done(primary, answer)
        ends = {record.minute: record.minute_expires_ms for record, _ in found if record.minute_expires_ms >= 0}
        touched = [key for key in {words[1] for words in mine if words[0] == b"SADD"} if key in ends]
        # A set that the purge emptied is gone; made anew it has no expiry, and gets the one that it had.
        ttls = primary.pipeline([(b"PTTL", key) for key in touched])
        endless = [(b"PEXPIREAT", key, ends[key]) for key, ttl in zip(touched, ttls, strict=True) if ttl == -1]
        for answer in (*ttls, *primary.pipeline(endless)):
            _require_done(primary, answer)


def _require_done(primary: Primary, answer: Any) -> None:
    """Stop at an error: what was restored is found there by the next run, and its other keys with it.

    Raises
    ------
    TreatmentError
        The store is full.
    ServerError
        For the moment, or for good.
    """
    if isinstance(answer, ServerError) and answer.kind != "WRONGTYPE":  # another key has that name by now
        if answer.kind == "OOM":
            raise _full(primary, answer)
        raise answer


def _full(primary: Primary, answer: ServerError) -> TreatmentError:
    return TreatmentError(
        f"{primary.name}: the store is full: {answer.text}",
        hint="Raise maxmemory, then run the same command again: it continues where it stopped.",
    )


def _require_room(journal: Journal, store: WritableStore, batches: set[int] | None, *, lenient: bool) -> None:
    """Refuse when the store has no room for what is to come back.

    Raises
    ------
    TreatmentError
    """
    room, limited = 0, False
    for primary in store.primaries:
        info = primary.stats()
        limit = number(info, "maxmemory")
        if limit:
            limited = True
            room += max(0, limit - number(info, "used_memory"))
    if not limited:
        return
    needed = room_needed(journal, batches, lenient=lenient)
    if needed > room:
        raise TreatmentError(
            f"an undo needs about {size(needed)} of memory, but only {size(room)} are free below maxmemory",
            hint="Raise maxmemory temporarily: CONFIG SET maxmemory BYTES. Nothing was restored.",
        )
