from __future__ import annotations

import base64
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.keyspace import patterns as room
from necropsy.keyspace.patterns import Patterns, tidy
from sessions.keyspaces import FEW, batch, key


def folded(*names: str | bytes) -> Counter[str]:
    """How many keys of each pattern are left when all have been counted."""
    patterns = Patterns()
    numbers = Counter(patterns.of(batch(key(name) for name in names)).tolist())
    moved = patterns.settle(numbers)
    called = dict(patterns.called())
    counted: Counter[str] = Counter()
    for number, keys in numbers.items():
        counted[called[moved[number]]] += keys
    return counted


def test_ids_numbers_and_hashes_fold_wherever_they_stand() -> None:
    assert folded(
        *[f"cache:products:{number}:en" for number in range(1042, 1052)],
        "lock:3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "lock:9d4e1e23bd5b727046a9e3b4b7db57bd8d6ee684",
        "v1/rates/2026-11-22",
    ) == {"cache:products:*:en": 10, "lock:*": 2, "v*/rates/*": 1}


def test_ids_in_base64url_are_one_pattern_whatever_their_hyphens() -> None:
    names = [f"sess:{text}" for text in ("9x-Kd83jf_Qp2-1aB7", "Qp2_1aB79x83jf4Dk3", "1-2_3-4x5", "83jf4-e-9")]
    assert folded(*names) == {"sess:*": 4}


@pytest.mark.parametrize("size", [9, 12, 24, 33, 48])
def test_no_piece_of_an_id_in_base64url_is_in_a_pattern(size: int) -> None:
    chance = Random(size)
    ids = (base64.urlsafe_b64encode(chance.randbytes(size)).decode().rstrip("=") for _ in range(20_000))
    assert folded(*(f"session:{one}" for one in ids)) == {"session:*": 20_000}


def test_a_principal_that_an_index_names_is_in_no_pattern() -> None:
    index = "spring:session:index:org.springframework.session.FindByIndexNameSessionRepository"
    patterns = Patterns()
    keys = batch([key(f"{index}.PRINCIPAL_NAME_INDEX_NAME:admin", "set"), *(key(f"x:admin:{n}") for n in range(20))])
    numbers = Counter(patterns.of(keys).tolist())
    patterns.settle(numbers)
    assert not [text for _, text in patterns.called() if "admin" in text]


def test_few_patterns_are_held_however_many_words_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_PATTERNS", 100)
    letters = "abcdefghijklmnop"
    names = [f"note:{a}{b}{c}zq" for a in letters for b in letters for c in letters]
    assert folded(*names) == {"note:*": len(names)}


@given(st.lists(st.binary(max_size=30), max_size=30))
@FEW
def test_every_key_has_a_pattern_whatever_its_bytes(names: list[bytes]) -> None:
    assert folded(*names).total() == len(names)


@given(st.text("ab*-_:x12", max_size=20))
def test_tidying_twice_changes_nothing_more(pattern: str) -> None:
    assert tidy(tidy(pattern)) == tidy(pattern)
