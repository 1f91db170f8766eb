"""Spring Session's rarer cases, made by hand: what no application of today writes, or none at will."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from necropsy.sessions.columns import Keys
from necropsy.sessions.spring.creators import Creators
from necropsy.sessions.spring.layout import Spring
from necropsy.sessions.spring.names import ACCESSED, CONTEXT, CREATED, LIFETIME, PRINCIPAL, SAVED_REQUEST
from sessions.keyspaces import NOW, batch, families, integer, key, long, ms, sessions, settled, string

DAY = 86_400
ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


def record(name: str = ID, *, namespace: str = "spring:session", age_s: float = 60, **options: Any) -> dict[str, Any]:
    """A session last used ``age_s`` ago whose hash expires ``late_s`` after last use + lifetime."""
    lifetime_s = options.pop("lifetime_s", DAY)
    late_s = options.pop("late_s", 300.02)
    attributes = options.pop("attributes", {})
    without = options.pop("without", ())
    used = ms(NOW - timedelta(seconds=age_s))
    fields = {CREATED: long(used - 5000), ACCESSED: long(used), LIFETIME: integer(lifetime_s), **attributes}
    ttl_s = None if late_s is None else lifetime_s - age_s + late_s
    kept = {field: value for field, value in fields.items() if field not in without}
    return key(f"{namespace}:sessions:{name}", "hash", fields=kept, ttl_s=ttl_s, **options)


def expires(name: str = ID, *, namespace: str = "spring:session", ttl_s: float = DAY) -> dict[str, Any]:
    return key(f"{namespace}:sessions:expires:{name}", elements=0, ttl_s=ttl_s)


def minute_set(*names: str, namespace: str = "spring:session", prefix: str = "expires:") -> dict[str, Any]:
    members = [string(prefix + name) for name in names]
    return key(f"{namespace}:expirations:1700000040000", "set", members=members, elements=len(members))


def found(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    with settled([batch(rows)]) as case:
        return sessions(case)


@pytest.mark.parametrize(
    ("late_s", "layout"),
    [(0, "spring"), (0.02, "spring-reactive"), (-2, "spring-reactive"), (300.02, "spring-indexed")],
)
def test_without_any_other_key_the_expiry_alone_tells_the_repository(late_s: float, layout: str) -> None:
    (row,) = found(record(late_s=late_s))
    assert (row["layout"], row["state"], row["keys"]) == (layout, "live", 1)
    late = row["expires_at"] - row["last_seen_at"] - timedelta(days=1)
    assert abs(late.total_seconds() - late_s % 300) < 0.01 or late_s < 0


def test_a_companion_tells_the_repository_even_when_clocks_differ_by_the_grace() -> None:
    (row,) = found(record(late_s=0), expires())
    assert (row["layout"], row["keys"]) == ("spring-indexed", 2)


def test_a_hash_in_its_last_five_minutes_without_companion_is_dead() -> None:
    (row,) = found(record(age_s=DAY + 100), minute_set(ID))
    assert row["state"] == "grace"
    assert row["expires_at"] < NOW.replace(tzinfo=None)


def test_spring_session_1_0_has_minute_sets_of_bare_ids_and_no_grace() -> None:
    with settled([batch([record(late_s=0.02), minute_set(ID, prefix="")])]) as case:
        (row,) = sessions(case)
        assert (row["layout"], row["state"]) == ("spring-indexed", "live")
        assert row["expires_at"] - row["last_seen_at"] < timedelta(days=1, seconds=1)
        assert case.value("SELECT count(*) FROM index_entry JOIN session USING (id_hash)") == 1


def test_after_an_upgrade_both_repositories_live_in_one_namespace() -> None:
    old, new = found(record("a" * 36, age_s=3600), expires("a" * 36), record("b" * 36, late_s=0), minute_set("a" * 36))
    assert (old["layout"], old["keys"]) == ("spring-indexed", 2)
    assert (new["layout"], new["keys"]) == ("spring", 1)


def test_two_namespaces_are_judged_apart() -> None:
    rows = found(
        record("a" * 36, namespace="admin-a", age_s=90),
        expires("a" * 36, namespace="admin-a"),
        record("a" * 36, namespace="spring:session:admin-b", late_s=0),
    )
    assert [(row["namespace"], row["layout"], row["keys"]) for row in rows] == [
        ("admin-a", "spring-indexed", 2),
        ("spring:session:admin-b", "spring", 1),
    ]


def test_an_expiry_that_was_lost_in_a_race_never_comes() -> None:
    fresh, stale = found(record("a" * 36, late_s=None), record("b" * 36, late_s=None, age_s=2 * DAY))[::-1]
    assert (fresh["expires_at"], fresh["state"]) == (None, "live")
    assert (stale["expires_at"], stale["state"]) == (None, "overdue")


def test_a_negative_lifetime_without_expiry_lives_for_ever() -> None:
    (row,) = found(record(lifetime_s=-1, late_s=None, age_s=400 * DAY))
    assert (row["lifetime_s"], row["expires_at"], row["state"]) == (-1, None, "live")


def test_a_key_past_its_expiry_that_redis_has_not_dropped_yet_is_expired() -> None:
    (row,) = found(record(late_s=0, age_s=DAY + 1))
    assert row["state"] == "expired"


def test_an_unreadable_creation_time_is_unknown_and_not_a_ghost() -> None:
    (row,) = found(record(attributes={CREATED: b"\x05kryo"}))
    assert (row["born_at"], row["born_provenance"], row["state"]) == (None, "unknown", "live")


def test_a_late_write_of_a_lone_attribute_is_a_ghost_where_whole_sessions_are() -> None:
    ghost = key(f"spring:session:sessions:{ID}", "hash", elements=1, ttl_s=100)
    with settled([batch([record("b" * 36)]), batch([ghost])]) as case:
        assert [row["state"] for row in sessions(case)] == ["live", "ghost"]
    with settled([batch([ghost])]) as case:
        assert families(case) == {"spring:session:sessions:*": ("other", 1)}


@pytest.mark.parametrize(
    ("attributes", "authentication"),
    [
        ({CONTEXT: b"\xac\xed\x00\x05sr\x00="}, "yes"),
        ({CONTEXT: b""}, "no"),
        ({CONTEXT: b"null"}, "no"),
        ({CONTEXT: b"\xac\xed\x00\x05p"}, "no"),
        ({PRINCIPAL: string("somebody")}, "yes"),
        ({PRINCIPAL: b""}, "no"),
        ({}, "no"),
    ],
)
def test_a_null_in_any_serializer_logs_nobody_in(attributes: dict[str, bytes], authentication: str) -> None:
    (row,) = found(record(attributes=attributes))
    assert row["authentication"] == authentication
    assert row["attributes"] == (1 if authentication == "yes" else 0)


def test_a_sorted_set_alone_is_reactive_unless_a_saved_request_has_headers() -> None:
    zset = key("spring:session:sessions:expirations", "zset", members=[string(ID)])
    (row,) = found(record(), expires(), zset)
    assert row["layout"] == "spring-reactive-indexed"
    saved = b'{"headers":{"host":["a"]},"method":"GET","requestURI":"/"}'
    (row,) = found(record(attributes={SAVED_REQUEST: saved}), expires(), zset)
    assert (row["layout"], row["creator_path"]) == ("spring-indexed", "/")


def test_the_index_of_the_name_null_is_an_index_but_no_principal() -> None:
    name = "spring:session:index:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME"
    rows = [record(), key(f"{name}:null", "set", members=[string(ID), string("x" * 36)]), key("null:cache")]
    with settled([batch(rows)]) as case:
        assert families(case)[f"{name}:*"] == ("index", 1)
        assert families(case)["null:cache"] == ("other", 1)
        dead = "SELECT count(*) FROM index_entry e WHERE e.id_hash NOT IN (SELECT id_hash FROM session)"
        assert case.value(dead) == 1


def test_a_companion_without_its_session_is_counted_but_makes_no_session() -> None:
    with settled([batch([record(), expires("z" * 36)])]) as case:
        assert [row["keys"] for row in sessions(case)] == [1]
        assert families(case)["spring:session:sessions:expires:*"] == ("companion", 1)


def test_an_id_in_a_namespace_does_not_reach_the_case() -> None:
    (row,) = found(record(namespace=f"tenant:{ID}"))
    assert row["namespace"] == "tenant:*"


def test_the_same_saved_request_is_read_once_and_too_many_different_ones_are_left_out_aloud() -> None:
    def requests(first: int, last: int) -> Keys:
        saved = [b'{"method":"GET","requestURI":"/%d"}' % number for number in range(first, last)]
        return Keys(batch(record(f"{n:036}", attributes={SAVED_REQUEST: value}) for n, value in enumerate(saved * 2)))

    creators = Creators(most=3)
    keys = requests(0, 3)
    columns = creators.columns(keys, keys.of_type("hash"))
    assert columns["creator_path"].to_pylist() == ["/0", "/1", "/2"] * 2
    assert (len(creators), creators.left_out) == (3, 0)
    keys = requests(2, 5)
    columns = creators.columns(keys, keys.of_type("hash"))
    assert columns["creator_path"].to_pylist() == ["/2", None, None] * 2
    assert creators.left_out == 4

    layout = Spring()
    layout._creators = creators
    assert layout.remarks() == [
        "4 sessions hold saved requests beyond the first 3 different ones: their creators were not read"
    ]


def test_without_spring_security_an_attribute_of_the_applications_own_may_be_a_login() -> None:
    def session(name: str, **fields: bytes) -> dict[str, Any]:
        times = {"creationTime": long(ms(NOW)), "lastAccessedTime": long(ms(NOW)), "maxInactiveInterval": integer(1800)}
        return key(f"shop:sessions:{name}", "hash", ttl_s=1800, fields={**times, **fields})

    own, empty = session("0" * 36, **{"sessionAttr:member": b"anna"}), session("1" * 36)
    with settled([batch([own, empty])]) as case:
        assert sorted(row["authentication"] for row in sessions(case)) == ["no", "unknown"]
    secured = session("2" * 36, **{"sessionAttr:SPRING_SECURITY_CONTEXT": b"context of anna"})
    with settled([batch([own, empty, secured])]) as case:
        assert sorted(row["authentication"] for row in sessions(case)) == ["no", "no", "yes"]
