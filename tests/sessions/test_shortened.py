from __future__ import annotations

import numpy as np
import pytest

from necropsy.autopsy.verdict_inputs import changed_lifetimes
from necropsy.sessions.lifetimes import USUAL
from necropsy.sessions.shortened import find
from sessions.keyspaces import batch, key, sessions, settled

DAY = 86_400.0
HOUR = 3_600.0


def left(
    older_s: float, newer_s: float, since_s: float, per_hour: float, seed: int, *, wave: float = 0.0
) -> np.ndarray:
    """What is left of sessions that came by chance at a rate, by day more than by night."""
    random = np.random.default_rng(seed)
    ago = random.uniform(0, max(older_s, newer_s), int(max(older_s, newer_s) / HOUR * per_hour))
    ago = ago[random.random(ago.size) < 1 - wave * (1 + np.sin(ago / DAY * 2 * np.pi)) / 2]
    remains = np.where(ago < since_s, newer_s, older_s) - ago
    return np.sort(remains[remains > 0])


@pytest.mark.parametrize("per_hour", [200, 5_000])
@pytest.mark.parametrize(
    ("older_s", "newer_s", "since_s"),
    [
        (DAY, 8 * HOUR, 5 * HOUR),
        (14 * DAY, DAY, 9 * HOUR),
        (2 * HOUR, 0.5 * HOUR, 0.25 * HOUR),
        (7 * DAY, 2 * DAY, 20 * HOUR),
    ],
)
def test_a_shortened_lifetime_is_found(older_s: float, newer_s: float, since_s: float, per_hour: int) -> None:
    if newer_s < HOUR:
        per_hour *= 10
    found = find(left(older_s, newer_s, since_s, per_hour, seed=5, wave=0.3), USUAL)
    assert found is not None
    assert (found.older_s, found.newer_s) == (older_s, newer_s)
    assert found.since_s == pytest.approx(since_s, abs=20 * HOUR / per_hour)
    assert found.newer.size == pytest.approx(since_s / HOUR * per_hour, rel=0.4)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("per_hour", [300, 30_000])
@pytest.mark.parametrize("silent_s", [0.0, 5 * HOUR])
def test_where_nothing_was_changed_nothing_is_found(seed: int, per_hour: int, silent_s: float) -> None:
    remains = left(DAY, DAY, 0.0, per_hour, seed, wave=0.9)
    assert find(remains[remains < DAY - silent_s], USUAL) is None


def test_few_sessions_tell_nothing() -> None:
    assert find(np.arange(100.0), USUAL) is None


@pytest.mark.parametrize(
    ("older_s", "newer_s", "since_s"),
    [
        (DAY, 8 * HOUR, 5 * HOUR),
        (8 * HOUR, DAY, 5 * HOUR),
        (8 * HOUR, 12 * HOUR, 6 * HOUR),
        (DAY, DAY, 0.0),
    ],
)
def test_a_store_whose_lifetime_was_changed_has_its_births_right(
    older_s: float, newer_s: float, since_s: float
) -> None:
    ago = np.arange(7.0, DAY, 20.0)
    lifetime = np.where(ago < since_s, newer_s, older_s)
    rows = [
        key(f"session:{number:043d}", ttl_s=ends, head=b"\x81\xaa_permanent\xc3", elements=13)
        for number, ends in enumerate((lifetime - ago).tolist())
        if ends > 0
    ]
    with settled([batch(rows)]) as case:
        found = sessions(case)
        changed = [(one.older_s, one.newer_s) for one in changed_lifetimes(case).values()]
        births = case.columns("SELECT epoch(max(born_at) OVER () - born_at) AS ago FROM session ORDER BY ago")["ago"]
    assert {row["lifetime_s"] for row in found} == {older_s, newer_s}
    assert changed == ([(older_s, newer_s)] if since_s else [])
    counts = np.histogram(births, np.arange(0, older_s, HOUR))[0]
    assert counts == pytest.approx(180, abs=3)


def test_a_night_without_visitors_is_no_other_lifetime() -> None:
    random = np.random.default_rng(8)
    ago = np.concatenate([random.uniform(0, 5 * HOUR, 900), random.uniform(16 * HOUR, DAY, 900)])
    rows = [
        key(f"session:{number:043d}", ttl_s=DAY - past, head=b"\x81\xaa_permanent\xc3", elements=13)
        for number, past in enumerate([1.0, *ago.tolist()])
    ]
    with settled([batch(rows)]) as case:
        assert {row["lifetime_s"] for row in sessions(case)} == {DAY}
