"""The table: what a set of marks comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Record = dict[str, Any]
"""Marks of one report as plain values, with ``kind``, ``seed``, ``build`` and ``withheld``."""


def measures(records: Sequence[Record]) -> dict[str, str]:
    """Every measure by name; "–" where nothing was asked."""
    ill = [one for one in records if not one["healthy"]]
    well = [one for one in records if one["healthy"]]
    errors = _flat(records, "share_errors")
    widths = _flat(records, "widths")
    high = _flat(records, "high")
    asked, found = _sum(records, "actors_asked"), _sum(records, "actors_found")
    checks, cleared = _sum(records, "checks_asked"), _sum(records, "checks_cleared")
    unlogged = [one["unlogged"] for one in records if one["unlogged"] is not None]
    return {
        "incidents (healthy)": f"{len(records)} ({len(well)})",
        "top-1": _mean(one["top"] for one in records),
        "top-1, not healthy": _mean(one["top"] for one in ill),
        "set of causes right": _mean(one["causes"] for one in records),
        "share error, median": _quantile(errors, 0.5),
        "share error, p95": _quantile(errors, 0.95),
        "intervals that contain the truth": _mean(_flat(records, "covered")),
        "width of intervals, median": _quantile(widths, 0.5),
        "actors named, right (mean of incidents)": _mean(
            one["actors_right"] / one["actors_named"] for one in records if one["actors_named"]
        ),
        "actors asked for, named": _rate(found, asked),
        "unlogged creators counted right": f"{_mean(unlogged)} of {len(unlogged)}" if unlogged else "–",
        "healthy called healthy, where it can be known": _mean(
            one["said"] == "healthy" for one in well if one["knowable"]
        ),
        "unhealthy called healthy": _mean(one["said"] == "healthy" for one in ill),
        "false alarms (healthy, a creator named)": f"{sum(bool(one['false_alarms']) for one in well)} of {len(well)}",
        "innocents accused": str(_sum(records, "innocents_accused")),
        "cleared and guilty": str(_sum(records, "cleared_and_guilty")),
        "innocent checks of 100 visits cleared": _rate(cleared, checks),
        "of high confidence, right": f"{_mean(high)} of {len(high)}" if high else "–",
        "high confidence, where it can be known": _mean(bool(one["high"]) for one in records if one["knowable"]),
        "unsure": _mean(one["said"] == "unsure" for one in records),
        "no report": str(sum(one["said"] == "failed" for one in records)),
        "largest sum of creators' shares": f"{max((one['sum_of_shares'] for one in records), default=0):.3f}",
        "CPU seconds, median": _quantile([one["cpu_s"] for one in records if one["cpu_s"]], 0.5, 2),
        "peak MB, p95": _quantile([one["peak_mb"] for one in records if one["peak_mb"]], 0.95, 0),
    }


def render(records: Sequence[Record]) -> str:
    """Measures of every build (and baseline) side by side, then the kinds."""
    builds = list(dict.fromkeys(one["build"] for one in records))
    columns = {build: measures([one for one in records if one["build"] == build]) for build in builds}
    rows = [["", *builds]]
    rows += [[name, *(columns[build][name] for build in builds)] for name in next(iter(columns.values()))]
    text = _markdown(rows)
    kinds = [["kind", "n", *(f"{build}: top-1 / set" for build in builds)]]
    for kind in dict.fromkeys(one["kind"] for one in sorted(records, key=lambda one: (one["healthy"], one["kind"]))):
        of = [one for one in records if one["kind"] == kind]
        cells = []
        for build in builds:
            own = [one for one in of if one["build"] == build]
            cells.append(f"{_mean(one['top'] for one in own)} / {_mean(one['causes'] for one in own)}")
        kinds.append([kind, str(sum(one["build"] == builds[0] for one in of)), *cells])
    return f"{text}\n\n{_markdown(kinds)}"


def _markdown(rows: list[list[str]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]])


def _flat(records: Iterable[Record], name: str) -> list[float]:
    return [value for one in records for value in one[name]]


def _sum(records: Iterable[Record], name: str) -> int:
    return sum(one[name] for one in records)


def _mean(values: Iterable[float | None]) -> str:
    known = [float(value) for value in values if value is not None]
    return f"{np.mean(known):.3f}" if known else "–"


def _quantile(values: Sequence[float], at: float, digits: int = 3) -> str:
    return f"{np.quantile(values, at):.{digits}f}" if values else "–"


def _rate(part: int, whole: int) -> str:
    return f"{part / whole:.3f} of {whole}" if whole else "–"
