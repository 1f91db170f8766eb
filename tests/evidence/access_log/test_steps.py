"""The steps of the analysis, as other engines are asked for them."""

from __future__ import annotations

import pytest


@pytest.mark.checkout  # Ibis compiles them, which nobody needs who runs them
def test_no_step_asks_postgresql_for_joins_that_it_does_not_have() -> None:
    import ibis

    from necropsy.evidence.access_log.analysis import steps

    tables = steps.source_tables()
    for step in steps.STEPS:
        expression = step.build(tables, **dict.fromkeys(step.parameters, 50))
        text = str(ibis.to_sql(expression, dialect="postgres"))
        assert "SEMI JOIN" not in text, steps.title(step)
        assert "ANTI JOIN" not in text, steps.title(step)
        tables[step.name] = ibis.table(expression.schema(), name=step.name)
