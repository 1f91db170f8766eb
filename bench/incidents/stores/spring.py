"""Spring Session: the indexed repository (2.x), the plain and the reactive ones (3.x), with Java serialization."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from incidents.chance import Chance
from incidents.scene import GRACE_MS, Session, Store
from necropsy.lab import java
from necropsy.lab.spring import pack
from necropsy.lab.spring_security import PRINCIPAL_INDEX, saved_request, security_context


def indexed(store: Store, sessions: Iterable[Session], now: int) -> Iterator[bytes]:
    """Hash, marker and minute set; the hash outlives its session by five minutes."""
    name = (store.namespace or "spring:session").encode()
    minutes: dict[int, tuple[list[bytes], int]] = {}
    principals: dict[str, list[bytes]] = {}
    chance = Chance(now, "evicted markers")
    for session in sessions:
        immortal = (store.without_ttl or session.lifetime_s < 0) and not session.ended
        lifetime = session.lifetime_s * 1000
        expiry = session.written_ms + lifetime
        gone = session.written_ms + GRACE_MS if session.ended else expiry + GRACE_MS
        if not immortal and gone <= now:
            continue
        key = b"%b:sessions:%b" % (name, session.id.encode())
        dead = session.ended or (not immortal and session.accessed_ms + lifetime <= now)
        yield pack(b"HSET", key, *_fields(session, 0 if session.ended else session.lifetime_s))
        if immortal:
            yield pack(b"APPEND", b"%b:sessions:expires:%b" % (name, session.id.encode()), b"")
            continue
        yield _until(key, gone)
        if dead:
            continue
        if not chance.happens(store.evicted_markers):
            marker = b"%b:sessions:expires:%b" % (name, session.id.encode())
            yield pack(b"APPEND", marker, b"")
            yield _until(marker, expiry)
        minute = (session.accessed_ms + lifetime) // 60_000 * 60_000 + 60_000
        members, latest = minutes.get(minute, ([], 0))
        members.append(java.string(f"expires:{session.id}"))
        minutes[minute] = (members, max(latest, expiry + GRACE_MS))
        if session.principal is not None:
            principals.setdefault(session.principal, []).append(java.string(session.id))
    for minute, (members, latest) in minutes.items():
        key = b"%b:expirations:%d" % (name, minute)
        yield pack(b"SADD", key, *members)
        yield _until(key, latest)
    for principal, ids in principals.items():
        yield pack(b"SADD", f"{name.decode()}:index:{PRINCIPAL_INDEX}:{principal}".encode(), *ids)


def plain(store: Store, sessions: Iterable[Session], now: int) -> Iterator[bytes]:
    """One hash, no grace."""
    name = (store.namespace or "spring:session").encode()
    for session in sessions:
        immortal = store.without_ttl or session.lifetime_s < 0
        expiry = session.accessed_ms + session.lifetime_s * 1000
        if session.ended or (not immortal and expiry <= now):
            continue
        key = b"%b:sessions:%b" % (name, session.id.encode())
        yield pack(b"HSET", key, *_fields(session, session.lifetime_s))
        if not immortal:
            yield _until(key, expiry)


def _fields(session: Session, lifetime_s: int) -> list[bytes]:
    fields = [
        b"lastAccessedTime", java.long(session.accessed_ms),
        b"creationTime", java.long(session.born_ms),
        b"maxInactiveInterval", java.integer(lifetime_s),
    ]  # fmt: skip
    if session.principal is not None:
        fields += [b"sessionAttr:SPRING_SECURITY_CONTEXT", _context(session.principal),
                   f"sessionAttr:{PRINCIPAL_INDEX}".encode(), java.string(session.principal)]  # fmt: skip
    elif session.saved is not None:
        fields += [b"sessionAttr:SPRING_SECURITY_SAVED_REQUEST", _saved(*session.saved)]
    if session.padding:
        fields += [b"sessionAttr:cart", java.string("x" * min(session.padding, 65_000))]
        fields += [b"sessionAttr:history", java.string("y" * min(max(1, session.padding - 65_000), 65_000))]
    return fields


@lru_cache(maxsize=4096)
def _context(principal: str) -> bytes:
    return security_context(principal, "ROLE_USER", "10.20.1.4", "00000000-0000-4000-8000-000000000000")


@lru_cache(maxsize=4096)
def _saved(host: str, path: str, agent: str, address: str) -> bytes:
    del address
    name, _, port = host.partition(":")
    headers = {"host": host, "accept": "*/*", "connection": "close"}
    if agent:
        headers["user-agent"] = agent
    return saved_request(name, int(port or 80), path, headers)


def _until(key: bytes, at_ms: int) -> bytes:
    return pack(b"PEXPIREAT", key, b"%d" % at_ms)
