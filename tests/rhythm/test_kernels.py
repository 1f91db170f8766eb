"""The compiled loops over visits, what NumPy does without them, and the same loops uncompiled give the same answers."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import plain_python
from necropsy import rhythm
from necropsy.rhythm import intervals, kernels, periods, phase_folding

CLASSES = st.lists(st.lists(st.integers(0, 40_000), min_size=1, max_size=40), min_size=1, max_size=6)
"""Times of the visits of each class, quarters of a second: many coincide, and many gaps are the same."""
PERIODS = st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0, 7.5, 10.0, 60.0, 61.3, 3600.0]), min_size=6, max_size=6)


def in_numpy() -> mock._patch[bool]:
    return mock.patch.object(kernels, "COMPILED", False)


def visits_of(classes: list[list[int]]) -> phase_folding.SortedVisits:
    owner = np.repeat(np.arange(len(classes)), [len(times) for times in classes])
    seconds = np.concatenate([np.sort(times) for times in classes]) / 4
    return phase_folding.SortedVisits(owner, seconds, len(classes), np.where(np.arange(len(classes)) % 2, 1.0, 0.001))


def same(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))


@given(CLASSES, PERIODS)
def test_turns_are_counted_alike(classes: list[list[int]], lengths: list[float]) -> None:
    visits = visits_of(classes)
    period = np.array(lengths[: len(classes)])
    some = np.arange(len(classes)) % 3 != 1
    for chosen in (None, some):
        asked = period if chosen is None else period[chosen]
        found = phase_folding.fold(visits, asked, chosen)
        with in_numpy():
            other = phase_folding.fold(visits, asked, chosen)
        for name in ("evidence", "coverage", "sharp"):
            assert same(getattr(found, name), getattr(other, name)), name
        assert same(found.peak(), other.peak())


@given(CLASSES)
def test_gaps_are_measured_alike(classes: list[list[int]]) -> None:
    visits = visits_of(classes)
    found = intervals.candidates(visits), intervals.regularity(visits)
    with in_numpy():
        other = intervals.candidates(visits), intervals.regularity(visits)
    for mine, theirs in zip(found, other, strict=True):
        assert all(same(one, two) for one, two in zip(mine, theirs, strict=True))


@given(
    st.lists(st.tuples(st.integers(-3, 12), st.integers(-5, 2_000)), min_size=1, max_size=400),
    st.sampled_from([1, 10**9]),
)
def test_visits_are_put_in_order_alike(visits: list[tuple[int, int]], apart: int) -> None:
    owner, moment = np.array(visits, dtype=np.int64).T.copy()
    ids, counts, times = periods._by_class(owner * apart, moment)
    with in_numpy():
        other = periods._by_class(owner * apart, moment)
    rows = dict(zip(ids.tolist(), np.split(times, np.cumsum(counts)[:-1]), strict=True))
    ordered = [rows[one] for one in sorted(rows)]
    assert same(np.array(sorted(rows)), other[0])
    assert [row.size for row in ordered] == other[1].tolist()
    assert same(np.concatenate(ordered), other[2])


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=60), st.lists(st.integers(0, 59), max_size=60))
def test_classes_are_numbered_as_they_first_come_however_small_the_table(keys: list[int], again: list[int]) -> None:
    keys += [keys[at] for at in again if at < len(keys)]
    with mock.patch.object(periods, "_SLOTS", 2):
        owner, distinct, counts = periods._numbered(np.array(keys, np.int64))
    expected = dict.fromkeys(keys)
    assert distinct.tolist() == list(expected)
    assert owner.tolist() == [list(expected).index(key) for key in keys]
    assert counts.tolist() == [keys.count(key) for key in expected]


def everything(loops: Any, classes: list[list[int]]) -> list[NDArray[Any]]:
    """Ask each loop once."""
    visits = visits_of(classes)
    first, last = visits.edges()
    number = visits.classes
    cell, sums, coarse, common, middle, median = (
        np.zeros(number * 2, np.int64), np.zeros(number * 3, np.int64), np.zeros(number * 8, np.int64),
        np.zeros(number * 2, np.int64), np.zeros(number * 4), np.zeros(number),
    )  # fmt: skip
    loops.occupy(
        visits.seconds, first, last + 1, np.full(number, 0.1), np.full(number, 10), np.zeros(11, np.int64),
        cell, sums, coarse,
    )  # fmt: skip
    room = np.zeros(visits.seconds.size)
    loops.spans(visits.seconds, first, last + 1, room, np.zeros(128, np.int64), middle, common)
    loops.medians(visits.seconds, first, last + 1, room, median)
    ends, moments = np.append(first, visits.seconds.size), np.zeros(visits.seconds.size, np.int64)
    keys = visits.owner * 3 - 5
    numbered, distinct, counts, met = (
        np.zeros(keys.size, np.int32), np.zeros(keys.size, np.int64), np.zeros(keys.size, np.int64), np.zeros(1, np.int64),
    )  # fmt: skip
    slots = np.full(64, -1, np.int32)
    met_at = loops.number(keys, 0, 0x9E3779B97F4A7C15, slots, numbered, distinct, counts, met)
    loops.gather(visits.owner.astype(np.int32), np.concatenate(classes).astype(np.int64), ends, moments)
    table = [numbered, distinct, counts, met, slots, np.array([met_at])]
    return [cell, sums, coarse, common, middle, median, moments, *table]


@given(CLASSES)
def test_the_loops_give_the_same_answers_uncompiled(classes: list[list[int]]) -> None:
    with plain_python.uncompiled(rhythm):
        plain = importlib.import_module(kernels.__name__)
    assert not plain.COMPILED
    for one, other in zip(everything(kernels, classes), everything(plain, classes), strict=True):
        assert same(one, other)


ENDS = np.array([2], np.int64)
FLOATS, WHOLES = np.zeros(8), np.zeros(8, np.int64)


@pytest.mark.parametrize(
    "ask",
    [
        lambda start, stop: kernels.occupy(FLOATS, start, stop, FLOATS, WHOLES + 2, WHOLES, WHOLES, WHOLES, WHOLES),
        lambda start, stop: kernels.spans(FLOATS, start, stop, FLOATS, np.zeros(128, np.int64), FLOATS.copy(), WHOLES),
        lambda start, stop: kernels.medians(FLOATS, start, stop, FLOATS, FLOATS.copy()),
    ],
)
@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2), (0, 9)])
def test_a_range_beyond_the_visits_is_refused(ask: Callable[..., None], start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="beyond"):
        ask(np.array([start]), np.array([stop]))


def test_what_does_not_belong_together_is_refused() -> None:
    starts, stops = np.array([0]), np.array([4])
    for cells in (0, 8):
        with pytest.raises(ValueError, match="beyond"):
            kernels.occupy(FLOATS, starts, stops, FLOATS, np.array([cells]), WHOLES, WHOLES, WHOLES, WHOLES)
    with pytest.raises(ValueError, match="too few places"):
        kernels.medians(FLOATS, starts, stops, FLOATS, np.zeros(0))
    with pytest.raises(ValueError, match="room"):
        kernels.medians(FLOATS, starts, stops, np.zeros(3), np.zeros(1))
    for owner, places in (([0, 5], [0, 2]), ([0, -1], [0, 2]), ([0, 0], [1, 2])):
        with pytest.raises(ValueError, match="belong together"):
            kernels.gather(np.array(owner, np.int32), np.array([1, 2]), np.array(places), np.zeros(2, np.int64))
    keys, slots = np.zeros(3, np.int64), np.full(4, -1, np.int32)
    room = np.zeros(3, np.int32), np.zeros(3, np.int64), np.zeros(3, np.int64)
    for table, met, begin in ((np.full(3, -1, np.int32), [0], 0), (slots, [3], 0), (slots, [], 0), (slots, [0], -1)):
        with pytest.raises(ValueError, match="no table"):
            kernels.number(keys, begin, 1, table, *room, np.array(met, np.int64))
    with pytest.raises(ValueError, match="too few places"):
        kernels.number(np.zeros(4, np.int64), 0, 1, slots, *room, np.zeros(1, np.int64))
