"""What caches, queues and limiters hold is no session, though its bytes are as a session's: the key's name says so."""

from __future__ import annotations

import base64
import hashlib
import json
import pickle
import uuid

import pytest

from sessions.keyspaces import batch, key, sessions, settled

OBJECTS = ({"user": "anna", "user_id": 3}, {"user_id": 3, "name": "anna"}, {"items": [1, 2]}, {"cart": []}, {})
IDS = {
    "UUID without hyphens": lambda n: uuid.UUID(bytes=_digest(n)[:16], version=4).hex,
    "UUID": lambda n: str(uuid.UUID(bytes=_digest(n)[:16], version=4)),
    "MD5": lambda n: _digest(n)[:16].hex(),
    "SHA-1": lambda n: _digest(n)[:20].hex(),
    "SHA-256": lambda n: _digest(n).hex(),
    "token": lambda n: base64.urlsafe_b64encode(_digest(n)).decode().rstrip("="),
}
VALUES = {
    "json": [json.dumps(one).encode() for one in OBJECTS],
    "dense json": [json.dumps(one, separators=(",", ":")).encode() for one in OBJECTS],
    "pickle": [pickle.dumps(one) for one in OBJECTS],
    "old pickle": [pickle.dumps(one, 2) for one in OBJECTS],
    "MessagePack": [b"\x82\xa4user\xa4anna\xa7user_id\x03", b"\x81\xa4cart\x90", b"\x80"],
    "Marshal": [
        b'\x04\x08{\x07I"\x09user\x06:\x06ETI"\x09anna\x06;\x00TI"\x0cuser_id\x06;\x00Ti\x08',
        b"\x04\x08{\x00",
    ],
    "PHP": [b'a:2:{s:4:"user";s:4:"anna";s:7:"user_id";i:3;}', b'a:1:{s:4:"cart";a:0:{}}', b"a:0:{}"],
    "igbinary": [b"\x00\x00\x00\x02\x14\x01\x11\x04user\x11\x04anna", b"\x00\x00\x00\x02\x14\x00"],
    "nothing": [b""],
    "number": [b"1", b"1764500000"],
}


def _digest(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


@pytest.mark.parametrize("name", ["views:", "cache:", "app_cache:", "queue.", "lock:", "otp/", "rate-limit:", "reset:"])
@pytest.mark.parametrize("kind", VALUES)
def test_an_object_under_a_name_of_a_cache_is_no_session(kind: str, name: str) -> None:
    made = [
        key(f"{name}{identifier(number)}", ttl_s=600, head=value, elements=len(value))
        for identifier in IDS.values()
        for number, value in enumerate(VALUES[kind] * 2)
    ]
    with settled([batch(made)]) as case:
        assert sessions(case) == []


@pytest.mark.parametrize("spaced", [True, False])
def test_json_under_a_uuid_is_sanics_by_a_word_and_by_no_space(spaced: bool) -> None:
    value = json.dumps({"user": "anna"}, separators=None if spaced else (",", ":")).encode()
    names = ("session:", "shop.sanic.", "web:", "")
    made = [key(name + IDS["UUID without hyphens"](1), ttl_s=600, head=value, elements=len(value)) for name in names]
    with settled([batch(made)]) as case:
        assert {row["layout"] for row in sessions(case)} == (set() if spaced else {"sanic"})
        assert len(sessions(case)) == (0 if spaced else 2)
