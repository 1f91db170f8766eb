"""PHP: phpredis' own handler, and Laravel's cache sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from incidents.scene import Session, Store
from necropsy.lab.spring import pack


def commands(store: Store, sessions: Iterable[Session], now: int) -> Iterator[bytes]:
    """``PHPREDIS_SESSION:<id>``; an empty session is an empty string."""
    for session in sessions:
        value = b""
        if session.principal is not None:
            value = f'user|s:{len(session.principal)}:"{session.principal}";'.encode()
        if session.padding:
            value += b'cart|s:%d:"%b";' % (session.padding, b"x" * session.padding)
        yield from _set(store, session, now, f"{store.namespace or 'PHPREDIS_SESSION:'}{session.id}", value)


def laravel(store: Store, sessions: Iterable[Session], now: int) -> Iterator[bytes]:
    """A serialized string that holds a serialized array."""
    for session in sessions:
        guard = (
            's:50:"login_web_59ba36addc2b2f9401580f014c7f58ea4e30989d";i:7;' if session.principal is not None else ""
        )
        inner = (
            f'a:{3 + bool(guard)}:{{s:6:"_token";s:40:"{session.id}";s:9:"_previous";a:1:{{s:3:"url";s:20:"http://shop.test/log";}}'
            f's:6:"_flash";a:2:{{s:3:"old";a:0:{{}}s:3:"new";a:0:{{}}}}{guard}}}'
        )
        value = f's:{len(inner)}:"{inner}";'.encode()
        yield from _set(
            store, session, now, f"{store.namespace or 'laravel_database_laravel_cache_:'}{session.id}", value
        )


def _set(store: Store, session: Session, now: int, name: str, value: bytes) -> Iterator[bytes]:
    expiry = session.written_ms + session.lifetime_s * 1000
    if session.ended or (not store.without_ttl and expiry <= now):
        return
    yield pack(b"SET", name.encode(), value)
    if not store.without_ttl:
        yield pack(b"PEXPIREAT", name.encode(), b"%d" % expiry)
