from __future__ import annotations

from necropsy.lab import java
from necropsy.lab.events import WrittenSession
from necropsy.lab.spring import SpringKeys, pack
from necropsy.lab.story import FOREVER_S

NOW_MS = 1_558_724_400_000
DAY_S = 86_400
HOUR = 3_600_000
INDEX = b"spring:session:index:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME:"


def _session(name: str, ago_ms: int, **more: object) -> WrittenSession:
    at = NOW_MS - ago_ms
    return WrittenSession(name, at, at + 10, at + 15)._replace(**more)  # type: ignore[arg-type]


def _keyspace(*sessions: WrittenSession, lifetime_s: int = DAY_S) -> SpringKeys:
    return SpringKeys(sessions, lifetime_s, NOW_MS)


def test_a_live_session_is_two_keys_and_a_share_of_a_minute_set() -> None:
    keyspace = _keyspace(_session("x", HOUR))
    written = NOW_MS - HOUR + 15
    expiry = written + DAY_S * 1000
    minute = (NOW_MS - HOUR + 10 + DAY_S * 1000) // 60_000 * 60_000 + 60_000
    assert keyspace.keys == 3
    assert list(keyspace.commands()) == [
        pack(
            *(b"HSET", b"spring:session:sessions:x"),
            *(b"lastAccessedTime", java.long(NOW_MS - HOUR + 10)),
            *(b"creationTime", java.long(NOW_MS - HOUR)),
            *(b"maxInactiveInterval", java.integer(DAY_S)),
        ),
        pack(b"PEXPIREAT", b"spring:session:sessions:x", b"%d" % (expiry + 300_000)),
        pack(b"APPEND", b"spring:session:sessions:expires:x", b""),
        pack(b"PEXPIREAT", b"spring:session:sessions:expires:x", b"%d" % expiry),
        pack(b"SADD", b"spring:session:expirations:%d" % minute, java.string("expires:x")),
        pack(b"PEXPIREAT", b"spring:session:expirations:%d" % minute, b"%d" % (expiry + 300_000)),
    ]


def test_for_five_minutes_after_its_expiry_only_the_hash_is_left() -> None:
    keyspace = _keyspace(_session("x", DAY_S * 1000 + 60_000))
    assert (len(keyspace.live), len(keyspace.grace), keyspace.keys) == (0, 1, 1)
    assert [command.split(b"\r\n")[2] for command in keyspace.commands()] == [b"HSET", b"PEXPIREAT"]


def test_after_the_grace_nothing_is_left() -> None:
    assert _keyspace(_session("x", DAY_S * 1000 + 301_000)).keys == 0


def test_a_logout_leaves_a_hash_of_no_lifetime_for_five_minutes() -> None:
    keyspace = _keyspace(_session("x", 60_000, ended=True, principal="p"), _session("y", 400_000, ended=True))
    hashed, expiry = keyspace.commands()
    assert keyspace.keys == 1
    assert java.integer(0) in hashed
    assert b"%d" % (NOW_MS - 60_000 + 15 + 300_000) in expiry


def test_somebody_logged_in_has_an_index_set_without_expiry() -> None:
    sessions = (_session("x", HOUR, principal="p"), _session("y", 2 * HOUR, principal="p"))
    keyspace = _keyspace(*sessions)
    assert keyspace.principal_sets == 1
    assert list(keyspace.commands())[-1] == pack(b"SADD", INDEX + b"p", java.string("y"), java.string("x"))


def test_the_id_before_a_login_stays_in_its_minute_set() -> None:
    session = _session(
        "new", HOUR, former_id="old", former_accessed_ms=NOW_MS - HOUR, accessed_ms=NOW_MS - HOUR + 90_000
    )
    keyspace = _keyspace(session)
    assert keyspace.minute_sets == 2
    assert any(java.string("expires:old") in command for command in keyspace.commands())
    assert list(keyspace.ids) == ["new", "old"]


def test_sessions_of_one_minute_share_a_set() -> None:
    assert _keyspace(_session("x", HOUR), _session("y", HOUR + 1)).minute_sets == 1


def test_a_lifetime_of_the_largest_integer_ends_in_2087() -> None:
    keyspace = _keyspace(_session("x", 3 * DAY_S * 1000), lifetime_s=FOREVER_S)
    expiry = NOW_MS - 3 * DAY_S * 1000 + 15 + FOREVER_S * 1000
    assert len(keyspace.live) == 1
    assert any(b"%d" % (expiry + 300_000) in command for command in keyspace.commands())
    assert 1_970 + expiry // (365.2425 * 86_400_000) == 2_087
