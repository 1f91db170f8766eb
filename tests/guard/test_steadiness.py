"""Whether a run of a process is called flat, on runs of which it is known."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from guard.soak import DAY_S, MOST
from guard.steadiness import WINDOWS, trend

EVERY_S = 5.0
MEGABYTE = 1e6


def run(level: Callable[[float], float], noise: float = 0.5) -> list[tuple[float, float]]:
    """Return a day of samples: a level in megabytes by the share of the day that has passed, and what is taken for a moment."""
    chance = random.Random(23)
    times = [EVERY_S * number for number in range(int(DAY_S / EVERY_S))]
    return [(at, MEGABYTE * (level(at / DAY_S) + chance.expovariate(1 / noise))) for at in times]


@pytest.mark.parametrize(("level", "is_flat"), [
    (lambda _: 40.0, True),
    (lambda day: 46.0 - 10 * 0.001 ** day, True),  # caches fill, and are full
    (lambda day: 40.0 + 3.0 * (day * 20 % 1), True),  # a report comes and goes
    (lambda day: 40.0 + 2.0 * day, True),
    (lambda day: 40.0 + 7.0 * day, False),
    (lambda day: 40.0 + (8.0 * day if day > 0.5 else 0.0), False),  # a leak that begins late
    (lambda day: 40.0 + 7.0 * day + 3.0 * (day * 20 % 1), False),
])  # fmt: skip
def test_a_plateau_is_flat_and_a_leak_is_not_whatever_comes_and_goes(
    level: Callable[[float], float], is_flat: bool
) -> None:
    found = trend(run(level))
    assert found is not None
    assert found.is_flat(DAY_S, MOST) is is_flat
    assert found.low <= found.per_second <= found.high
    assert len(found.minima) == WINDOWS


def test_of_a_few_samples_nothing_is_said() -> None:
    assert trend([]) is None
    assert trend(run(lambda _: 40.0)[:30]) is None
