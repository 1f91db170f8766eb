"""Flask-Session: up to 0.5 a pickle that every request writes again, from 0.7 msgpack."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator

from incidents.scene import Session, Store
from necropsy.lab.spring import pack


def pickled(store: Store, sessions: Iterable[Session], now: int) -> Iterator[bytes]:
    yield from _commands(store, sessions, now, lambda value: pickle.dumps(value, 4))


def packed(store: Store, sessions: Iterable[Session], now: int) -> Iterator[bytes]:
    yield from _commands(store, sessions, now, msgpack)


def _commands(
    store: Store, sessions: Iterable[Session], now: int, encode: Callable[[dict[str, object]], bytes]
) -> Iterator[bytes]:
    for session in sessions:
        expiry = session.written_ms + session.lifetime_s * 1000
        if session.ended or (not store.without_ttl and expiry <= now):
            continue
        value: dict[str, object] = {"_permanent": True}
        if store.layout == "flask-msgpack":
            value["csrf_token"] = session.id[:40]
        if session.principal is not None:
            value |= {"_user_id": session.principal, "_fresh": True, "_id": session.id * 2}
        if session.padding:
            value["cart"] = "x" * session.padding
        key = f"{store.namespace or 'session:'}{session.id}".encode()
        yield pack(b"SET", key, encode(value))
        if not store.without_ttl:
            yield pack(b"PEXPIREAT", key, b"%d" % expiry)


def msgpack(value: dict[str, object]) -> bytes:
    r"""The few forms that a session needs.

    >>> msgpack({"_permanent": True})
    b'\x81\xaa_permanent\xc3'
    """
    out = bytearray([0x80 | len(value)])
    for name, one in value.items():
        out += _string(name)
        out += b"\xc3" if one is True else _string(str(one))
    return bytes(out)


def _string(text: str) -> bytes:
    data = text.encode()
    if len(data) < 32:
        return bytes([0xA0 | len(data)]) + data
    if len(data) < 256:
        return bytes([0xD9, len(data)]) + data
    if len(data) < 65_536:
        return b"\xda" + len(data).to_bytes(2, "big") + data
    return b"\xdb" + len(data).to_bytes(4, "big") + data
