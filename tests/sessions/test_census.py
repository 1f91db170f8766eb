"""Every key is counted exactly once, whatever it is, and nothing raises."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blank_cases import blank_case
from necropsy.sessions.census import Census
from necropsy.sessions.keyspace import KEY_TYPES
from necropsy.sessions.registry import LAYOUTS, projection
from sessions.keyspaces import FEW, NOW, batch, families, integer, key, long, settled, string

FIELDS = [name.decode() for name, _ in projection().hash_fields]
SHAPES = (
    "spring:session:sessions:{}",
    "spring:session:sessions:expires:{}",
    "spring:session:sessions:{}:idx",
    "spring:session:sessions:expirations",
    "spring:session:expirations:1700000040000",
    "{}:index:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME:{}",
    "app:sessions:index:PRINCIPAL_NAME_INDEX_NAME:{}",
    ":sessions:{}",
    "{}:sessions:",
    "{}",
)
NAMES = st.one_of(
    st.binary(max_size=40),
    st.tuples(st.sampled_from(SHAPES), st.one_of(st.uuids().map(str), st.text(max_size=12))).map(
        lambda shape: shape[0].replace("{}", shape[1]).encode("utf-8", "replace")
    ),
)
VALUES = st.one_of(
    st.binary(max_size=100),
    st.integers(-(2**63), 2**63 - 1).map(long),
    st.integers(-(2**31), 2**31 - 1).map(integer),
    st.integers().map(lambda number: str(number).encode()),
    st.text(max_size=9).map(string),
)
KEYS = st.builds(
    lambda name, kind, fields, ttl_s, elements, members: key(
        name, kind, fields=fields if kind == "hash" else {}, ttl_s=ttl_s, elements=elements, members=members
    ),
    NAMES,
    st.sampled_from(KEY_TYPES),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
    st.one_of(st.none(), st.integers(-1000, 10**11)),
    st.integers(0, 9),
    st.one_of(st.none(), st.lists(VALUES, max_size=3)),
)


@FEW
@given(st.lists(st.lists(KEYS, max_size=12), max_size=3))
def test_the_families_sum_up_to_the_keys_taken_whatever_they_are(batches: list[list[dict[str, object]]]) -> None:
    census = Census("a", NOW)
    made = [(table, rows.num_rows) for one in batches for table, rows in census.take(batch(one))]
    parts = sum(count for table, count in made if table in {"session", "session_part"}) + len(census.companions)
    table = census.families()
    rows = [row for one in batches for row in one]
    assert sum(table.column("keys").to_pylist()) == len(rows)
    assert sum(table.column("bytes").to_pylist()) == sum(row["bytes"] for row in rows)
    assert sum(table.column("elements").to_pylist()) == sum(row["elements"] for row in rows)
    roles = table.group_by("role").aggregate([("keys", "sum")]).to_pylist()
    assert sum(row["keys_sum"] for row in roles if row["role"] in {"session", "companion"}) == parts


@FEW
@given(st.lists(KEYS, max_size=12))
def test_a_case_takes_whatever_a_census_makes(rows: list[dict[str, object]]) -> None:
    census = Census("a", NOW)
    for table, columns in census.take(batch(rows)):
        expected, kind = ("id", pa.binary()) if table == "session_part" else ("id_hash", pa.uint64())
        assert columns.schema.field(expected).type == kind
        assert len(set(columns.column_names)) == len(columns.column_names)


def test_no_arbitrary_key_stops_a_case_from_settling() -> None:
    rows = [
        key(
            f"spring:session:sessions:{number}",
            "hash",
            fields={"creationTime": value, "lastAccessedTime": value, "maxInactiveInterval": value},
            ttl_s=ttl_s,
        )
        for number, (value, ttl_s) in enumerate(
            (value, ttl_s)
            for value in (long(2**63 - 1), long(-(2**63)), integer(-(2**31)), b"999999999999999999", b"", b"\xff", b"0")
            for ttl_s in (None, 0, -5, 10**11)
        )
    ]
    with settled([batch(rows)]) as case:
        assert case.value("SELECT count(*) FROM session") == len(rows)


def test_keys_without_expiry_and_keys_past_it_are_counted() -> None:
    rows = [key("cache:1", ttl_s=-1), key("cache:2", ttl_s=1), key("cache:3"), key("cache:4", "list", ttl_s=0)]
    with settled([batch(rows)]) as case:
        found = case.rows("SELECT type, keys, without_expiry, expired FROM key_family ORDER BY type")
    assert [tuple(row.values()) for row in found] == [("list", 1, 0, 1), ("string", 3, 1, 1)]


def test_databases_are_told_apart() -> None:
    with settled([batch([key("cache:1"), key("cache:2", db=3)])]) as case:
        assert case.rows("SELECT db, keys FROM key_family ORDER BY db") == [{"db": 0, "keys": 1}, {"db": 3, "keys": 1}]


def test_an_empty_store_has_no_families() -> None:
    with settled([batch([])]) as case:
        assert not case.has("key_family")


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    from datetime import timezone

    moved = NOW.astimezone(timezone(timedelta(hours=9)))
    for now in (NOW, moved, NOW.replace(tzinfo=None)):
        census = Census("a", now)
        list(census.take(batch([key("cache:1", ttl_s=-60), key("cache:2", ttl_s=60)])))
        assert census.families().column("expired").to_pylist() == [1]


def test_a_principal_of_an_index_survives_in_no_other_pattern() -> None:
    index = (
        "spring:session:index:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME"
    )
    rows = [key(f"wishlist:zaphod:{number}") for number in range(50)]
    with settled([batch(rows), batch([key(f"{index}:Zaphod", "set", members=[string("some-id")])])]) as case:
        assert families(case) == {"wishlist:*:*": ("other", 50), f"{index}:*": ("index", 1)}


def test_many_different_names_end_in_a_few_families() -> None:
    batches = [
        batch([key(f"wish_{first}{second}:{number}") for first in "abcdefghijk" for second in "lmnopqrstuv"])
        for number in "xy"
    ]
    with settled(batches) as case:
        assert families(case) == {"wish_*:x": ("other", 121), "wish_*:y": ("other", 121)}


def test_a_key_of_spring_that_is_no_session_is_left_to_others() -> None:
    rows = [
        key("chat:sessions:3fa85f64-5717-4562-b3fc-2c963f66afa6", "hash", elements=3),
        key("spring:session:sessions:expires:abc", "string", elements=7),
        key("spring:session:sessions:abc", "list"),
        key("queue:expirations:1700000000001", "set"),
    ]
    with settled([batch(rows)]) as case:
        assert {role for role, _ in families(case).values()} == {"other"}
        assert not case.has("session")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_of_the_registry_asks_for_something_and_starts_with_nothing_to_remark(layout: type) -> None:
    assert layout.projection.hash_fields or layout.projection.string_bytes
    assert layout().remarks() == []
    assert layout.family


def test_refining_an_empty_store_changes_nothing() -> None:
    with blank_case() as case:
        assert [layout().refine(case, "a", NOW.replace(tzinfo=None)) for layout in LAYOUTS] == [[] for _ in LAYOUTS]
