"""The compiled loops and what NumPy does without them give the same answers."""

from __future__ import annotations

import importlib
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plain_python
from necropsy import sessions
from necropsy.sessions import columns, jdk, kernels

TEXTS = st.lists(st.binary(max_size=12) | st.text("a:b", max_size=12).map(str.encode), max_size=12)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda n: jdk.LONG_HEADER + n.to_bytes(8, "big", signed=True)),
    st.integers(-(2**31), 2**31 - 1).map(lambda n: jdk.INTEGER_HEADER + n.to_bytes(4, "big", signed=True)),
    st.integers(-(10**17), 10**17).map(lambda n: str(n).encode()),
    st.binary(max_size=90),
    st.none(),
)


def in_numpy() -> mock._patch[bool]:
    return mock.patch.object(kernels, "COMPILED", False)


@given(TEXTS)
def test_colons_are_found_alike(texts: list[bytes]) -> None:
    data, ends = columns.flat(pa.array(texts, pa.binary()))
    found = columns.colons(data, ends)
    with in_numpy():
        assert (found == columns.colons(data, ends)).all()


@given(TEXTS, st.binary(max_size=3) | st.sampled_from([b"a", b":", b"a:"]))
def test_beginnings_are_told_alike(texts: list[bytes], word: bytes) -> None:
    data, ends = columns.flat(pa.array(texts, pa.binary()))
    wanted = [text.startswith(word) for text in texts]
    assert columns.begins(data, ends[:-1], ends[1:], word).tolist() == wanted
    with in_numpy():
        assert columns.begins(data, ends[:-1], ends[1:], word).tolist() == wanted


@given(st.lists(NUMBERS, max_size=8))
def test_numbers_are_decoded_alike(values: list[bytes | None]) -> None:
    column = pa.array(values, pa.binary())
    found = jdk.integers(column)
    assert jdk.integers(column.dictionary_encode()).equals(found)
    with in_numpy():
        assert jdk.integers(column).equals(found)


@given(TEXTS)
def test_namespaces_are_what_stands_before(texts: list[bytes]) -> None:
    segments = columns.Segments.of_keys(pa.array(texts, pa.binary()))
    rows = np.flatnonzero(segments.filled(2))
    assert segments.namespaces(2, rows).to_pylist() == segments.before(2, rows).to_pylist()


@pytest.mark.parametrize("ends", [[0, 9], [-1, 2], [2, 1]])
def test_ranges_beyond_the_bytes_are_refused(ends: list[int]) -> None:
    data, places = b"a:b", np.array(ends, np.int64)
    room = np.zeros(kernels.COLONS, np.int64)
    with pytest.raises(ValueError, match="offset"):
        kernels.colons(data, places, room)
    said = np.zeros(1, np.uint8)
    if ends != [2, 1]:
        with pytest.raises(ValueError, match="range"):
            kernels.begins(data, places[:1], places[1:] + 8, b"a", said)
        with pytest.raises(ValueError, match="range"):
            kernels.streamed(data, np.array([2]), np.array([5]), b"b", 2, room, said)


@given(TEXTS, st.lists(NUMBERS, max_size=8))
def test_the_loops_run_uncompiled_with_the_same_answers(texts: list[bytes], values: list[bytes | None]) -> None:
    with plain_python.uncompiled(sessions):
        plain = importlib.import_module("necropsy.sessions.kernels")
    assert not plain.COMPILED
    data, ends = columns.flat(pa.array([*texts, b":"], pa.binary()))
    found, said = np.zeros((2, 4 * len(ends)), np.int64), np.zeros((2, len(ends)), np.uint8)
    numbers, ranges = columns.flat(pa.array([*values, b"x"], pa.binary()))
    decoded, known = np.zeros((2, len(ranges)), np.int64), np.zeros((2, len(ranges)), np.uint8)
    for way, loops in enumerate((kernels, plain)):
        loops.colons(data, ends, found[way])
        loops.begins(data, ends[:-1], ends[1:], b"a", said[way])
        for header, width in ((jdk.LONG_HEADER, 8), (jdk.INTEGER_HEADER, 4)):
            loops.streamed(numbers, ranges[:-1], ranges[1:], header, width, decoded[way], known[way])
    for answers in (found, said, decoded, known):
        assert (answers[0] == answers[1]).all()
