from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from necropsy.verdict.forecast import StoreFacts, predict

from .scenes import A1, A2, probe

NOW = datetime(2019, 5, 24, 19, tzinfo=UTC)
STORE = StoreFacts("a", "spring-indexed", 86_400, 2, 1_047, 34_800, 70_900, 36_500_000, 1_440, None, NOW)
FOUR = [probe(address, port) for address in (A1, A2) for port in (80, 8080)]


def test_the_incident_from_configuration_alone_is_70560_keys() -> None:
    prediction = predict(STORE, FOUR)
    assert prediction.steady_state_keys == 70_560
    assert prediction.steady_state_sessions == 34_560
    assert prediction.formula == "4 probes x 8,640/d x 2 keys + 1,440 expirations sets"


def test_fixing_one_of_two_servers_leaves_half_of_the_sessions() -> None:
    assert predict(STORE, FOUR[:2]).steady_state_sessions == 17_280


@pytest.mark.parametrize("lifetime", [2_147_483_647, -1])
def test_immortal_sessions_have_no_plateau(lifetime: int) -> None:
    prediction = predict(replace(STORE, lifetime_s=lifetime), FOUR)
    assert prediction.steady_state_keys is None
    assert "no plateau" in prediction.formula


def test_layouts_without_minute_sets_have_none_in_the_sum() -> None:
    prediction = predict(replace(STORE, layout="spring", keys_per_session=1), FOUR)
    assert prediction.steady_state_keys == 34_560


def test_a_short_lifetime_counts_the_hash_that_is_kept_for_five_minutes() -> None:
    prediction = predict(replace(STORE, lifetime_s=300), FOUR)
    assert prediction.steady_state_sessions == pytest.approx(240)
    assert prediction.steady_state_keys == pytest.approx(120 * 2 + 120 + 5)
    assert "120 hashes kept for 5 minutes" in prediction.formula
