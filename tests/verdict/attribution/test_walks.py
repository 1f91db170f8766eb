from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution import attribute
from necropsy.verdict.attribution.walks import find_walks
from verdict.incidents import Incident


def _walk(random: np.random.Generator, count: int, period_s: float, mean_s: float = 0.004) -> np.ndarray:
    return float(random.uniform(0, period_s)) + np.cumsum(period_s + np.abs(random.normal(mean_s, 0.003, count)))


@pytest.mark.parametrize("period_s", [1.0, 5.0, 10.0, 30.0, 60.0])
def test_a_check_that_waits_after_each_answer_is_found_by_its_interval(period_s: float) -> None:
    random = np.random.default_rng(7)
    checks = [_walk(random, 500, period_s) for _ in range(2)]
    dust = random.uniform(0, 500 * period_s, 600)
    born = np.sort(np.concatenate([*checks, dust]).round(3))
    walks = find_walks(born)
    assert [walk.births.size for walk in walks] == pytest.approx([500, 500], rel=0.06)
    assert [walk.interval_s for walk in walks] == pytest.approx([period_s + 0.004] * 2, abs=0.003)
    taken = np.concatenate([walk.births for walk in walks])
    assert np.unique(taken).size == taken.size


@pytest.mark.parametrize("seed", range(6))
def test_people_make_no_walk(seed: int) -> None:
    random = np.random.default_rng(seed)
    assert find_walks(np.sort(random.uniform(0, 20_000, 400 * 4**seed % 9_000 + 60))) == []


def test_births_that_lack_by_chance_break_no_walk() -> None:
    random = np.random.default_rng(9)
    walk = _walk(random, 1_000, 10.0)
    (found,) = find_walks(walk[random.random(walk.size) < 0.9])
    assert found.births.size > 700


@pytest.mark.parametrize("logs", [True, False])
def test_load_balancers_that_no_log_shows_are_counted(logs: bool) -> None:
    incident = Incident(51, span_s=20_000, answer_s=0.003)
    incident.people(300)
    for node in range(3):
        phase = 1.0 + 3 * node
        incident.prober("unlogged", 10, logged=False, drift_s=0.004 + 0.001 * node, phase_s=phase, agent="ELB")
    births, around, truth = incident.build(logs=logs)
    unlogged = [claim for claim in attribute([births], around).claims if claim.creator == "unlogged"]
    assert len(unlogged) == 3
    assert sum(claim.births for claim in unlogged) / births.total == pytest.approx(truth["unlogged"], abs=0.04)
    assert {claim.phase_s for claim in unlogged} == {None}
    assert all("at no fixed moment" in claim.label for claim in unlogged)


def test_a_drifting_check_that_a_log_shows_is_no_other_one() -> None:
    incident = Incident(52, span_s=20_000)
    incident.people(300)
    incident.prober("logged", 10, drift_s=0.004, agent="ELB-HealthChecker/2.0")
    births, around, _ = incident.build(covers=(0.5, 1.0))
    assert not any(claim.creator == "unlogged" for claim in attribute([births], around).claims)
