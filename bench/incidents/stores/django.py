"""Django's cache sessions through its Redis cache: a pickled dict, written only when it changed."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator

from incidents.scene import Session, Store
from necropsy.lab.spring import pack


def commands(store: Store, sessions: Iterable[Session], now: int) -> Iterator[bytes]:
    prefix = store.namespace or ":1:django.contrib.sessions.cache"
    for session in sessions:
        expiry = session.written_ms + session.lifetime_s * 1000
        if session.ended or (not store.without_ttl and expiry <= now):
            continue
        value: dict[str, object] = {"_csrftoken": session.id}
        if session.principal is not None:
            value = {
                "_auth_user_id": str(abs(hash_of(session.principal)) % 100_000),
                "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
                "_auth_user_hash": session.id * 2,
            }
        if session.padding:
            value["cart"] = "x" * session.padding
        key = f"{prefix}{session.id}".encode()
        yield pack(b"SET", key, pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        if not store.without_ttl:
            yield pack(b"PEXPIREAT", key, b"%d" % expiry)


def hash_of(text: str) -> int:
    return sum(ord(letter) * 31**place for place, letter in enumerate(text[:12]))
