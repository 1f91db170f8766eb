from __future__ import annotations

from datetime import datetime, timedelta

from examine.cases import cleared, scene
from necropsy.examine.interface import Examination


def test_a_store_full_of_something_else_is_told_so() -> None:
    with scene() as s:
        s.source("rdb").case.append("key_family", [
            {"store": "a", "pattern": "cache:*", "type": "string", "role": "other", "keys": 10, "bytes": 9_000_000, "without_expiry": 10},
            {"store": "a", "pattern": "spring:*", "type": "hash", "role": "session", "keys": 10, "bytes": 1_000_000, "without_expiry": 0},
        ])  # fmt: skip
        (finding,) = s.examine().findings
    assert finding.slug == "memory/not-sessions"
    assert finding.title.startswith("90 %")


SLUG = "memory/not-sessions"


def examined(*families: dict[str, object]) -> Examination:
    with scene() as s:
        return (
            s.source("rdb").rows("key_family", *({"store": "a", "type": "string", **row} for row in families)).examine()
        )


CACHE = {"pattern": "cache:*", "role": "other", "keys": 10, "bytes": 9_000_000, "without_expiry": 10}
SESSIONS = {"pattern": "spring:*", "role": "session", "keys": 10, "bytes": 1_000_000, "without_expiry": 0}


def test_keys_with_an_expiry_in_a_store_without_known_sessions_may_be_sessions() -> None:
    said = examined({**CACHE, "pattern": "laravel_cache:*", "without_expiry": 0})
    assert not [f for f in said.findings if f.slug == SLUG]
    assert SLUG not in cleared(said)
    assert "possibly sessions" in next(u.hint for u in said.unexamined if u.slug == SLUG)


def test_beside_known_sessions_keys_with_an_expiry_are_not_sessions_and_not_told_to_get_one() -> None:
    (finding,) = (f for f in examined({**CACHE, "without_expiry": 0}, SESSIONS).findings if f.slug == SLUG)
    assert finding.confidence == "medium"
    assert finding.remedy is not None
    assert finding.remedy.text.startswith("These keys have an expiry")


def test_what_never_expires_beside_sessions_is_certain() -> None:
    (finding,) = (f for f in examined(CACHE, SESSIONS).findings if f.slug == SLUG)
    assert (finding.confidence, finding.share, finding.share_of, finding.bytes) == ("high", 0.9, "bytes", 9_000_000)


def test_what_may_be_sessions_is_named_with_what_its_expiries_tell() -> None:
    taken, day = datetime(2026, 3, 1, 12), timedelta(days=1)  # noqa: DTZ001 -- the case holds UTC without a zone
    family = {"pattern": "app-*", "keys": 1200, "tokens": 1200, "bytes": 300_000, "without_expiry": 0, "role": "other"}
    with scene() as s:
        s.case.append("source", [{"reader": "rdb", "locator": "a.rdb", "store": "a", "taken_at": taken}])
        expiries = {"first_expiry": taken + day / 2, "last_expiry": taken + day}
        said = s.rows("key_family", {"store": "a", "type": "string", **family, **expiries}).examine()
    hint = next(u.hint for u in said.unexamined if u.slug == SLUG)
    assert "1,200 of 1,200 keys may be sessions" in hint
    assert "live for about 1 day" in hint
    assert "span 12 hours" in hint
    assert "--layout FILE" in hint
