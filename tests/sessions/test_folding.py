"""From key names to patterns in which no id and no name survives."""

from __future__ import annotations

import base64
import uuid

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from necropsy.sessions.folding import collapse, fold, fold_names, fold_namespace
from sessions.keyspaces import FEW

IDS = st.one_of(
    st.uuids().map(str),
    st.binary(min_size=16, max_size=32).map(bytes.hex),
    st.binary(min_size=16, max_size=33).map(lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")),
    st.binary(min_size=20, max_size=40).map(lambda data: base64.b32encode(data).decode().rstrip("=")),
    st.integers(0, 2**63).map(str),
    st.emails(domains=st.just("mail.example")).filter(lambda address: not set("/|") & set(address)),
)


def folded(*keys: str | bytes) -> list[str]:
    return fold(pa.array([key.encode() if isinstance(key, str) else key for key in keys], pa.binary())).to_pylist()


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("cache:products:1042", "cache:products:*"),
        ("sess:V1StGXR8_Z5jdHi6B-myT8Kq2LpWs4Xc", "sess:*"),
        (
            "laravel_database_laravel_cache_:q1W2e3R4t5Y6u7I8o9P0q1W2e3R4t5Y6u7I8o9P0",
            "laravel_database_laravel_cache_:*",
        ),
        ("user:alice:cart", "user:*:cart"),
        ("USERS/alice.smith", "USERS/*"),
        ("report:2024-05-01:daily", "report:*:daily"),
        ("mail:someone@mail.example", "mail:*"),
        ("mail:someone%40mail.example:unread", "mail:*:unread"),
        ("chat:\u5f20\u4e09", "chat:*"),
        ("app.v2.config", "app.v*.config"),
        ("celery", "celery"),
        ("", ""),
    ],
)
def test_shapes_of_ids_become_a_star(key: str, pattern: str) -> None:
    assert folded(key) == [pattern]


@example("AAAAAAAAAAA-A-A-AAAAAA")  # letters by themselves between the hyphens of a token
@given(IDS)
def test_no_id_of_any_usual_shape_survives_in_a_pattern(identifier: str) -> None:
    (pattern,) = folded(f"lock:{identifier}:held")
    (after,) = collapse({pattern: 1}).values()
    rest = after.removeprefix("lock:").removesuffix(":held")
    assert not any(len(piece) > 3 and piece in identifier for piece in rest.replace("*", " ").split())


@FEW
@given(st.lists(st.binary(max_size=60), max_size=20))
def test_arbitrary_bytes_fold_to_ascii(keys: list[bytes]) -> None:
    patterns = folded(*keys)
    assert len(patterns) == len(keys)
    assert all(pattern.isascii() and pattern.isprintable() for pattern in patterns)


@FEW
@given(st.lists(st.text("abc:1-_/*", max_size=20), max_size=60, unique=True))
def test_collapsing_answers_for_every_pattern_and_again_changes_nothing(patterns: list[str]) -> None:
    once = collapse(dict.fromkeys(patterns, 1))
    assert set(once) == set(patterns)
    sums: dict[str, int] = {}
    for pattern in patterns:
        sums[once[pattern]] = sums.get(once[pattern], 0) + 1
    twice = collapse(sums)
    assert all(pattern.count("*") <= twice[pattern].count("*") for pattern in sums)


def test_a_word_that_few_keys_share_is_folded_unless_it_is_technical() -> None:
    became = collapse({"alice:settings": 1, "job:queue": 1, "acme:stock": 8})
    assert list(became.values()) == ["*:settings", "job:queue", "acme:stock"]


def test_a_place_with_many_different_words_is_an_id_even_if_each_has_many_keys() -> None:
    names = {f"n{first}{second}:draft": 20 for first in "abcdefgh" for second in "abcdefgh"}
    assert set(collapse(names).values()) == {"*:draft"}


def test_a_very_long_or_deep_key_becomes_a_short_pattern() -> None:
    became = collapse({"cache:" * 500: 9, "x" * 5000: 9})
    assert all(len(pattern) <= 200 for pattern in became.values())


def test_a_known_principal_is_folded_wherever_its_words_stand() -> None:
    names = {"principal-alice", "bob"}
    assert fold_names("doc:Principal-Alice:of:bob", names) == "doc:*:of:*"
    assert fold_names("doc:bobby", names) == "doc:bobby"


def test_a_namespace_keeps_its_numbers_but_not_an_id() -> None:
    namespaces = pa.array([b"admin2:web", f"tenant:{uuid.uuid4()}:web".encode(), b"t:1234567:web", b"spring:session"])
    assert fold_namespace(namespaces).to_pylist() == ["admin2:web", "tenant:*:web", "t:*:web", "spring:session"]


def test_few_namespaces_that_are_remembered_fold_as_many_do() -> None:
    few = [b"admin2:web", None, f"tenant:{uuid.uuid4()}:web".encode(), b"\xff\x00", b""]
    many = fold_namespace(pa.array(few * 10, pa.binary())).to_pylist()
    assert fold_namespace(pa.array(few, pa.binary())).to_pylist() * 10 == many
    assert fold_namespace(pa.array(few, pa.binary())).to_pylist() * 10 == many
    assert fold_namespace(pa.array([], pa.binary())).to_pylist() == []
