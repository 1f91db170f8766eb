"""Dashboards without a Grafana: its own types, another's model, a parser of PromQL, and rules of good dashboards.

That every expression finds something on a real Prometheus is in ``test_around``. Nobody has looked at them in a Grafana.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest

import node_packages
from necropsy.guard.around.dashboards import DASHBOARDS
from necropsy.guard.around.panels import Dashboard

UNITS = {"short", "bytes", "s", "percentunit", "ops"}
"""Identifiers of Grafana's value formats that are used here."""
VARIABLES = {"$store": "A", "$instance": "A", "$__rate_interval": "1m"}


def substituted(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


@pytest.mark.checkout
@pytest.mark.integration
def test_grafanas_own_types_accept_each_as_a_literal_and_refuse_a_wrong_one() -> None:
    boards = [("@grafana/schema", "Dashboard", board.as_json()) for board in DASHBOARDS]
    assert node_packages.typed("dashboards", boards) == ""
    wrong = json.loads(json.dumps(DASHBOARDS[0].as_json()))
    wrong["panels"][0]["gridPoss"] = wrong["panels"][0].pop("gridPos")
    wrong["schemaVersion"] = "39"
    said = node_packages.typed("wrong", [("@grafana/schema", "Dashboard", wrong)])
    assert "schemaVersion" in said or "string" in said


def lost(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Yield what is in ours and not the same in theirs."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from lost(value, theirs[key], f"{path}.{key}") if key in theirs else (f"{path}.{key}",)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from lost(one, other, f"{path}[{number}]")
    elif ours != theirs:
        yield f"{path}: {ours} is {theirs}"


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.uid)
def test_the_model_of_grafanas_sdk_reads_each_and_loses_nothing(board: Dashboard) -> None:
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard as Model
    from grafana_foundation_sdk.models.prometheus import Dataquery

    register_default_plugins()
    ours = board.as_json()
    model = Model.from_json(ours)
    panels = model.panels or []
    assert len(panels) == len(ours["panels"])
    assert all(isinstance(target, Dataquery) for panel in panels for target in panel.targets or [])  # type: ignore[union-attr]
    assert list(lost(ours, json.loads(json.dumps(model, cls=JSONEncoder)))) == []


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.uid)
def test_every_expression_is_promql(board: Dashboard) -> None:
    for expression in board.expressions():
        promql_parser.parse(substituted(expression))
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("sum by (store (necropsy_sessions)")


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.uid)
def test_every_panel_says_what_it_shows_and_in_which_unit_and_rates_fit_the_scrape_interval(board: Dashboard) -> None:
    titles = [panel.title for panel in board.panels]
    assert len(set(titles)) == len(titles)
    for panel in board.panels:
        assert panel.unit in UNITS
        assert panel.expressions
        for expression, legend in panel.expressions:
            assert legend
            assert set(re.findall(r"\{\{(\w+)\}\}", legend)) or len(panel.expressions) == 1
            for window in re.findall(r"\b(?:rate|irate|increase)\([^[]*\[([^\]]+)\]", expression):
                assert window == "$__rate_interval", expression
    asked = board.as_json()
    assert asked["templating"]["list"][0]["type"] == "datasource"
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in asked["panels"])
