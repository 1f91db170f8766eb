"""Grafana's dashboards as values: a panel is a title, expressions and a unit; their place follows from their order.

What is written is Grafana's classic JSON (``schemaVersion`` 39, of Grafana 10 and later, which newer ones migrate as they load
it). No generator of others: the one on PyPI takes the models of an old Grafana by default, and a dozen fields are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_SCHEMA: Final = 39
_WIDTH: Final = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture."""

    title: str
    expressions: tuple[tuple[str, str], ...]
    """PromQL, and the legend of its series."""
    unit: str = "short"
    description: str = ""
    kind: str = "timeseries"
    """``timeseries``, ``stat`` or ``table``."""
    stacked: bool = False
    width: int = 12
    height: int = 8


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Panels under a title, and the labels by which one chooses."""

    uid: str
    title: str
    panels: tuple[Panel, ...]
    variables: tuple[tuple[str, str], ...] = ()
    """Name of a label, and a metric that has it."""

    def as_json(self) -> dict[str, Any]:
        """Return what Grafana reads."""
        return {
            "uid": self.uid,
            "title": self.title,
            "tags": ["necropsy", "sessions"],
            "schemaVersion": _SCHEMA,
            "editable": True,
            "timezone": "browser",
            "time": {"from": "now-24h", "to": "now"},
            "refresh": "1m",
            "annotations": {"list": []},
            "templating": {"list": [_datasource(), *(_variable(*variable) for variable in self.variables)]},
            "panels": _placed(self.panels),
        }

    def expressions(self) -> list[str]:
        """Return every expression, with its variables."""
        return [expression for panel in self.panels for expression, _ in panel.expressions]


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(label: str, metric: str) -> dict[str, Any]:
    query = f"label_values({metric}, {label})"
    return {
        "name": label,
        "label": label.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": label},
        "refresh": 2,  # when the time range changes
        "sort": 1,
        "includeAll": True,
        "multi": True,
        "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"], "selected": True},
        "options": [],
    }


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    made, x, y, tallest = [], 0, 0, 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > _WIDTH:
            x, y, tallest = 0, y + tallest, 0
        made.append(_panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": panel.height}))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return made


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    table = panel.kind == "table"
    targets = [
        {
            "refId": chr(ord("A") + n),
            "datasource": SOURCE,
            "expr": expression,
            "legendFormat": legend,
            "instant": table,
            "range": not table,
            **({"format": "table"} if table else {}),
        }
        for n, (expression, legend) in enumerate(panel.expressions)
    ]
    custom: dict[str, Any] = {}
    if panel.kind == "timeseries":
        stacking = {"mode": "normal" if panel.stacked else "none", "group": "A"}
        custom = {"custom": {"fillOpacity": 30 if panel.stacked else 0, "stacking": stacking, "showPoints": "never"}}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, **custom}, "overrides": []},
        "options": {},
        "targets": targets,
    }
