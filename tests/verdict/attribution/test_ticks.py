"""In which ticks of a train a birth lies."""

from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution.ticks import read_ticks


def test_single_births_before_and_after_a_prober_are_not_its_own() -> None:
    ticks = read_ticks(np.concatenate([[20, 45], np.arange(70, 170), [185, 204, 230]]))
    assert ticks is not None
    assert (ticks.stretches, ticks.fullness, ticks.births) == (((70, 169),), 1.0, 100)


def test_a_prober_that_paused_has_two_stretches_or_one_with_a_hole() -> None:
    ticks = read_ticks(np.concatenate([np.arange(100), np.arange(125, 225)]))
    assert ticks is not None
    assert (ticks.births, ticks.occupied) == (200, 200)


@pytest.mark.parametrize("seed", range(3))
def test_half_of_the_ticks_lost_by_chance_are_one_stretch(seed: int) -> None:
    kept = np.flatnonzero(np.random.default_rng(seed).random(1_000) < 0.5)
    ticks = read_ticks(kept, dust_per_tick=0.02)
    assert ticks is not None
    assert len(ticks.stretches) == 1
    assert ticks.births >= 0.98 * kept.size
