"""Idle times that are none: minutes of a policy by frequency, read as seconds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from necropsy.treat.purge.idle_times import may_be_of_lfu

_NOW_S = 1_796_000_000
_DAY_S = 86_400


@given(
    now=st.integers(_NOW_S, _NOW_S + 400 * _DAY_S),
    up=st.integers(60, 400 * _DAY_S),
    used=st.floats(0, 1),
    counter=st.integers(0, 255),
    slow=st.integers(0, 3),
)
def test_whatever_was_used_under_lfu_since_the_start_is_recognised(
    now: int, up: int, used: float, counter: int, slow: int
) -> None:
    minute = int(now - used * up) // 60 & 0xFFFF
    idle = (now - slow - (minute << 8 | counter)) % (1 << 24)
    assert may_be_of_lfu(idle, 1000 * now, 1000 * (now - up))


def test_true_idle_times_of_a_server_of_a_day_are_seldom_taken_for_such() -> None:
    idle = np.arange(3600, _DAY_S, 7)
    taken = may_be_of_lfu(idle, 1000 * _NOW_S, 1000 * (_NOW_S - _DAY_S))
    assert taken.mean() < 0.04
