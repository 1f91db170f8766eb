from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from necropsy.verdict.attribution import attribute
from verdict.incidents import Incident


def scene(seed: int, resolution_s: float = 0.001) -> Incident:
    made = Incident(seed, resolution_s=resolution_s)
    made.people(400)
    made.prober("prober", 20.0, client="10.0.0.4", agent="Nagios")
    return made


@pytest.mark.parametrize("resolution_s", [0.001, 1.0])
@pytest.mark.parametrize("behind_s", [0.2, 0.9, 2.4, -7.3])
@pytest.mark.parametrize("in_turn", [True, False])
def test_births_of_a_server_whose_clock_is_wrong_are_their_creators(
    behind_s: float, resolution_s: float, in_turn: bool
) -> None:
    made = scene(91, resolution_s)
    births, around, share = made.build()
    other = np.arange(births.total) % 2 == 1 if in_turn else made.random.random(births.total) < 0.4
    dated = births.born_ms - np.where(other, round(behind_s * 1000), 0)
    order = np.argsort(dated, kind="stable")
    result = attribute([replace(births, born_ms=dated[order])], around)
    its = [claim for claim in result.claims if claim.creator == "visitor"]
    assert {claim.in_access_log for claim in its} == {True}
    assert sum(claim.births for claim in its) / births.total == pytest.approx(share["prober"], rel=0.03)
    # What belongs to whom is told in the order of the births as they were given.
    owned = np.isin(result.owner["a"], [claim.claim_id for claim in its])
    assert (made.who[order][owned] == "prober").mean() > 0.98
    if abs(behind_s) > 5 or (abs(behind_s) > 0.5 and resolution_s < 1):
        assert len(its) == 1
        assert result.server_clocks["a"][0] == pytest.approx(-behind_s, abs=0.05)


def test_clocks_that_agree_are_left_alone() -> None:
    births, around, _ = scene(92).build()
    assert attribute([births], around).server_clocks == {}


@pytest.mark.parametrize("in_turn", [True, False])
def test_a_hidden_prober_beside_one_that_creates_now_and_then_is_no_other_clock(in_turn: bool) -> None:
    made = Incident(93)
    made.people(300)
    ticks = np.arange(4_320) * 20.0 + 3.0
    creates = np.arange(ticks.size) % 2 == 0 if in_turn else made.random.random(ticks.size) < 0.5
    made.requests("shown", ticks, client="10.0.0.4", agent="Nagios", creates=0.0)
    made.requests("shown", ticks[creates], client="10.0.0.4", agent="Nagios", logged=False)
    made.prober("hidden", 20.0, logged=False, phase_s=9.0)
    births, around, _ = made.build()
    result = attribute([births], around)
    assert result.server_clocks == {}
    assert sum(claim.births for claim in result.claims if claim.creator == "unlogged") == pytest.approx(4_320, rel=0.05)
