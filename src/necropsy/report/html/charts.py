"""Each picture of the page: its data, what it shows in a sentence, and the same figures as a table.

Whoever cannot see a chart (a screen reader, a browser without scripts, a printer) reads the sentence and the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from necropsy.model.figures import several
from necropsy.model.history import Course, StoreHistory
from necropsy.model.report import BirthChart, CombChart, Histogram, Report
from necropsy.report.escaping import inert
from necropsy.report.figures import count, duration, moment, percent
from necropsy.report.wording import course as described
from necropsy.report.wording import over_time

MOST_ROWS: Final = 48
"""Rows of a table beside a chart over time: finer bins are added up."""
_MOST_POINTS: Final = 600
"""Points of a line over time."""
_MOST_MARKS: Final = 24
OWN: Final = "births of its sessions"
"""Source of the history that the chart of births by source shows already."""
_YEAR_S: Final = 31_556_952
_KINDS: Final = {
    "cause": "by the cause",
    "people": "by people",
    "cleared": "by clients that were ruled out",
    "unexplained": "unexplained",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart with its alternatives in words and figures."""

    id: str
    kind: str
    """``births``, ``history``, ``course``, ``comb`` or ``histogram``: which function of ``charts.js`` draws it."""
    title: str
    caption: str
    """Its meaning, with figures."""
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Figures as a table, the first column naming the row."""
    data: dict[str, Any]
    """Data for the script; numbers and inert text only."""


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
            *(history.store for history in report.histories),
        ]
    )
    hung = []
    for number, name in enumerate(names):
        wide = [
            _births(chart, f"births-{number}", _horizon(report, name)) for chart in report.births if chart.store == name
        ]
        drawn = [
            series.name
            for chart in report.births
            if chart.store == name
            for series in chart.series
            if series.kind == "cause"
        ]
        wide += [
            _history(one, report, f"history-{number}-{index}")
            for index, one in enumerate(report.histories)
            if one.store == name and one.source != OWN and len(_points(one, "births")) > 1
        ]
        wide += [
            _course(one, f"course-{number}-{index}") for index, one in enumerate(report.courses) if one.store == name
        ]
        span = next((_span(chart) for chart in report.births if chart.store == name), None)
        wide += [_comb(chart, f"comb-{number}", drawn, span) for chart in report.combs if chart.store == name]
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


def _horizon(report: Report, name: str) -> datetime | None:
    """Birth of the oldest sessions that cannot have expired yet; None where none expires, or nothing is known."""
    store = next((store for store in report.stores if store.name == name), None)
    if store is None or store.lifetime_s is None or not 0 < store.lifetime_s < _YEAR_S:
        return None
    return report.taken_at - timedelta(seconds=store.lifetime_s)


def _span(chart: BirthChart) -> tuple[datetime, datetime]:
    bins = max((len(series.values) for series in chart.series), default=0)
    return chart.start, chart.start + timedelta(seconds=bins * chart.step_s)


def _births(chart: BirthChart, identity: str, horizon: datetime | None) -> Picture:
    bins = max((len(series.values) for series in chart.series), default=0)
    total = sum(sum(series.values) for series in chart.series)
    by_kind: dict[str, float] = {}
    for series in chart.series:
        kind = _KINDS.get(series.kind, "by others")
        by_kind[kind] = by_kind.get(kind, 0.0) + sum(series.values)
    shares = ", ".join(f"{count(round(births))} {kind}" for kind, births in by_kind.items()) if total else ""
    end = _span(chart)[1]
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
        f"{caption}{f': {shares}' if shares else ''}.{_unseen(horizon)}",
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


def _points(history: StoreHistory, quantity: str) -> tuple[tuple[float, float], ...]:
    """Return the points of one quantity, neighbours taken together until a page may hold them."""
    line = next((line for line in history.lines if line.quantity == quantity), None)
    if line is None:
        return ()
    together = max(1, -(-len(line.points) // _MOST_POINTS))
    groups = [line.points[first : first + together] for first in range(0, len(line.points), together)]
    return tuple((group[0][0], sum(value for _, value in group) / len(group)) for group in groups)


def _history(history: StoreHistory, report: Report, identity: str) -> Picture:
    """Draw births by time, with the moments at which they changed and what happened beside them."""
    births = _points(history, "births")
    start = round(history.start.timestamp() * 1000)
    caption = (
        f"New {history.births_of} an hour from {moment(history.start)} to {moment(history.end)}, by {history.source}."
    )
    caption += "".join(
        f" {sentence[0].upper()}{sentence[1:]}."
        for sentence in (over_time.sentence(change, history, report) for change in history.changes[-3:])
    )
    if history.changes and (why := over_time.too_short(history)):
        caption += f" {why[0].upper()}{why[1:]}."
    marks = [(event.at, event.text, "event") for event in report.events if event.store in (None, history.store)]
    marks += [(change.at, "births change", "change") for change in history.changes]
    group = max(1, -(-len(births) // MOST_ROWS))
    rows = tuple(
        (
            moment(history.start + timedelta(seconds=births[first][0])),
            count(sum(value for _, value in births[first : first + group]) / len(births[first : first + group])),
        )
        for first in range(0, len(births), group)
    )
    return Picture(
        identity,
        "history",
        f"Births over time, by {inert(history.source)}",
        caption,
        ("from", f"new {history.births_of} an hour"),
        rows,
        {
            "start": start,
            "end": round(history.end.timestamp() * 1000),
            "unit": f"new {history.births_of} an hour",
            "births": [[start + round(second * 1000), round(value, 3)] for second, value in births],
            "marks": [
                {"at": round(at.timestamp() * 1000), "text": inert(text), "kind": kind}
                for at, text, kind in sorted(marks)
                if history.start <= at <= history.end
            ][-_MOST_MARKS:],
        },
    )


def _course(course: Course, identity: str) -> Picture:
    """Draw what was measured against what was predicted, and how it goes on."""

    def line(points: tuple[tuple[float, float], ...]) -> list[list[float]]:
        return [[round(second * 1000), round(value, 1)] for second, value in points]

    marks = [(round(second * 1000), inert(text), "event") for second, text in course.marks]
    marks.append((round(course.measured[-1][0] * 1000), "now", "now"))
    if course.horizon is not None:
        marks.append((round(course.horizon.timestamp() * 1000), "older ones have expired", "horizon"))
    start, end = round(course.start_s * 1000), round(course.end_s * 1000)
    return Picture(
        identity,
        "course",
        f"{course.unit.capitalize()} over time: measured, predicted, and from now on",
        described.sentence(course),
        ("at", course.unit, "as predicted"),
        described.rows(course),
        {
            "start": start,
            "end": end,
            "unit": course.unit,
            "lines": [
                {"name": name, "kind": kind, "points": line(points)}
                for name, kind, points in (
                    ("measured", "measured", course.measured),
                    (f"predicted by {inert(course.predicted_by)}", "predicted", course.predicted),
                    ("if nothing is changed", "ahead", course.ahead),
                )
                if points
            ],
            "full": round(course.full) if course.full is not None else None,
            "marks": [{"at": at, "text": text, "kind": kind} for at, text, kind in sorted(marks) if start <= at <= end],
        },
    )


def _unseen(horizon: datetime | None) -> str:
    """Say from when on births are complete: only sessions that still live can be counted."""
    if horizon is None:
        return ""
    return f" Sessions born before {moment(horizon)} and not used since have expired, and are missing here."


def _comb(
    chart: CombChart, identity: str, accused: list[str], span: tuple[datetime, datetime] | None = None
) -> Picture:
    """Draw the comb; a line has the colour that the series of the same name has in the chart of births."""
    stood = sum(tooth.births for tooth in chart.teeth)
    last_s = max((point[0] for point in chart.points), default=0.0)
    caption = (
        f"Each dot is the birth of a session. Horizontal: when it was created; vertical: the time within a period of "
        f"{duration(chart.period_s)}. A client that comes at a fixed interval draws a horizontal line; visits of"
        f" people are scattered. "
        f"{several(len(chart.teeth), 'line')} {'holds' if len(chart.teeth) == 1 else 'hold'} {count(stood)} of "
        f"{several(chart.births, 'birth')}."
    )
    if chart.by_number:
        caption += f" No evidence tells which of these lines is which: {', '.join(map(inert, chart.by_number))}."
    if len(chart.points) < chart.births:
        caption += f" Drawn: a sample of {count(len(chart.points))}."
    logged = {True: "yes", False: "no", None: "unknown"}
    return Picture(
        identity,
        "comb",
        "Births by their time within the period",
        caption,
        ("line", "phase", "births", "in an access log"),
        tuple(
            (tooth.label, f"{tooth.phase_s:.2f} s", count(tooth.births), logged[tooth.in_access_log])
            for tooth in chart.teeth
        ),
        {
            "start": round(chart.start.timestamp() * 1000),
            "from": round((span[0] if span else chart.start).timestamp() * 1000),
            "to": round(span[1].timestamp() * 1000) if span else round(chart.start.timestamp() * 1000 + 1000 * last_s),
            "period": chart.period_s,
            "unit": f"time of birth within {duration(chart.period_s)}",
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
    share = percent(histogram.counts[largest] / total)
    return Picture(
        identity,
        "histogram",
        title,
        f"{several(total, 'session')}; the largest group: {histogram.labels[largest]} ({share}).",
        (title.removeprefix("By "), "sessions"),
        tuple((label, count(number)) for label, number in zip(histogram.labels, histogram.counts, strict=True)),
        {"labels": [inert(label) for label in histogram.labels], "counts": list(histogram.counts)},
    )
