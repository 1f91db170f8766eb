"""The cost of probes as a table, a day and at the steady state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from necropsy._internal.serialization import to_plain
from necropsy.model.cost import Amount, Cost
from necropsy.model.evidence import Absent
from necropsy.model.figures import several
from necropsy.report.escaping import inert, prose
from necropsy.report.figures import count, duration, size
from necropsy.report.terminal.layout import Sheet

SCHEMA: Final = "necropsy/cost/1"
_COLUMNS: Final = (10, 10, 11, 9)
"""Widths: sessions a day, then sessions, keys and bytes at the steady state."""
_HEAD: Final = ("new/day", "sessions", "keys", "bytes")


def render_json(cost: Cost, absent: Sequence[Absent] = ()) -> str:
    """Render the cost as JSON text, ending in a line break."""
    document = {"schema": SCHEMA, **to_plain(cost), "absent": to_plain(tuple(absent))}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def render(cost: Cost, absent: Sequence[Absent] = (), *, width: int = 80, color: bool = False) -> str:
    """Render the cost for a terminal."""
    sheet = Sheet(width=width, color=color)
    if absent and not (cost.lines or cost.harmless or cost.idle):
        sheet.line(("No probe could be read: the cost is unknown.", "bold"))
        _absences(sheet, absent)
        return sheet.text()
    room = width - sum(_COLUMNS)
    _row(sheet, "", _HEAD, room, "dim")
    prober = ""
    for line in cost.lines:
        if line.prober != prober:
            prober = line.prober
            sheet.line((inert(prober), "bold"))
        what = f"  {line.method} {inert(line.url)}"
        every = f"    every {duration(line.period_s)}" + (", fixed" if line.fixed else "")
        sheet.line(what, hang=6)
        _row(sheet, every, _cells(line.amount), room, "")
    name = "TOTAL" if cost.before is None else "AFTER"
    if cost.before is not None:
        _row(sheet, "BEFORE", _cells(cost.before), room, "bold")
    _row(sheet, name, _cells(cost.total), room, "bold")
    sheet.gap()
    _notes(sheet, cost)
    _absences(sheet, absent)
    return sheet.text()


def _absences(sheet: Sheet, absent: Sequence[Absent]) -> None:
    for item in dict.fromkeys((item.locator, item.reason, item.hint) for item in absent):
        locator, reason, hint = item
        sheet.line(f"Not read: {inert(locator.removesuffix(':0'))}: {prose(reason)}. {prose(hint)}", hang=2)


def _row(sheet: Sheet, name: str, cells: Sequence[str], room: int, style: str) -> None:
    if len(name) > room:
        sheet.verbatim(name, style)
        name = ""
    text = name.ljust(room) + "".join(cell.rjust(width) for cell, width in zip(cells, _COLUMNS, strict=False))
    sheet.verbatim(text.rstrip(), style)


def _cells(amount: Amount) -> tuple[str, ...]:
    return (
        count(amount.sessions_per_day),
        count(amount.sessions) if amount.sessions is not None else "?",
        count(amount.keys) if amount.keys is not None else "?",
        size(amount.bytes) if amount.bytes is not None else "?",
    )


def _notes(sheet: Sheet, cost: Cost) -> None:
    given = cost.assumptions
    if cost.lines:
        daily = f"{several(cost.total.sessions_per_day, 'session')}, {several(cost.total.keys_per_day, 'key')}"
        sheet.line("A day: ", daily + (f", {size(cost.total.bytes_per_day)}" if cost.total.bytes_per_day else ""))
    if cost.formula:
        sheet.line(cost.formula, hang=2)
    if not cost.lines:
        sheet.line(("No probe starts sessions.", "bold"))
    if given.lifetime_s is None:
        sheet.line("Add --ttl, the lifetime of a session, for sessions, keys and bytes at the steady state.")
    elif cost.total.sessions is None:
        sheet.line(f"Sessions of {duration(given.lifetime_s)} never expire in practice: there is no steady state.")
    else:
        sheet.line(f"Steady after {duration(given.lifetime_s)}: as many sessions then expire as are created.")
    if given.bytes_per_session is None:
        sheet.line("Add --bytes-per-session for bytes; `necropsy examine --rdb dump.rdb` measures them.")
    quiet = (
        [f"{several(cost.harmless, 'probe')} that start{'s' if cost.harmless == 1 else ''} no session"]
        if cost.harmless
        else []
    )
    if cost.idle:
        quiet.append(
            f"{several(cost.idle, 'probe')} without an application behind {'it' if cost.idle == 1 else 'them'}"
        )
    if quiet:
        sheet.line("Not counted: " + "; ".join(quiet) + ".")
