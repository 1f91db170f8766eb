"""The read method of plain commands: SCAN and batches, where scripts are forbidden; also for keys too large for a slice.

Two rounds a slice. The first asks what a key is, when it expires, how long nobody used it and what it costs; only then
is a value touched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from necropsy.evidence.redis.page import HashFields, KeyWords, Page, PageReply, Sparse, type_place
from necropsy.evidence.redis.script_text import SAMPLES
from necropsy.evidence.redis.values import FetchedValues, KeyRow
from necropsy.wire.redis.connection import Questions
from necropsy.wire.redis.replies import ServerError

if TYPE_CHECKING:
    from necropsy.evidence.redis.permissions import Permissions
    from necropsy.sessions.keyspace import Projection
    from necropsy.wire.redis.connection import Connection


KEY_S: Final = 10e-6
"""Time that eight commands for a key cost a server at most, where none of them is expensive."""
ROUND_S: Final = 50e-6
"""A round trip. Longer ones were spent waiting for a processor, ours or the server's: that makes no slice too large."""


class PipelineWay:
    """Asks for slices in plain commands."""

    name: Final = "pipeline"

    def __init__(
        self, connection: Connection, permissions: Permissions, projection: Projection, names: KeyWords, *, lfu: bool
    ) -> None:
        self._connection = connection
        self._names = names
        self._values = FetchedValues(connection, permissions, projection)
        self._columns = _first_round(permissions, lfu=lfu)
        self._questions = Questions([words for _, words in self._columns])
        self._width = len(projection.hash_fields)
        self._asked: tuple[bytes, Sequence[bytes], int] = (b"0", (), 0)

    def use(self, connection: Connection) -> None:
        """Go on with another connection to the same server."""
        self._connection = self._values.connection = connection

    def ask(self, cursor: bytes, names: Sequence[bytes], count: int, longest_s: float) -> None:  # noqa: ARG002 -- as other ways
        """Ask for a slice: of the scan, or of keys by name."""
        self._asked = (cursor, names, count)

    def answer(self, go_on: Callable[[bytes], object] | None = None) -> PageReply:  # noqa: ARG002 -- as other ways
        """Return the slice that was asked for.

        Raises
        ------
        ServerError
            SCAN fails.
        """
        cursor, names, count = self._asked
        began, rounds = time.monotonic(), self._connection.rounds
        following = b"0"
        if not names:
            following, names = self._connection.command("SCAN", cursor, "COUNT", count)
        answer = self.read(names)
        answer.cursor = following
        answer.rounds = self._connection.rounds - rounds
        answer.seconds = min(time.monotonic() - began, KEY_S * len(names) + answer.rounds * ROUND_S)
        return answer

    def read(self, keys: Sequence[bytes], *, in_pieces: bool = False) -> PageReply:
        """Read keys by name.

        Parameters
        ----------
        in_pieces
            Read large sets too, in pieces; else they are handed back.
        """
        rows, denied = self._what_they_are(keys)
        self._values.fetch(rows)
        there = [row for row in rows if not row.gone]
        large = [] if in_pieces else [row.key for row in there if self._values.is_large(row)]
        there = [row for row in there if in_pieces or not self._values.is_large(row)]
        self._values.fetch_members(there)
        self._values.count_empty_fields(there)
        unread, self._values.unread = self._values.unread, 0
        gone = len(keys) - len(there) - len(large) - denied
        page = self._page(there)
        return PageReply(lambda: page, len(page), large=large, gone=gone, denied=denied, unread=unread)

    def _what_they_are(self, keys: Sequence[bytes]) -> tuple[list[KeyRow], int]:
        """Ask the first round, which touches no value; return what is there, and how many keys are denied."""
        if not keys:
            return [], 0
        self._connection.send_for_keys(self._questions, keys, around=("TIME",))
        before, *replies, after = self._connection.receive(len(keys) * len(self._columns) + 2)
        began, ended = _milliseconds(before), _milliseconds(after)
        rows: list[KeyRow] = []
        denied = 0
        for number, key in enumerate(keys):
            given = replies[number * len(self._columns) : (number + 1) * len(self._columns)]
            kind = given[0]
            if isinstance(kind, ServerError):
                denied += kind.about_keys
                continue
            answers = dict(zip(self._names_of_columns, given, strict=True))
            row = KeyRow(key, type_place(kind))
            row.expires, there = _expiry(answers, began + (ended - began) * number / len(keys))
            if kind == b"none" or not there:
                continue
            for name in ("idle", "freq", "encoding", "usage"):
                value = answers.get(name)
                setattr(row, name, None if isinstance(value, ServerError) else value)
            rows.append(row)
        return rows, denied

    @property
    def _names_of_columns(self) -> list[str]:
        return [name for name, _ in self._columns]

    def _page(self, rows: Sequence[KeyRow]) -> Page:
        heads = [place for place, row in enumerate(rows) if row.head is not None]
        members = [place for place, row in enumerate(rows) if row.members is not None]
        counted = [place for place, row in enumerate(rows) if row.empty_fields is not None]
        found = [(place, row.values, row.lengths) for place, row in enumerate(rows) if row.values and row.lengths]
        return Page(
            keys=[row.key for row in rows],
            types=[row.type for row in rows],
            encodings=[self._names.encoding(row.encoding) for row in rows],
            expires=[row.expires for row in rows],
            idle=[row.idle for row in rows],
            freq=[row.freq for row in rows],
            elements=[row.count for row in rows],
            usage=[row.usage for row in rows],
            heads=Sparse(heads, [rows[place].head for place in heads]),
            members=Sparse(members, [rows[place].members for place in members]),
            empty_fields=Sparse(counted, [rows[place].empty_fields for place in counted]),
            fields=HashFields(
                [place for place, _, _ in found],
                [[values[number] for _, values, _ in found] for number in range(self._width)],
                [[lengths[number] for _, _, lengths in found] for number in range(self._width)],
            ),
        )


def _first_round(permissions: Permissions, *, lfu: bool) -> list[tuple[str, tuple[bytes, ...]]]:
    columns: list[tuple[str, tuple[bytes, ...]]] = [("kind", (b"TYPE", b""))]
    if "pexpiretime" in permissions:
        columns.append(("pexpiretime", (b"PEXPIRETIME", b"")))
    elif "pttl" in permissions:
        columns.append(("pttl", (b"PTTL", b"")))
    if lfu and "freq" in permissions:
        columns.append(("freq", (b"OBJECT", b"FREQ", b"")))
    elif not lfu and "idle" in permissions:
        columns.append(("idle", (b"OBJECT", b"IDLETIME", b"")))
    if "encoding" in permissions:
        columns.append(("encoding", (b"OBJECT", b"ENCODING", b"")))
    if "usage" in permissions:
        columns.append(("usage", (b"MEMORY", b"USAGE", b"", b"SAMPLES", b"%d" % SAMPLES)))
    return columns


def _expiry(answers: dict[str, Any], now_ms: float) -> tuple[int | None, bool]:
    """Return when a key expires, in milliseconds, and whether it is still there."""
    at, left = answers.get("pexpiretime"), answers.get("pttl")
    if isinstance(at, int):
        return (at if at >= 0 else None), at != -2
    if isinstance(left, int):
        return (int(now_ms) + left if left >= 0 else None), left != -2
    return None, True


def _milliseconds(answer: Any) -> float:
    """Return what TIME answers, in milliseconds; our own clock where it is forbidden."""
    return time.time() * 1000 if isinstance(answer, ServerError) else int(answer[0]) * 1000 + int(answer[1]) / 1000
