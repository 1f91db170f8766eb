"""Births that a busy machine makes late are their prober's; those that others make beside it are not."""

from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution.trains import find_trains

PERIOD_S = 5.0


def _prober(phase_s: float, count: int, seed: int, *, late: float = 0.0) -> np.ndarray:
    """Births within a millisecond or two, a share of them up to 0.4 s late."""
    random = np.random.default_rng(seed)
    at = np.arange(count) * PERIOD_S + phase_s + random.lognormal(0, 0.3, count) / 1000
    return at + np.where(random.random(count) < late, random.uniform(0.05, 0.4, count), 0.0)


def _people(count: int, span_s: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, span_s, count)


@pytest.mark.parametrize("seed", range(5))
def test_late_births_are_the_probers_own(seed: int) -> None:
    parts = [_prober(phase, 97, seed * 10 + n, late=0.12) for n, phase in enumerate((0.266, 2.755, 3.894))]
    born = np.sort(np.concatenate(parts))
    assert [train.births.size for train in find_trains(born, ())] == pytest.approx([97] * 3, abs=1)


@pytest.mark.parametrize("seed", range(5))
def test_births_of_people_after_a_tick_without_one_stay_theirs(seed: int) -> None:
    """A tenth of the probes made no session: what people made at any moment of the period fills no gap."""
    random = np.random.default_rng(seed)
    prober = _prober(2.0, 720, seed)[random.random(720) < 0.9]
    born = np.sort(np.concatenate([prober, _people(400, 3_600.0, seed + 50)]))
    (train,) = find_trains(born, ())
    own = np.isin(born[train.births], prober)
    assert own.sum() >= 0.99 * prober.size
    assert (~own).sum() <= 3


def test_no_late_birth_is_in_two_trains() -> None:
    parts = [_prober(phase, 300, n, late=0.2) for n, phase in enumerate((1.0, 1.2, 1.4))]
    found = find_trains(np.sort(np.concatenate(parts)), ())
    taken = np.concatenate([train.births for train in found])
    assert np.unique(taken).size == taken.size
