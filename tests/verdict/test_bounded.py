from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from necropsy.verdict.bounded import bounded_least_squares


@given(st.integers(0, 2**32 - 1), st.integers(1, 24))
@settings(max_examples=300, deadline=None)
def test_at_the_minimum_nothing_in_the_box_pulls(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.poisson(random.uniform(0.05, 5, size), (200, size)).astype(np.float64)
    births = random.binomial(rows.astype(int), random.choice([0.0, 0.3, 1.0], size)).sum(axis=1) + random.poisson(
        0.3, 200
    )
    gram = rows.T @ rows + 1e-9 * max(1.0, float(np.trace(rows.T @ rows))) * np.eye(size)
    moment = rows.T @ births
    x = bounded_least_squares(gram, moment)
    assert ((x >= 0) & (x <= 1)).all()
    slope = gram @ x - moment
    small = 1e-6 * max(1.0, float(np.abs(moment).max()))
    assert (slope[x < 1] >= -small).all(), "it would go up"
    assert (slope[x > 0] <= small).all(), "it would go down"


def test_columns_that_always_occur_together_share_what_they_explain() -> None:
    column = np.arange(1.0, 50.0)
    rows = np.stack([column, column], axis=1)
    gram = rows.T @ rows + 1e-9 * np.eye(2) * np.trace(rows.T @ rows)
    assert bounded_least_squares(gram, rows.T @ column) == pytest.approx([0.5, 0.5], abs=1e-3)


@pytest.mark.parametrize(("births", "expected"), [(0.0, 0.0), (0.25, 0.25), (1.0, 1.0), (3.0, 1.0), (-1.0, 0.0)])
def test_a_probability_stays_one(births: float, expected: float) -> None:
    column = np.ones(100)
    x = bounded_least_squares(np.array([[column @ column]]), np.array([column @ column * births]))
    assert x == pytest.approx([expected])


def test_no_column_is_no_answer() -> None:
    assert bounded_least_squares(np.zeros((0, 0)), np.zeros(0)).size == 0
