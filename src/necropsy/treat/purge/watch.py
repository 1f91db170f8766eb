"""Delete what nobody has touched since it was read: the server tells of every change, and WATCH guards the last moment.

A connection of its own asks for CLIENT TRACKING in broadcast mode before anything is read. From then on the server names
every key that is written, expires or is evicted, whatever wrote it and however little: an attribute, the expiry alone.
Right before a deletion the keys are put under WATCH, one more answer is waited for (what was announced before it has then
arrived), and EXEC deletes all or nothing. No value is compared, so none is sent, and none can be overlooked. Markers are
not under WATCH: they carry nothing, and whoever uses a session writes its hash first.

Not in a Cluster, where a transaction holds keys of one slot alone, not after the connection broke, and not in a Redis that is
full, which queues no command: there ``scripts.delete`` compares the whole value.

Source: "Server-assisted client side caching", "Transactions"; trackingBroadcastInvalidationMessages in Redis' tracking.c.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from necropsy.treat.purge import scripts
from necropsy.treat.purge.scripts import Answer
from necropsy.wire.redis.connection import Connection, Questions
from necropsy.wire.redis.info import databases, parse_info
from necropsy.wire.redis.replies import ConnectionLost, ServerError
from necropsy.wire.redis.writing_gate import WritingGate

if TYPE_CHECKING:
    from necropsy.treat.purge.journal import JournalRecord
    from necropsy.treat.purge.stores import Primary
    from necropsy.wire.redis.address import Address
    from necropsy.wire.redis.gate import Word

PIECE: Final = 64
"""Sessions under WATCH together: a server looks through the keys that a client watches at each one that it adds."""
_TRIES: Final = 3
_MOST_TOUCHED: Final = 500_000
"""Touched keys that are remembered; beyond them the change of a key is looked for by comparing it."""
_MOST_PREFIXES: Final = 16
_TRY: Final = "necropsy-try"
_ENDS, _LEFT = Questions([(b"PEXPIRETIME", b"")]), Questions([(b"PTTL", b"")])
"""When a marker ends, as servers since 7.0 tell, and others."""


class Untracked(RuntimeError):  # noqa: N818 -- what the server is
    """The server does not tell what is touched: before 6.0, not permitted, or too much is."""


class Watch:
    """Knows what was touched in a server since it was made.

    Parameters
    ----------
    prefixes
        What the keys begin with that are of interest: of others nothing is told.

    Raises
    ------
    Untracked
        The server does not tell, or may not.
    """

    def __init__(self, address: Address, primary: Primary, prefixes: Iterable[bytes]) -> None:
        self.primary = primary
        self._prefixes = _apart(prefixes)
        self._touched: set[bytes] = set()
        self._db = 0
        self._connection = Connection.open(address, primary.endpoint, gate=WritingGate())
        self._told: list[Any] = []
        self._connection.pushes = self._told
        self._swaps = ""
        words = [word for prefix in self._prefixes for word in (b"PREFIX", prefix)]
        try:
            self._connection.command("HELLO", 3)
            self._connection.command("CLIENT", "TRACKING", "ON", "BCAST", "NOLOOP", *words)
            for command in (("WATCH", _TRY), ("UNWATCH",), ("MGET", _TRY), ("MULTI",), ("EXEC",)):
                self._connection.command(*command)  # whether they are permitted is to be known before they are needed
            self._swaps = self._swapped()
        except (ServerError, ConnectionLost) as error:
            self.close()
            raise Untracked(str(error)) from None

    def covers(self, key: bytes) -> bool:
        """Whether the server tells when this key is touched."""
        return key.startswith(self._prefixes)

    def touched(self, key: bytes) -> bool:
        """Whether this key was touched, by what has arrived so far."""
        return key in self._touched

    def forget(self, keys: Sequence[bytes]) -> None:
        """Take these keys as untouched: they are read anew after this."""
        if not self._touched.isdisjoint(keys):
            self._connection.command("PING")  # what was announced of them before is here when this is answered
            self._listen()
            self._touched.difference_update(keys)

    def delete(self, db: int, records: Sequence[JournalRecord]) -> list[Answer]:
        """Delete those that were not touched, with markers and memberships; answer as ``scripts.delete`` does.

        Fewer answers than records: from there on it is not known what was touched, and none was deleted.

        Raises
        ------
        ConnectionLost, ServerError
            It is not known what was deleted.
        """
        self._select(db)
        answers: list[Answer] = []
        for start in range(0, len(records), PIECE):
            piece = records[start : start + PIECE]
            said: list[Answer] = [(scripts.CHANGED, scripts.NO_MARKER, 0)] * len(piece)
            try:
                for _ in range(_TRIES):
                    if self._piece([at for at, record in enumerate(piece) if not self._of(record)], piece, said):
                        break
            except Untracked:
                break
            self._look_for(piece, said)
            answers += said
        return answers

    def _look_for(self, records: Sequence[JournalRecord], answers: list[Answer]) -> None:
        """Say of what was touched whether it is still there: a key that expired or was evicted was announced as well."""
        places = [at for at, (said, _, _) in enumerate(answers) if said == scripts.CHANGED]
        if places:
            there = self._connection.pipeline([(b"EXISTS", records[at].key) for at in places])
            for at, found in zip(places, there, strict=True):
                if found == 0:
                    answers[at] = (scripts.GONE, scripts.NO_MARKER, 0)

    def write(self, db: int, keys: Sequence[bytes], commands: Sequence[Sequence[Sequence[Word]]]) -> list[bool]:
        """Send the commands of each key unless it was touched; return of each whether they were sent.

        Fewer answers than keys: from there on it is not known what was touched, and nothing was sent.

        Raises
        ------
        ConnectionLost, ServerError
            It is not known what was written.
        """
        self._select(db)
        answers: list[bool] = []
        for start in range(0, len(keys), PIECE):
            piece = range(start, min(len(keys), start + PIECE))
            sent: set[int] = set()
            try:
                for _ in range(_TRIES):
                    self._guard([keys[at] for at in piece if keys[at] not in self._touched], ())
                    going = [at for at in piece if keys[at] not in self._touched]
                    if self._executed([command for at in going for command in commands[at]]) is not None:
                        sent.update(going)
                        break
            except Untracked:
                break
            answers += [at in sent for at in piece]
        return answers

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._connection.close()

    def _of(self, record: JournalRecord) -> bool:
        return record.key in self._touched or (bool(record.marker) and record.marker in self._touched)

    def _piece(self, places: list[int], records: Sequence[JournalRecord], answers: list[Answer]) -> bool:
        """Delete some together; False: one of them was touched at the last moment, and none was deleted."""
        if not places:
            return True
        markers = [records[at].marker for at in places if records[at].marker]
        ends = self._guard([records[at].key for at in places], markers)
        going = [at for at in places if not self._of(records[at])]
        keys: list[bytes] = []
        sets: list[int] = []
        for at in going:
            record = records[at]
            keys.append(record.key)
            if ends.get(record.marker, scripts.NO_MARKER) != scripts.NO_MARKER:
                keys.append(record.marker)
            if record.minute and record.score < 0:
                sets.append(at)
        members = ((b"SREM", records[at].minute, records[at].member) for at in sets)
        said = self._executed([(b"UNLINK", *keys), *members] if keys else [])
        if said is None:
            return False
        removed = dict(zip(sets, said[1:], strict=True))
        for at in going:
            answers[at] = (0, ends.get(records[at].marker, scripts.NO_MARKER), int(removed.get(at) == 1))
        return True

    def _guard(self, keys: Sequence[bytes], markers: Sequence[bytes]) -> dict[bytes, int]:
        """Put keys under WATCH, and learn what was touched before; return when the markers end.

        Raises
        ------
        Untracked
        """
        if keys:
            self._connection.command("WATCH", *keys)
        ends = self._ends_of(markers)
        self._listen()
        if len(databases(self.primary.info)) > 1 and self._swapped() != self._swaps:
            self._connection.command("UNWATCH")
            raise Untracked("databases were swapped")
        return ends

    def _executed(self, commands: Sequence[Sequence[Word]]) -> list[Any] | None:
        """Send commands as one; None: something under WATCH was touched, and none was done.

        Raises
        ------
        Untracked
            The server is full: none was done either.
        """
        if not commands:
            self._connection.command("UNWATCH")
            return []
        said = self._connection.pipeline([(b"MULTI",), *commands, (b"EXEC",)])
        refused = next((answer for answer in said if isinstance(answer, ServerError)), None)
        if refused is not None and refused.kind == "OOM":  # Redis queues nothing at its limit, not even UNLINK
            raise Untracked("the server is full and queues no transaction")
        if refused is not None:
            raise refused
        answers: list[Any] | None = said[-1]
        return answers

    def _select(self, db: int) -> None:
        if db != self._db:
            self._connection.command("SELECT", db)
            self._db = db

    def _ends_of(self, markers: Sequence[bytes]) -> dict[bytes, int]:
        """Return when markers end (-1: never, -2: there is none, or something else has its name)."""
        if not markers:
            self._connection.command("PING")
            return {}
        since_7 = self.primary.since_7
        now = 0 if since_7 else self.primary.now_ms()
        self._connection.send([(b"MGET", *markers)])
        self._connection.send_for_keys(_ENDS if since_7 else _LEFT, markers)
        values, *ends = self._connection.receive(1 + len(markers))
        refused = next((answer for answer in (values, *ends) if isinstance(answer, ServerError)), None)
        if refused is not None:
            raise refused
        return {
            marker: (end + now if end >= 0 else end) if value == b"" else scripts.NO_MARKER
            for marker, value, end in zip(markers, values, ends, strict=True)
        }

    def _listen(self) -> None:
        """Take note of what the server told.

        Raises
        ------
        Untracked
            Everything was flushed, or too much was touched to remember it.
        """
        for push in self._told:
            if push[0] == b"invalidate":
                if push[1] is None:
                    raise Untracked("everything was flushed")
                self._touched.update(push[1])
        self._told.clear()
        if len(self._touched) > _MOST_TOUCHED:
            raise Untracked("more keys are touched than can be remembered")

    def _swapped(self) -> str:
        """Return how often databases were swapped: the server does not tell whose keys that touched."""
        return parse_info(self._connection.command("INFO", "commandstats")).get("cmdstat_swapdb", "")


def _apart(prefixes: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return prefixes of which none begins with another; the empty one for all keys, when there are too many.

    >>> _apart([b"sess:", b"sess:a", b"spring:session"])
    (b'sess:', b'spring:session')
    """
    found: list[bytes] = []
    for prefix in sorted(set(prefixes)):
        if not found or not prefix.startswith(found[-1]):
            found.append(prefix)
    return tuple(found) if 0 < len(found) <= _MOST_PREFIXES else (b"",)
