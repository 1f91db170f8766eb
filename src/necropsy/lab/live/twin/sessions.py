"""Spring Session's indexed repository (3.5) in Python: the same commands in the same order, as MONITOR shows the real one's.

A new session of nobody::

    HMSET   spring:session:sessions:<id>   lastAccessedTime … maxInactiveInterval … creationTime … sessionAttr:…
    APPEND  spring:session:sessions:expires:<id> ""
    PEXPIRE spring:session:sessions:expires:<id>      lifetime
    PEXPIRE spring:session:sessions:<id>              lifetime + 300 s
    PEXPIRE spring:session:expirations:<minute>       lifetime + 300 s
    SADD    spring:session:expirations:<minute>       "expires:<id>"

An attribute that is removed stays as a field with an empty value. A test runs the real application and compares.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Final

from necropsy.lab import java
from necropsy.lab.live.twin.connection import TwinConnection
from necropsy.lab.spring_security import PRINCIPAL_INDEX

_NAMESPACE: Final = "spring:session:"
_MINUTE_MS: Final = 60_000
_GRACE_MS: Final = 300_000
CONTEXT: Final = "SPRING_SECURITY_CONTEXT"
SAVED_REQUEST: Final = "SPRING_SECURITY_SAVED_REQUEST"
LAST_EXCEPTION: Final = "SPRING_SECURITY_LAST_EXCEPTION"
CSRF: Final = "org.springframework.security.web.csrf.HttpSessionCsrfTokenRepository.CSRF_TOKEN"


@dataclass(slots=True)
class TwinSession:
    """A session during one request; what changes is written at the end."""

    id: str
    lifetime_s: int
    created_ms: int
    accessed_ms: int
    principal: str | None = None
    """The user who is logged in."""
    stored_id: str | None = None
    """Id under which Redis has it; None: not yet."""
    stored_accessed_ms: int | None = None
    indexed: str | None = None
    """User under whom Redis has it in the index."""
    attributes: dict[str, bytes] = field(default_factory=dict)
    """All of them; empty bytes for one that was removed."""
    changed: dict[str, bytes] = field(default_factory=dict)

    def put(self, name: str, value: bytes) -> None:
        """Set an attribute; empty bytes remove it, as far as Spring removes anything."""
        self.attributes[name] = value
        self.changed[f"sessionAttr:{name}"] = value

    def has(self, name: str) -> bool:
        """Whether an attribute has a value."""
        return bool(self.attributes.get(name))


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def created(lifetime_s: int) -> TwinSession:
    """Return a new session that Redis does not have yet."""
    at = now_ms()
    return TwinSession(str(uuid.uuid4()), lifetime_s, at, at)


def find(redis: TwinConnection, identifier: str) -> TwinSession | None:
    """Return a session that is there and has not expired, as used now."""
    answer: list[bytes] = redis.call(b"HGETALL", _hash_key(identifier))
    fields = {name.decode(): value for name, value in zip(answer[::2], answer[1::2], strict=True)}
    if "creationTime" not in fields:
        return None
    lifetime_s = int.from_bytes(fields["maxInactiveInterval"][-4:], "big", signed=True)
    accessed = int.from_bytes(fields["lastAccessedTime"][-8:], "big")
    at = now_ms()
    if lifetime_s >= 0 and accessed + lifetime_s * 1000 <= at:
        return None
    prefix = "sessionAttr:"
    attributes = {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}
    principal = _principal(attributes.get(CONTEXT, b""))
    session = TwinSession(
        id=identifier,
        lifetime_s=lifetime_s,
        created_ms=int.from_bytes(fields["creationTime"][-8:], "big"),
        accessed_ms=at,
        principal=principal,
        stored_id=identifier,
        stored_accessed_ms=accessed,
        indexed=principal,
        attributes=attributes,
    )
    session.changed["lastAccessedTime"] = java.long(at)
    return session


def save(redis: TwinConnection, session: TwinSession) -> None:
    """Write what changed, and the expiries."""
    commands: list[tuple[bytes, ...]] = []
    if session.stored_id is not None and session.stored_id != session.id:
        commands += [
            (b"RENAME", _hash_key(session.stored_id), _hash_key(session.id)),
            (b"RENAME", _marker_key(session.stored_id), _marker_key(session.id)),
        ]
    fields = dict(session.changed)
    if session.stored_id is None:
        fields = {
            "lastAccessedTime": java.long(session.accessed_ms),
            "maxInactiveInterval": java.integer(session.lifetime_s),
            "creationTime": java.long(session.created_ms),
        } | fields
    pieces = [piece for name, value in fields.items() for piece in (name.encode(), value)]
    commands.append((b"HMSET", _hash_key(session.id), *pieces))
    if session.principal is not None and session.indexed is None:
        commands.append((b"SADD", _index_key(session.principal), java.string(session.id)))
    before = session.stored_accessed_ms
    commands += _expiries(session, None if before is None else before + session.lifetime_s * 1000)
    redis.pipeline(commands)


def delete(redis: TwinConnection, session: TwinSession) -> None:
    """Invalidate: the hash stays for five minutes, without a lifetime."""
    member = java.string(f"expires:{session.id}")
    commands: list[tuple[bytes, ...]] = []
    if session.indexed is not None:
        commands.append((b"SREM", _index_key(session.indexed), java.string(session.id)))
    until = session.accessed_ms if session.stored_accessed_ms is None else session.stored_accessed_ms
    commands += [
        (b"SREM", _minute_key(until + session.lifetime_s * 1000), member),
        (b"DEL", _marker_key(session.id)),
        (b"HMSET", _hash_key(session.id), b"maxInactiveInterval", java.integer(0)),
    ]
    session.lifetime_s = 0
    # Spring enters it in the set of this minute too, and takes it out again when it hears that its marker is deleted.
    commands.append((b"PEXPIRE", _hash_key(session.id), b"%d" % _GRACE_MS))
    redis.pipeline(commands)


def clean(redis: TwinConnection, minute_ms: int) -> None:
    """Touch what expired in a minute, so that Redis lets it go; Spring does this at every full minute."""
    key = _key("expirations", str(minute_ms))
    members: list[bytes] = redis.call(b"SMEMBERS", key)
    redis.pipeline(
        [(b"DEL", key), *((b"EXISTS", f"{_NAMESPACE}sessions:".encode() + member[7:]) for member in members)]
    )


def ended(redis: TwinConnection, marker: bytes) -> None:
    """Take a session whose marker Redis has expired out of the index of its user."""
    prefix = f"{_NAMESPACE}sessions:expires:".encode()
    if not marker.startswith(prefix):
        return
    identifier = marker.removeprefix(prefix).decode()
    context: bytes | None = redis.call(b"HGET", _hash_key(identifier), f"sessionAttr:{CONTEXT}".encode())
    if principal := _principal(context or b""):
        redis.call(b"SREM", _index_key(principal), java.string(identifier))


def _expiries(session: TwinSession, former_ms: int | None) -> list[tuple[bytes, ...]]:
    member = java.string(f"expires:{session.id}")
    lifetime_ms = session.lifetime_s * 1000
    key = _minute_key(session.accessed_ms + lifetime_ms)
    commands: list[tuple[bytes, ...]] = []
    if former_ms is not None and _minute_key(former_ms) != key:
        commands.append((b"SREM", _minute_key(former_ms), member))
    longer = b"%d" % (lifetime_ms + _GRACE_MS)
    # In this order: the set of a minute has no expiry before its second member comes.
    return [
        *commands,
        (b"APPEND", _marker_key(session.id), b""),
        (b"PEXPIRE", _marker_key(session.id), b"%d" % lifetime_ms),
        (b"PEXPIRE", _hash_key(session.id), longer),
        (b"PEXPIRE", key, longer),
        (b"SADD", key, member),
    ]


def _principal(context: bytes) -> str | None:
    """User name of a serialized context: its last text, after the mark of a string and a length of two bytes."""
    start = context.rfind(b"\x74\x00")
    if start < 0:
        return None
    length = int.from_bytes(context[start + 1 : start + 3], "big")
    return context[start + 3 : start + 3 + length].decode()


def _key(family: str, name: str) -> bytes:
    return f"{_NAMESPACE}{family}:{name}".encode()


def _hash_key(identifier: str) -> bytes:
    return _key("sessions", identifier)


def _marker_key(identifier: str) -> bytes:
    return _key("sessions:expires", identifier)


def _index_key(principal: str) -> bytes:
    return _key("index", f"{PRINCIPAL_INDEX}:{principal}")


def _minute_key(expires_ms: int) -> bytes:
    """Set of the next full minute."""
    return _key("expirations", str(expires_ms // _MINUTE_MS * _MINUTE_MS + _MINUTE_MS))
