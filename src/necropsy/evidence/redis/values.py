"""Second round of plain commands: lengths, and of the values only what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from necropsy.evidence.redis.cost_sampling import SMALL
from necropsy.evidence.redis.script_text import LONG, WHOLE, counts_empty_fields
from necropsy.sessions.keyspace import KEY_TYPES, MOST_COUNTED
from necropsy.wire.redis.replies import ServerError

if TYPE_CHECKING:
    from necropsy.evidence.redis.permissions import Permissions
    from necropsy.sessions.keyspace import Projection
    from necropsy.wire.redis.connection import Connection

_LENGTHS: Final = {
    "string": "STRLEN",
    "hash": "HLEN",
    "set": "SCARD",
    "zset": "ZCARD",
    "list": "LLEN",
    "stream": "XLEN",
}
_MEMBERS: Final = {"set": "smembers", "zset": "zrange"}
PIECE: Final = 500
"""Members of a large set that are read at once."""


@dataclass(slots=True)
class KeyRow:
    """One key, while it is being read."""

    key: bytes
    type: int
    """Place in ``KEY_TYPES``."""
    expires: int | None = None
    idle: int | None = None
    freq: int | None = None
    encoding: bytes | None = None
    usage: int | None = None
    count: int | None = None
    head: bytes | None = None
    members: list[bytes] | None = None
    values: list[bytes | None] | None = None
    lengths: list[int | None] | None = None
    empty_fields: int | None = None
    gone: bool = False

    @property
    def kind(self) -> str:
        """Its type, as TYPE answers it."""
        return KEY_TYPES[self.type]


class FetchedValues:
    """Reads values of keys whose type and size are known."""

    def __init__(self, connection: Connection, permissions: Permissions, projection: Projection) -> None:
        self.connection = connection
        self._permissions = permissions
        self._projection = projection
        self._names = [name for name, _ in projection.hash_fields] if "hmget" in permissions else []
        beside = projection.empty_fields_beside if counts_empty_fields(permissions) else ()
        self._beside = [place for place, name in enumerate(self._names) if name in beside]
        self.unread = 0
        """Values that were too long to be read."""

    def fetch(self, rows: Sequence[KeyRow]) -> None:
        """Fill in lengths, starts of strings and fields of hashes; a key that has another type by now is gone."""
        plan: list[tuple[KeyRow, str]] = []
        commands: list[tuple[Any, ...]] = []
        for row in rows:
            for what, command in self._second_round(row):
                plan.append((row, what))
                commands.append(command)
        for (row, what), answer in zip(plan, self._ask(commands), strict=True):
            if isinstance(answer, ServerError):
                row.gone = True
            elif what == "fields":
                self._put_fields(row, answer)
            else:
                setattr(row, what, answer)
        for row in rows:
            if row.kind == "hash" and not row.gone and not self._at_once(row):
                self._large_hash(row)

    def is_large(self, row: KeyRow) -> bool:
        """Tell whether its members are wanted and too many for one slice."""
        return self._wanted(row) and (row.count or 0) > WHOLE

    def fetch_members(self, rows: Sequence[KeyRow]) -> None:
        """Fill in the members of sets that are wanted."""
        for row in rows:
            if self._wanted(row):
                row.members = self._members_of(row)

    def count_empty_fields(self, rows: Sequence[KeyRow]) -> None:
        """Count the empty fields of the hashes where they are wanted."""
        asked: list[KeyRow] = []
        for row in rows:
            lengths = row.lengths or []
            if not any(lengths[place] is not None for place in self._beside if lengths) or row.count is None:
                continue
            if row.count <= MOST_COUNTED:
                row.empty_fields = lengths.count(0)
                if row.count > len(lengths) - lengths.count(None):
                    asked.append(row)
        known = set(self._names)
        plan = [
            (row, name)
            for row, names in zip(asked, self._ask([("HKEYS", row.key) for row in asked]), strict=True)
            if isinstance(names, list)
            for name in names
            if name not in known
        ]
        for (row, _), length in zip(plan, self._ask([("HSTRLEN", row.key, name) for row, name in plan]), strict=True):
            row.empty_fields = (row.empty_fields or 0) + (length == 0)

    def _second_round(self, row: KeyRow) -> Iterator[tuple[str, tuple[Any, ...]]]:
        length = _LENGTHS.get(row.kind, "")
        if length.lower() in self._permissions:
            yield "count", (length, row.key)
        if row.kind == "string" and self._projection.string_bytes and "getrange" in self._permissions:
            yield "head", ("GETRANGE", row.key, 0, self._projection.string_bytes - 1)
        if row.kind == "hash" and self._names and self._at_once(row):
            yield "fields", ("HMGET", row.key, *self._names)

    def _at_once(self, row: KeyRow) -> bool:
        """Tell whether a hash is so small that its fields are fetched before their lengths are known."""
        return not self._names or "hstrlen" not in self._permissions or (row.usage or LONG) <= SMALL

    def _put_fields(self, row: KeyRow, values: Sequence[bytes | None]) -> None:
        if any(value is not None for value in values):
            keeps = [keep for _, keep in self._projection.hash_fields]
            row.values = [None if value is None else value[:keep] for value, keep in zip(values, keeps, strict=True)]
            row.lengths = [None if value is None else len(value) for value in values]

    def _large_hash(self, row: KeyRow) -> None:
        """Ask for the lengths first: a field cannot be read in part."""
        fields = self._projection.hash_fields
        answers = self._ask([("HSTRLEN", row.key, name) for name, _ in fields])
        lengths: list[int | None] = [answer if isinstance(answer, int) and answer else None for answer in answers]
        if "hexists" in self._permissions:
            nothing = [place for place, length in enumerate(lengths) if length is None]
            for place, there in zip(
                nothing, self._ask([("HEXISTS", row.key, fields[p][0]) for p in nothing]), strict=True
            ):
                lengths[place] = 0 if there == 1 else None
        if all(length is None for length in lengths):
            return
        values: list[bytes | None] = [None if length is None else b"" for length in lengths]
        for place, ((name, keep), length) in enumerate(zip(fields, lengths, strict=True)):
            if keep and length and length > LONG:
                self.unread += 1
            elif keep and length:
                answer = self._ask([("HMGET", row.key, name)])[0]
                values[place] = (answer[0] or b"")[:keep] if isinstance(answer, list) else b""
        row.values, row.lengths = values, lengths

    def _wanted(self, row: KeyRow) -> bool:
        command = _MEMBERS.get(row.kind, "")
        if self._projection.lasting_members and row.expires is not None:
            return False
        return command in self._permissions and any(mark in row.key for mark in self._projection.members_of)

    def _members_of(self, row: KeyRow) -> list[bytes]:
        count = row.count or 0
        if row.kind == "zset":
            pieces = [self._ask([("ZRANGE", row.key, at, at + PIECE - 1)])[0] for at in range(0, max(count, 1), PIECE)]
            return list(dict.fromkeys(member for piece in pieces if isinstance(piece, list) for member in piece))
        if count <= WHOLE or "sscan" not in self._permissions:
            answer = self._ask([("SMEMBERS", row.key)])[0]
            return answer if isinstance(answer, list) else []
        members: dict[bytes, None] = {}
        cursor = b""
        while cursor != b"0":
            answer = self._ask([("SSCAN", row.key, cursor or b"0", "COUNT", PIECE)])[0]
            if isinstance(answer, ServerError):
                break
            cursor, piece = answer
            members.update(dict.fromkeys(piece))
        return list(members)

    def _ask(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        return self.connection.pipeline(commands) if commands else []
