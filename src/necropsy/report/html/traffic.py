"""Traffic as one self-contained page: a table of visitors with their rhythm and a picture of when they came."""

from __future__ import annotations

from typing import Final

from necropsy import __version__
from necropsy.model.figures import several
from necropsy.model.traffic import Traffic, Visitor
from necropsy.report.commands import traffic as text
from necropsy.report.figures import count, moment, percent
from necropsy.report.html.page import asset, environment
from necropsy.report.wording import sentences

MOST_ROWS: Final = 200
"""Rows of the table unless more are asked for."""
_STYLES: Final = ("fonts/fonts.css", "page.css", "parts.css", "traffic.css", "print.css")
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; base-uri 'none'; form-action 'none'"
)
_HIGH: Final = 20
"""Height of a picture; each part of the time is four wide, three of them a bar."""
_WIDE: Final = 4


def render(traffic: Traffic, *, rows: int | None = MOST_ROWS) -> str:
    """Render traffic as one HTML page without scripts; identical for identical traffic."""
    shown = traffic.visitors[:rows]
    page = (
        environment()
        .get_template("traffic.html.j2")
        .render(
            traffic=traffic,
            visitors=shown,
            hidden=traffic.visitors[len(shown) :],
            headline=text.headline(traffic),
            rhythm=text.rhythm,
            bars=_bars,
            sentences=sentences,
            several_logs=traffic.logs > 1,
            telling=traffic.visitors.telling_agents,
            necropsy=__version__,
            policy=_POLICY,
            styles=[asset(name) for name in _STYLES],
            amount=count,
            moment=moment,
            percent=percent,
            several=several,
            wide=_WIDE,
            high=_HIGH,
        )
    )
    return page.rstrip("\n") + "\n"


def _bars(visitor: Visitor) -> list[tuple[int, float]]:
    """Return the bars of the picture of when a visitor came: where each begins, and its height."""
    most = max(visitor.activity, default=0)
    return [
        (number * _WIDE, max(1.0, round(visits / most * _HIGH, 1)))
        for number, visits in enumerate(visitor.activity)
        if visits
    ]
