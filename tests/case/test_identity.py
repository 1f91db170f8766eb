"""Hashes of ids: the published ones, the same for a column as for one, whatever its shape."""

from __future__ import annotations

from array import array
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.case import siphash
from necropsy.case.identity import hash_column, hash_identifier
from plain_python import module_at

KEY = bytes(range(16))
PUBLISHED = {
    0: 0x726FDB47DD0E0E31,
    1: 0x74F839C593DC67FD,
    7: 0xAB0200F58B01D137,
    8: 0x93F5F5799A932462,
    15: 0xA129CA6149BE45E5,
}
"""Of the reference implementation (vectors_sip64), by the length of the text 00 01 02 …"""


@pytest.mark.parametrize("length", sorted(PUBLISHED))
def test_the_hash_is_the_published_one(length: int) -> None:
    assert hash_identifier(KEY, bytes(range(length))) == PUBLISHED[length]


@given(st.lists(st.one_of(st.none(), st.binary(max_size=70)), max_size=20), st.binary(min_size=16, max_size=16))
def test_a_column_is_hashed_as_each_of_it_and_the_compiler_changes_nothing(ids: list[bytes | None], key: bytes) -> None:
    column = pa.array([b"before", *ids], pa.binary()).slice(1)
    expected = [None if one is None else hash_identifier(key, one) for one in ids]
    assert hash_column(key, column).to_pylist() == expected
    plain = module_at(Path(siphash.__file__).with_name("siphash.py"), "necropsy.case.plain_siphash")
    assert [None if one is None else plain.Hasher(key).one(one) for one in ids] == expected


@given(st.lists(st.one_of(st.binary(max_size=70), st.binary(min_size=36, max_size=36)), min_size=8, max_size=40))
def test_without_a_compiler_a_column_is_hashed_side_by_side_to_the_same(ids: list[bytes]) -> None:
    plain = module_at(Path(siphash.__file__).with_name("siphash.py"), "necropsy.case.plain_siphash")
    offsets = array("i", [0, *accumulate(map(len, ids))])
    answers = array("Q", [0] * len(ids))
    plain.Hasher(KEY).column(b"".join(ids) + b"\0", offsets, answers)
    assert list(answers) == [hash_identifier(KEY, one) for one in ids]


def test_a_key_of_another_length_and_offsets_beyond_the_text_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        siphash.Hasher(b"short")
    plain = module_at(Path(siphash.__file__).with_name("siphash.py"), "necropsy.case.plain_siphash")
    for offsets in ((0, 9), (-1, 2), (2, 1)):
        few, many = array("i", offsets), array("i", (offsets[0], *[offsets[0]] * 9, offsets[1]))
        for hasher, places in ((siphash.Hasher(KEY), few), (plain.Hasher(KEY), few), (plain.Hasher(KEY), many)):
            with pytest.raises(ValueError, match="offset"):
                hasher.column(b"text", places, array("Q", [0] * 11))


def test_two_threads_hash_a_long_column_as_one_would() -> None:
    ids = [None if number % 7 == 0 else b"%x" % (number * 2654435761) for number in range(30_001)]
    hashed = hash_column(bytes(range(16)), pa.array(ids, pa.binary())).to_pylist()
    assert hashed == [None if each is None else hash_identifier(bytes(range(16)), each) for each in ids]
