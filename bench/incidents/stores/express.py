"""express-session with connect-redis: JSON under ``sess:``; a touch moves the expiry and leaves the value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from incidents.scene import Session, Store
from necropsy.lab.spring import pack


def commands(store: Store, sessions: Iterable[Session], now: int) -> Iterator[bytes]:
    prefix = store.namespace or "sess:"
    for session in sessions:
        lifetime = session.lifetime_s * 1000
        # connect-redis: SET EX ceil((cookie.expires - now) / 1000), EXPIRE the same at a touch
        last = max(session.written_ms, session.accessed_ms)
        if session.ended or (not store.without_ttl and last + lifetime <= now):
            continue
        key = f"{prefix}{session.id}".encode()
        yield pack(b"SET", key, _value(session, lifetime))
        if not store.without_ttl:
            yield pack(b"PEXPIREAT", key, b"%d" % (last + lifetime))


def _value(session: Session, lifetime: int) -> bytes:
    expires = datetime.fromtimestamp((session.written_ms + lifetime) / 1000, UTC)
    stamp = expires.strftime("%Y-%m-%dT%H:%M:%S.") + f"{(session.written_ms + lifetime) % 1000:03d}Z"
    value: dict[str, object] = {
        "cookie": {"originalMaxAge": lifetime, "expires": stamp, "httpOnly": True, "path": "/"},
    }
    if session.principal is not None:
        value["passport"] = {"user": session.principal}
    if session.padding:
        value["cart"] = ["x" * 60] * (session.padding // 63)
    return json.dumps(value, separators=(",", ":")).encode()
