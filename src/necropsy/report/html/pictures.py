"""Each picture of the page: its data, what it shows in a sentence, and the same figures as a table.

Whoever cannot see a chart (a screen reader, a browser without scripts, a printer) reads the sentence and the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from necropsy.model.report import BirthChart, CombChart, Histogram, Report
from necropsy.report.escaping import inert
from necropsy.report.figures import count, duration, moment, percent, several

MOST_ROWS: Final = 48
"""Rows of a table beside a chart over time: finer bins are added up."""
_KINDS: Final = {
    "cause": "the accused",
    "people": "people",
    "cleared": "cleared visitors",
    "unexplained": "unexplained",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart with its alternatives in words and figures."""

    id: str
    kind: str
    """``births``, ``comb`` or ``histogram``: which function of ``charts.js`` draws it."""
    title: str
    caption: str
    """What it shows, with figures."""
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The figures as a table, the first column naming the row."""
    data: dict[str, Any]
    """What the script needs; numbers and inert text only."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """The pictures of one store."""

    store: str
    wide: tuple[Picture, ...]
    small: tuple[Picture, ...]


def galleries(report: Report) -> list[Gallery]:
    """All pictures that the report has values for, store by store in the order of the report."""
    names = dict.fromkeys(
        [
            *(store.name for store in report.stores),
            *(chart.store for chart in report.births),
            *(chart.store for chart in report.combs),
            *(chart.store for chart in report.populations),
        ]
    )
    hung = []
    for number, name in enumerate(names):
        wide = [_births(chart, f"births-{number}") for chart in report.births if chart.store == name]
        drawn = [
            series.name
            for chart in report.births
            if chart.store == name
            for series in chart.series
            if series.kind == "cause"
        ]
        wide += [_comb(chart, f"comb-{number}", drawn) for chart in report.combs if chart.store == name]
        small = [
            _histogram(histogram, title, f"population-{number}-{index}")
            for chart in report.populations
            if chart.store == name
            for index, (title, histogram) in enumerate(
                (
                    ("By age", chart.by_age),
                    ("By time left to live", chart.by_remaining),
                    ("By login", chart.by_authentication),
                )
            )
            if sum(histogram.counts)
        ]
        if wide or small:
            hung.append(Gallery(name, tuple(wide), tuple(small)))
    return hung


def _births(chart: BirthChart, identity: str) -> Picture:
    bins = max((len(series.values) for series in chart.series), default=0)
    total = sum(sum(series.values) for series in chart.series)
    by_kind: dict[str, float] = {}
    for series in chart.series:
        kind = _KINDS.get(series.kind, "others")
        by_kind[kind] = by_kind.get(kind, 0.0) + sum(series.values)
    shares = ", ".join(f"{percent(births / total)} {kind}" for kind, births in by_kind.items()) if total else ""
    end = chart.start + timedelta(seconds=bins * chart.step_s)
    caption = f"{several(round(total), 'birth')} from {moment(chart.start)} to {moment(end)}"
    group = max(1, -(-bins // MOST_ROWS))
    rows = tuple(
        (
            moment(chart.start + timedelta(seconds=first * chart.step_s)),
            *(count(round(sum(series.values[first : first + group]))) for series in chart.series),
        )
        for first in range(0, bins, group)
    )
    return Picture(
        identity,
        "births",
        "Births by source",
        f"{caption}: {shares}." if shares else f"{caption}.",
        (f"births in {duration(chart.step_s * group)} from", *(series.name for series in chart.series)),
        rows,
        {
            "start": round(chart.start.timestamp() * 1000),
            "step": round(chart.step_s * 1000),
            "unit": f"births in {duration(chart.step_s)}",
            "series": [
                {"name": inert(series.name), "kind": series.kind, "values": list(series.values)}
                for series in chart.series
            ],
        },
    )


def _comb(chart: CombChart, identity: str, accused: list[str]) -> Picture:
    """Draw the comb; a line has the colour that the series of the same name has in the chart of births."""
    stood = sum(tooth.births for tooth in chart.teeth)
    caption = (
        f"Each dot is the birth of a session: across, when it was born; upwards, at which moment of a period of "
        f"{duration(chart.period_s)}. Whoever comes like clockwork draws a line, people are dust. "
        f"{several(len(chart.teeth), 'line')} {'holds' if len(chart.teeth) == 1 else 'hold'} {count(stood)} of "
        f"{several(chart.births, 'birth')}."
    )
    if len(chart.points) < chart.births:
        caption += f" Drawn: a sample of {count(len(chart.points))}."
    logged = {True: "yes", False: "no", None: "unknown"}
    return Picture(
        identity,
        "comb",
        "The comb",
        caption,
        ("line", "phase", "births", "in an access log"),
        tuple(
            (tooth.label, f"{tooth.phase_s:.2f} s", count(tooth.births), logged[tooth.in_access_log])
            for tooth in chart.teeth
        ),
        {
            "start": round(chart.start.timestamp() * 1000),
            "period": chart.period_s,
            "unit": f"moment of birth within {duration(chart.period_s)}",
            "teeth": [
                {
                    "label": inert(tooth.label),
                    "phase": tooth.phase_s,
                    "logged": tooth.in_access_log,
                    "colour": _colour(tooth.label, accused, number),
                }
                for number, tooth in enumerate(chart.teeth)
            ],
            "points": [list(point) for point in chart.points],
        },
    )


def _colour(label: str, accused: list[str], otherwise: int) -> int:
    """Position among the accused of the chart of births; a tooth may say more in brackets behind the name."""
    names = (position for position, name in enumerate(accused) if label == name or label.startswith(f"{name} ("))
    return next(names, otherwise)


def _histogram(histogram: Histogram, title: str, identity: str) -> Picture:
    total = sum(histogram.counts)
    largest = max(range(len(histogram.counts)), key=histogram.counts.__getitem__)
    return Picture(
        identity,
        "histogram",
        title,
        f"{several(total, 'session')}, most of them {histogram.labels[largest]} ({percent(histogram.counts[largest] / total)}).",
        (title.removeprefix("By "), "sessions"),
        tuple((label, count(number)) for label, number in zip(histogram.labels, histogram.counts, strict=True)),
        {"labels": [inert(label) for label in histogram.labels], "counts": list(histogram.counts)},
    )
