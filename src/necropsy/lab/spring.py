"""Sessions as Spring Session 2.1 (indexed, Java serialization) writes them to Redis.

For one anonymous session of admin A (``RedisOperationsSessionRepository``, ``RedisSessionExpirationPolicy``)::

    HSET   spring:session:sessions:<id>  creationTime … lastAccessedTime … maxInactiveInterval …   TTL lifetime + 300
    APPEND spring:session:sessions:expires:<id> ""                                                 TTL lifetime
    SADD   spring:session:expirations:<ms, next minute>  "expires:<id>"                            TTL lifetime + 300

Somebody who is logged in also has a member in a set for the principal, which has no TTL. Every minute a task of the
application deletes the set of the minute that has passed and touches its members, so that Redis expires them; the
hash stays for its five minutes. A login changes the id: both keys are renamed, but the former id's entry stays in its
minute set until that minute has passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from necropsy.lab import java
from necropsy.lab.events import WrittenSession
from necropsy.lab.spring_security import PRINCIPAL_INDEX
from necropsy.lab.story import GRACE_S

NAMESPACE: Final = "spring:session"
_MINUTE_MS: Final = 60_000


@dataclass(slots=True)
class _MinuteSet:
    """Members of ``expirations:<minute>`` and the last time that one was added."""

    members: list[bytes] = field(default_factory=list)
    written_ms: int = 0


class SpringKeys:
    """The keys of a store at a moment, given all sessions that ever were written to it.

    Parameters
    ----------
    sessions
        In any order; those whose keys are gone by now are left out.
    lifetime_s
        Idle lifetime of a session.
    now_ms
        The moment, Unix milliseconds: just after the application's task of this minute.
    """

    def __init__(self, sessions: Iterable[WrittenSession], lifetime_s: int, now_ms: int) -> None:
        self._lifetime_s = lifetime_s
        self._lifetime_ms = lifetime_s * 1000
        self._now_ms = now_ms
        self.live: list[WrittenSession] = []
        """Sessions that a request could still use, by time of birth."""
        self.grace: list[WrittenSession] = []
        """Expired or logged out within the last five minutes: only the hash is left."""
        self._minutes: dict[int, _MinuteSet] = {}
        self._principals: dict[str, list[str]] = {}
        for session in sorted(sessions, key=lambda one: (one.created_ms, one.id)):
            self._place(session)

    @property
    def keys(self) -> int:
        """Number of keys: two for each live session, one for each in grace, and the shared sets."""
        return 2 * len(self.live) + len(self.grace) + self.minute_sets + self.principal_sets

    @property
    def minute_sets(self) -> int:
        """Number of ``expirations:<minute>`` sets."""
        return len(self._minutes)

    @property
    def principal_sets(self) -> int:
        """Number of principal index sets."""
        return len(self._principals)

    @property
    def live_ids(self) -> set[str]:
        """Ids of the live sessions."""
        return {session.id for session in self.live}

    @property
    def ids(self) -> Iterator[str]:
        """Every session id that can be read in the keys or the members, former ones included."""
        for session in (*self.live, *self.grace):
            yield session.id
            if session.former_id is not None:
                yield session.former_id

    def commands(self) -> Iterator[bytes]:
        """Yield the commands that write it to an empty store, packed; the reply to each is one integer."""
        for session in self.live:
            yield self._hash(session, self._lifetime_s)
            hash_key, marker = _key("sessions", session.id), _key("sessions", f"expires:{session.id}")
            expiry = session.written_ms + self._lifetime_ms
            yield _expire_at(hash_key, expiry + GRACE_S * 1000)
            yield pack(b"APPEND", marker, b"")
            yield _expire_at(marker, expiry)
        for session in self.grace:
            yield self._hash(session, 0 if session.ended else self._lifetime_s)
            yield _expire_at(_key("sessions", session.id), self._gone_at(session))
        for minute, held in self._minutes.items():
            key = _key("expirations", str(minute))
            yield pack(b"SADD", key, *held.members)
            yield _expire_at(key, held.written_ms + self._lifetime_ms + GRACE_S * 1000)
        for principal, ids in self._principals.items():
            yield pack(b"SADD", _key("index", f"{PRINCIPAL_INDEX}:{principal}"), *map(java.string, ids))

    def _gone_at(self, session: WrittenSession) -> int:
        """Return the time at which Redis drops the hash."""
        return session.written_ms + GRACE_S * 1000 + (0 if session.ended else self._lifetime_ms)

    def _place(self, session: WrittenSession) -> None:
        if self._gone_at(session) <= self._now_ms:
            return
        if session.ended or session.written_ms + self._lifetime_ms <= self._now_ms:
            self.grace.append(session)
            return
        self.live.append(session)
        self._mark(session.id, session.accessed_ms, session.written_ms)
        if session.former_id is not None:
            self._mark(session.former_id, session.former_accessed_ms, session.former_accessed_ms)
        if session.principal is not None:
            self._principals.setdefault(session.principal, []).append(session.id)

    def _mark(self, identifier: str, accessed_ms: int, written_ms: int) -> None:
        minute = (accessed_ms + self._lifetime_ms) // _MINUTE_MS * _MINUTE_MS + _MINUTE_MS
        if minute > self._now_ms:
            held = self._minutes.setdefault(minute, _MinuteSet())
            held.members.append(java.string(f"expires:{identifier}"))
            held.written_ms = max(held.written_ms, written_ms)

    def _hash(self, session: WrittenSession, lifetime_s: int) -> bytes:
        pieces = [
            b"HSET", _key("sessions", session.id),
            b"lastAccessedTime", java.long(session.accessed_ms),
            b"creationTime", java.long(session.created_ms),
            b"maxInactiveInterval", java.integer(lifetime_s),
        ]  # fmt: skip
        for name, value in session.attributes:
            pieces += [f"sessionAttr:{name}".encode(), value]
        return pack(*pieces)


def pack(*pieces: bytes) -> bytes:
    r"""Pack one command for the wire (RESP).

    >>> pack(b"APPEND", b"key", b"")
    b'*3\r\n$6\r\nAPPEND\r\n$3\r\nkey\r\n$0\r\n\r\n'
    """
    return b"*%d\r\n" % len(pieces) + b"".join([b"$%d\r\n%b\r\n" % (len(piece), piece) for piece in pieces])


def _key(family: str, name: str) -> bytes:
    return f"{NAMESPACE}:{family}:{name}".encode()


def _expire_at(key: bytes, at_ms: int) -> bytes:
    return pack(b"PEXPIREAT", key, b"%d" % at_ms)
