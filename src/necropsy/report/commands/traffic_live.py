"""Traffic while it comes: a line an interval for people and for programs, a screen for a terminal, a summary at the end."""

from __future__ import annotations

import json
from importlib import resources
from typing import Final

from necropsy.model.figures import several
from necropsy.model.traffic import Beat, Traffic
from necropsy.report.commands import traffic as text
from necropsy.report.commands import traffic_rows
from necropsy.report.escaping import inert, prose
from necropsy.report.figures import count, duration, iso

SCHEMA: Final = "necropsy/traffic-live/1"
MOST_ROWS: Final = 20
"""Visitors of each line of JSON unless more are asked for."""
_MINUTE_S: Final = 60.0
_LONGEST: Final = 60


def schema() -> str:
    """Return the published JSON Schema of what ``as_json_line`` writes."""
    return resources.files(__package__).joinpath("schemas/traffic-live-1.schema.json").read_text(encoding="utf-8")


def as_json_line(beat: Beat, *, limit: int | None = MOST_ROWS) -> str:
    """Render a beat as one line of JSON."""
    document = {
        "schema": SCHEMA,
        "at": iso(beat.at),
        "seconds": round(beat.seconds, 3),
        "lines": beat.lines,
        "lines_total": beat.lines_total,
        "rotations": beat.rotations,
        "last": beat.last,
        "waiting_for": beat.waiting_for,
        "traffic": traffic_rows.document(beat.traffic, limit=limit) if beat.traffic is not None else None,
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n"


def line(beat: Beat) -> str:
    """Render a beat as one line of text: when, how many lines, clocks, likely new sessions, and the most suspicious.

    ::

        18:42:34Z       120 lines    1 clock      6.9 new sessions/min  GET / 302 -> /login, Go net/http, every 10 s
    """
    parts = [f"{beat.at:%H:%M:%S}Z", f"{count(beat.lines):>9} lines"]
    if beat.traffic is None:
        return "  ".join([*parts, f"waiting for {prose(beat.waiting_for)}"]) + "\n"
    clocks = beat.traffic.periodic.classes
    parts += [
        f"{count(clocks):>3} {'clock' if clocks == 1 else 'clocks'}",
        f"{_rate(beat.traffic):>8} new sessions/min",
    ]
    if beat.traffic.visitors:
        first = beat.traffic.visitors[0]
        led = f" -> {first.followed_to}" if first.followed_to else ""
        status = f" {first.status}" if first.status is not None else ""
        asked = inert(f"{first.method} {first.path}{status}{led}", limit=_LONGEST)
        who = [asked, inert(first.agent or first.user_agent, limit=_LONGEST)]
        who += [f"every {text.rhythm(first)}"] if first.period_s is not None else []
        parts.append(", ".join(filter(None, who)))
    return "  ".join(parts) + "\n"


def screen(beat: Beat, *, width: int, height: int, color: bool) -> str:
    """Render a beat for a terminal of so many rows; what does not fit is cut."""
    if beat.traffic is None:
        shown = [f"Waiting for {prose(beat.waiting_for)}."]
    else:
        shown = text.render(beat.traffic, width=width, color=color, rows=height).splitlines()
    return "\n".join([*shown[: max(1, height - 2)], "", f"{_followed(beat)}. Ctrl-C ends."])


def summary(beat: Beat, *, width: int, color: bool, rows: int | None) -> str:
    """Render what the last lines said, and how long they were followed."""
    shown = text.render(beat.traffic, width=width, color=color, rows=rows) if beat.traffic is not None else ""
    return f"{shown}{_followed(beat)}.\n"


def _followed(beat: Beat) -> str:
    turned = f", {several(beat.rotations, 'rotation')}" if beat.rotations else ""
    return f"Followed for {duration(max(1, round(beat.seconds)))}: {several(beat.lines_total, 'line')}{turned}"


def _rate(traffic: Traffic) -> str:
    """Visits a minute that probably start a session, over the lines that are looked at; a dash before there is a minute."""
    if traffic.span_s < _MINUTE_S:
        return "-"
    return count(traffic.of("likely").visits / traffic.span_s * _MINUTE_S)
