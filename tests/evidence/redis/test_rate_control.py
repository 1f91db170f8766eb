"""The pace: slices within the budget, rests when others suffer, patience when memory is full."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.evidence.redis.rate_control import (
    ALONE_BYTES_S,
    CHECK_EVERY_S,
    CONTROLLED_FOR_S,
    FEWEST,
    FIRST,
    HEARD_EVERY_S,
    JUDGED,
    LONGEST_REST_S,
    LONGEST_SLICE_S,
    MOST,
    PATIENCE_S,
    TOLERATED,
    WORKING,
    RateControl,
)


class World:
    """A clock, a server's latency and its memory, all told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.latency = 0.0001
        self.memory = {"used_memory": "50", "maxmemory": "100"}
        self.heard: int | None = 0
        self.slept: list[float] = []
        self.latency_without: float | None = None
        """While nothing of the scan is asked; None: as with it."""
        self.scans = True

    def ping(self) -> float:
        return self.latency if self.scans or self.latency_without is None else self.latency_without

    def sleep(self, seconds: float) -> None:
        self.scans = False
        self.slept.append(seconds)
        self.now += seconds

    def pace(self, budget: float = 0.001) -> RateControl:
        return RateControl(
            self.ping,
            lambda: self.memory,
            lambda: self.heard,
            budget,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def listen(self, pace: RateControl, sent: int | None) -> float:
        """Others send so many bytes in a second, or nobody can tell; return how long a slice is then."""
        for _ in range(50):
            self.now += 1.01 * HEARD_EVERY_S
            self.heard = None if sent is None else (self.heard or 0) + int(sent * HEARD_EVERY_S)
            pace.rest()
        return pace.slice_s

    def rest(self, pace: RateControl, slow: int = 0) -> float:
        """Look as often as a decision takes; so many looks find the server slow. The rest before a slice from then on."""
        for number in range(JUDGED):
            self.now += 1.01 * CHECK_EVERY_S
            self.latency = 0.01 if number < slow else 0.0001
            self.scans = True
            before = len(self.slept)
            pace.rest()
        rest = self.slept[before:]
        return sum(rest[JUDGED:] if len(rest) > JUDGED else rest) if rest != [CHECK_EVERY_S] * JUDGED else 0.0


@pytest.mark.parametrize(("budget", "slice_s"), [(0.001, 0.0002), (0.004, 0.0008), (0.5, LONGEST_SLICE_S)])
def test_a_slice_begins_with_a_fifth_of_the_budget_and_never_takes_more_than_five_milliseconds(
    budget: float, slice_s: float
) -> None:
    assert World().pace(budget).slice_s == pytest.approx(slice_s)


@pytest.mark.parametrize(("budget", "slice_s"), [(0.001, 0.0008), (0.004, 0.0032), (0.5, LONGEST_SLICE_S)])
def test_where_hardly_anybody_asks_a_slice_takes_most_of_the_budget(budget: float, slice_s: float) -> None:
    world = World()
    pace = world.pace(budget)
    assert world.listen(pace, 0) == pytest.approx(slice_s)
    assert world.listen(pace, ALONE_BYTES_S) == pytest.approx(slice_s)


@pytest.mark.parametrize("sent", [2 * ALONE_BYTES_S, -1_000, None])
def test_slices_are_short_at_once_when_others_ask_or_nobody_can_tell(sent: int | None) -> None:
    world = World()
    pace = world.pace(0.004)
    world.listen(pace, 0)
    for _ in range(20):
        pace.took(pace.keys, pace.keys * 1e-5)
    assert pace.keys == 320
    world.now += 1.01 * HEARD_EVERY_S
    world.heard = None if sent is None else (world.heard or 0) + int(sent * HEARD_EVERY_S)
    pace.rest()
    assert pace.slice_s == pytest.approx(0.0008)
    assert pace.keys == 80, "not only from the slice after the next one on"
    world.listen(pace, 0)
    assert pace.slice_s == pytest.approx(0.0032)


@given(st.floats(1e-5, 1), st.booleans())
def test_no_slice_may_take_more_than_the_budget(budget: float, alone: bool) -> None:
    world = World()
    pace = world.pace(budget)
    world.listen(pace, 0 if alone else None)
    assert pace.slice_s <= pace.longest_s <= budget


def test_slices_grow_until_they_fill_their_time() -> None:
    pace = World().pace()
    for _ in range(20):
        pace.took(pace.keys, pace.keys * 5e-6)
    assert pace.keys == 40


def test_one_hiccup_does_not_make_slices_small_but_several_do() -> None:
    pace = World().pace()
    for _ in range(20):
        pace.took(pace.keys, pace.keys * 5e-6)
    pace.took(pace.keys, 0.02)
    assert pace.keys == 40
    for _ in range(9):
        pace.took(pace.keys, pace.keys * 25e-6)
    assert pace.keys == 8


@given(st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 1), st.integers(0, 9)), max_size=60))
def test_slices_stay_within_bounds_whatever_is_measured(slices: list[tuple[int, float, int]]) -> None:
    pace = World().pace()
    for keys, seconds, rounds in slices:
        pace.took(keys, seconds, rounds)
        assert FEWEST <= pace.keys <= MOST


def test_a_server_that_the_scan_makes_slow_is_given_rests_that_double_and_a_quick_one_none() -> None:
    world = World()
    world.latency_without = 0.0001
    pace = world.pace()
    assert world.rest(pace) == 0
    rests = [world.rest(pace, slow=2) for _ in range(12)]
    assert rests[:3] == [0.0005, 0.001, 0.002]
    assert rests[-1] == LONGEST_REST_S
    assert world.rest(pace) == pytest.approx(0.07)
    assert [world.rest(pace) for _ in range(30)][-1] == 0


@pytest.mark.parametrize("slow", [2, JUDGED // 2, JUDGED])
def test_a_server_that_is_as_slow_without_the_scan_is_not_stood_back_from(slow: int) -> None:
    world = World()
    world.latency_without = 0.01
    pace = world.pace()
    pace.took(pace.keys, 0.0002)
    rests = [world.rest(pace, slow=slow) for _ in range(12)]
    assert max(rests) == pytest.approx(0.0002 * (1 / WORKING - 1)), "only so that it does not work all the time"


def test_the_control_is_looked_at_again_after_a_while() -> None:
    world = World()
    world.latency_without = 0.01
    pace = world.pace()
    pace.took(pace.keys, 0.0002)
    world.rest(pace, slow=JUDGED)
    world.latency_without = 0.0001
    world.now += CONTROLLED_FOR_S
    rests = [world.rest(pace, slow=JUDGED) for _ in range(12)]
    assert rests[-1] == LONGEST_REST_S, "by now it is the scan that makes it slow"


def test_a_quick_control_costs_nothing_when_no_answer_is_slow() -> None:
    world = World()
    pace = world.pace()
    for _ in range(5):
        world.rest(pace)
    assert not world.slept


def test_one_slow_answer_of_many_is_no_reason_to_rest() -> None:
    world = World()
    pace = world.pace()
    assert [world.rest(pace, slow=TOLERATED) for _ in range(5)] == [0] * 5


def test_full_memory_is_waited_for_and_then_read_in_small_slices() -> None:
    world = World()
    pace = world.pace()
    for _ in range(20):
        pace.took(pace.keys, pace.keys * 1e-6)
    assert pace.keys > FIRST
    world.memory["used_memory"] = "100"
    world.now += 2
    pace.rest()
    assert pace.waited_for_memory_s == PATIENCE_S
    assert pace.keys == FIRST
    pace.took(FIRST, FIRST * 1e-6)
    assert pace.keys <= FIRST
    world.now += 2
    pace.rest()
    assert pace.waited_for_memory_s == PATIENCE_S, "it is patient once"
    world.memory["used_memory"] = "50"
    world.now += 2
    pace.rest()
    pace.took(FIRST, FIRST * 1e-6)
    assert pace.keys > FIRST


def test_a_server_without_a_limit_is_never_full() -> None:
    world = World()
    world.memory = {"used_memory": "100", "maxmemory": "0"}
    pace = world.pace()
    world.now += 2
    pace.rest()
    assert pace.waited_for_memory_s == 0
