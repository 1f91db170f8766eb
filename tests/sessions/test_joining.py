"""Companions find their sessions, whatever was expected and in whatever order they come."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from necropsy.sessions.joining import Companions

from .keyspaces import FEW, batch, key, sessions, settled
from .test_spring_layouts import ID, expires, record

SPACES = (("app", 0), ("app", 3), ("other", 0))
ROWS = st.lists(
    st.tuples(st.sampled_from(SPACES), st.integers(0, 30), st.sampled_from((100, 100, 100, 160))), max_size=40
)
BATCHES = st.lists(st.tuples(ROWS, ROWS), max_size=4)


def columns(rows: list[tuple[tuple[str, int], int, int]]) -> tuple[pa.Array, pa.Array, np.ndarray, np.ndarray]:
    namespaces = pa.array([name for (name, _), _, _ in rows], pa.string())
    databases = pa.array([db for (_, db), _, _ in rows], pa.int32())
    ids = np.array([number for _, number, _ in rows], np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return namespaces, databases, ids, np.array([size for _, _, size in rows], np.int64)


@FEW
@given(BATCHES)
def test_what_was_expected_and_what_is_mended_come_to_what_there_is(
    batches: list[tuple[list[tuple[tuple[str, int], int, int]], list[tuple[tuple[str, int], int, int]]]],
) -> None:
    joined = Companions()
    stored: dict[tuple[tuple[str, int], int], list[int]] = {}
    truth: dict[tuple[tuple[str, int], int], list[int]] = defaultdict(lambda: [0, 0])
    met: set[tuple[tuple[str, int], int]] = set()
    for companions, drawn in batches:
        records = [row for row in {row[:2]: row for row in drawn}.values() if row[:2] not in met]
        met |= {row[:2] for row in records}
        namespaces, databases, ids, sizes = columns(companions)
        if companions:
            joined.add(joined.group(namespaces, databases), ids, sizes)
        for space, number, size in companions:
            truth[space, number][0] += 1
            truth[space, number][1] += size
        if records:
            namespaces, databases, ids, _ = columns(records)
            keys, larger = joined.expect(joined.group(namespaces, databases), ids)
            for (space, number, _), more, size in zip(records, keys.tolist(), larger.tolist(), strict=True):
                stored[space, number] = [more, size]
    step = 0x9E3779B97F4A7C15
    numbers = {number * step % 2**64: number for number in range(31)}
    for space, hashes, keys, sizes, counts in joined.unexpected():
        for one, more, larger, count in zip(
            hashes.tolist(), keys.tolist(), sizes.tolist(), counts.tolist(), strict=True
        ):
            found = stored[space, numbers[one]]
            found[0] += more
            found[1] += larger
            assert found[0] == count
    assert stored == {place: truth[place] for place in stored}
    if stored:
        namespaces, databases, ids, _ = columns([(space, number, 0) for space, number in stored])
        groups = joined.group(namespaces, databases)
        groups = np.full(len(ids), groups) if isinstance(groups, int) else groups
        counts, sizes = joined.counts(groups, ids)
        assert [list(pair) for pair in zip(counts.tolist(), sizes.tolist(), strict=True)] == list(stored.values())


def test_a_companion_that_comes_batches_later_or_never_is_told_apart() -> None:
    late, never = f"{1:036}", f"{2:036}"
    batches = [batch([record(late), record(never)]), batch([expires(ID), record(ID)]), batch([expires(late)])]
    with settled(batches) as case:
        rows = {(row["keys"], row["bytes"]) for row in sessions(case)}
        assert [row["keys"] for row in sorted(sessions(case), key=lambda row: row["keys"])] == [1, 2, 2]
        assert rows == {(1, 100), (2, 200)}


def test_equal_ids_of_two_namespaces_are_two_sessions() -> None:
    rows = [record(ID, namespace="one"), record(ID, namespace="two"), expires(ID, namespace="two"), key("x")]
    with settled([batch(rows)]) as case:
        assert {row["namespace"]: row["keys"] for row in sessions(case)} == {"one": 1, "two": 2}
