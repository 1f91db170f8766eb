"""Sessions of Django and Flask: real dumps beside what made them, and arbitrary bytes."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.case.identity import hash_identifier
from necropsy.case.store import Case
from necropsy.sessions.flask import authentication
from necropsy.sessions.lifetimes import USUAL, round_up
from sessions.keyspaces import ASSETS, batch, families, key, of_dump, sessions, settled

DUMPS = ASSETS / "python"
FLASK = {"logged in": "yes", "logged out": "unknown"}


@dataclass(frozen=True)
class Dump:
    name: str
    case: Case
    facts: dict[str, Any]

    def pairs(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        assert self.case._key is not None
        rows = {row["id_hash"]: row for row in sessions(self.case)}
        pairs = []
        for fact in self.facts["sessions"]:
            identifier = fact.get("id") or fact["key"].rpartition(":")[2]
            pairs.append((fact, rows.pop(hash_identifier(self.case._key, identifier.encode()))))
        assert not rows
        return pairs


@pytest.fixture(scope="module", params=sorted(path.stem for path in DUMPS.glob("*.rdb")))
def dump(request: pytest.FixtureRequest) -> Iterator[Dump]:
    with of_dump(request.param, folder=DUMPS) as case:
        yield Dump(request.param, case, json.loads((DUMPS / f"{request.param}.json").read_text()))


def test_every_session_is_found_and_nothing_else(dump: Dump) -> None:
    for fact, row in dump.pairs():
        assert row["layout"] == dump.facts["framework"]
        assert fact["key"].startswith(row["namespace"] + ":")
        assert row["keys"] == 1
    found = families(dump.case)
    assert sum(keys for _, keys in found.values()) == dump.facts["keys"]
    assert sum(keys for role, keys in found.values() if role == "session") == len(dump.facts["sessions"])


def test_who_is_logged_in_is_told_unless_a_compressor_hides_it(dump: Dump) -> None:
    for fact, row in dump.pairs():
        if dump.facts["framework"] == "flask":
            assert row["authentication"] == FLASK.get(fact["trait"], "no")
        elif dump.name == "django_redis_zlib" and fact["trait"] != "empty":
            assert row["authentication"] == "unknown"
        else:
            assert row["authentication"] == ("yes" if fact["trait"] == "logged in" else "no")


def test_a_session_was_born_one_lifetime_before_it_expires_at_the_latest(dump: Dump) -> None:
    for fact, row in dump.pairs():
        assert row["state"] == ("expired" if fact["trait"] == "expired" else "live")
        if fact["trait"] == "expired":
            continue
        assert row["lifetime_s"] == 86_400
        expiry = datetime.fromtimestamp(fact["expires_ms"] / 1000, UTC).replace(tzinfo=None)
        assert row["last_seen_at"] == expiry - timedelta(days=1)
        assert row["born_at"] == row["last_seen_at"]
        assert row["born_provenance"] == "not later than"


def test_neither_id_nor_principal_reaches_the_case(dump: Dump) -> None:
    everything = "".join(str(dump.case.rows(f"SELECT * FROM {table}")) for table in ("session", "key_family"))
    for fact, _ in dump.pairs():
        assert (fact.get("id") or fact["key"].rpartition(":")[2]) not in everything
    assert "principal-alice" not in everything


def test_an_empty_session_has_no_attributes(dump: Dump) -> None:
    counted = {fact["trait"]: row["attributes"] for fact, row in dump.pairs()}
    if dump.facts["framework"] == "django":
        assert counted["empty"] == 0
    elif dump.name == "flask_session_0_5":
        assert counted["probe"] == 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ORDINARY = st.fixed_dictionaries(
    {"_permanent": st.just(True)}, optional={"_fresh": st.booleans(), "_id": st.just("a" * 128)}
)


def packed(value: object) -> bytes:
    """MessagePack, as far as these tests need it."""
    if isinstance(value, dict):
        items = b"".join(packed(name) + packed(one) for name, one in value.items())
        return b"\xde" + len(value).to_bytes(2, "big") + items if len(value) > 3 else bytes([0x80 | len(value)]) + items
    if isinstance(value, list):
        return bytes([0x90 | len(value)]) + b"".join(map(packed, value))
    if isinstance(value, str):
        data = value.encode()
        return (bytes([0xA0 | len(data)]) if len(data) < 32 else bytes([0xD9, len(data)])) + data
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    assert isinstance(value, int)
    return bytes([value]) if 0 <= value < 128 else b"\xd3" + value.to_bytes(8, "big", signed=True)


@given(ORDINARY, st.integers(2, 5))
def test_what_flask_itself_keeps_logs_nobody_in(session: dict[str, Any], protocol: int) -> None:
    assert authentication(pickle.dumps(session, protocol)) == "no"
    assert authentication(packed(session)) == "no"
    assert authentication(json.dumps(session).encode()) == "no"


@given(VALUES, st.integers(2, 5))
def test_a_key_of_the_application_is_seen_behind_any_value(value: object, protocol: int) -> None:
    session = {"_permanent": True, "_fresh": value, "member": 1}
    assert authentication(pickle.dumps(session, protocol)) == authentication(packed(session)) == "unknown"
    assert authentication(packed({**session, "_user_id": "7"})) == "yes"
    assert authentication(pickle.dumps({"member": {"user_id": 1}}, protocol)) == "unknown"


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x80\x04", b"\x82", b"\xde\x00", b"{"]))
def test_arbitrary_bytes_never_raise(noise: bytes, start: bytes) -> None:
    assert authentication(start + noise) in {"yes", "no", "unknown"}


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("session:3fa85f64-5717-4562-b3fc-2c963f66afa6", b"plain text"),
        ("session:short", b"\x81\xaa_permanent\xc3"),
        ("cache:3fa85f64-5717-4562-b3fc-2c963f66afa6", b"\x80\x04}\x94."),
        ("django.contrib.sessions.cache:settings", b"\x80\x04}\x94."),
        (":1:django.contrib.sessions.cacheABC", b"\x80\x04}\x94."),
    ],
)
def test_what_only_looks_like_a_session_is_left_alone(name: str, head: bytes) -> None:
    with settled([batch([key(name, head=head, elements=len(head))])]) as case:
        assert not case.has("session")


@given(st.floats(0.001, 4e7))
def test_a_lifetime_is_rounded_up_to_a_usual_one_that_is_near_or_to_the_minute(seconds: float) -> None:
    rounded = round_up(seconds)
    assert seconds <= rounded
    assert rounded in USUAL or rounded - seconds < 60
