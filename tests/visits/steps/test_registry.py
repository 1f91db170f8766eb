"""The steps of the analysis, as other engines are asked for them."""

from __future__ import annotations

import pytest


@pytest.mark.checkout  # Ibis compiles them, which nobody needs who runs them
def test_no_step_asks_postgresql_for_joins_that_it_does_not_have() -> None:
    from necropsy.visits.steps import registry

    for title, _, text in registry.compiled("postgres"):
        assert "SEMI JOIN" not in text, title
        assert "ANTI JOIN" not in text, title
