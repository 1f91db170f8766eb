"""The result of ``necropsy what-if`` as text and as JSON (``necropsy/what-if/1``)."""

from __future__ import annotations

import json
from datetime import datetime
from textwrap import wrap
from typing import Any, Final

from necropsy.model.figures import several
from necropsy.model.what_if import Outlook, StoreOutlooks, WhatIf
from necropsy.report.escaping import inert
from necropsy.report.figures import between as full
from necropsy.report.figures import count, duration, iso_second, moment, size

SCHEMA: Final = "necropsy/what-if/1"
_NEXT: Final = "NEXT   add --fix all, --purge or --ttl 1d to see what each changes"
_BARS: Final = " ▁▂▃▄▅▆▇█"


def as_text(made: WhatIf) -> str:
    """Return the outlooks of each store."""
    text = "\n".join("\n".join(_store(store)) + "\n" for store in made.stores)
    changed = any(store.together.steps for store in made.stores)
    return text if changed or not made.stores else f"{text}\n{_NEXT}\n"


def _store(store: StoreOutlooks) -> list[str]:
    limit = f", limit {size(store.memory_limit)}" if store.memory_limit else ", no memory limit known"
    lines = [f"STORE  {inert(store.store)}, read {moment(store.at)}{limit}"]
    lines += _outlook("TODAY", store.today, store.at)
    for outlook in store.alone:
        lines += _outlook("ALONE", outlook, store.at)
    if store.together.steps:
        lines += _outlook("ALL" if len(store.together.steps) > 1 else "AFTER", store.together, store.at)
    if store.enough_bytes is not None:
        lines += wrap(_enough(store.enough_bytes, store.memory_limit), 79, subsequent_indent=" " * 7)
    for note in store.notes:
        lines += wrap(inert(note), 79, initial_indent="NOTE   ", subsequent_indent=" " * 7)
    return lines


def _enough(enough: int, limit: int | None) -> str:
    said = f"ENOUGH {size(enough)} of memory: at least twice what the store needs"
    if limit is None:
        return said
    if limit < enough:
        return f"{said}. The limit of {size(limit)} is less than that"
    return f"{said}. The limit of {size(limit)} need not be raised"


def _outlook(label: str, outlook: Outlook, at: datetime) -> list[str]:
    said = ", ".join(outlook.steps) if outlook.steps else "without a change"
    text = f"{said}: {count(outlook.births_per_day)} new sessions a day, without those of people"
    lines = wrap(text, 79, initial_indent=f"{label:<7}", subsequent_indent=" " * 7)
    now = f"{several(outlook.sessions_now, 'session')}, {size(outlook.bytes_now)}"
    if outlook.sessions_steady is None or outlook.bytes_steady is None or outlook.steady_after_s is None:
        lines.append(f"       {now}; grows without limit")
    else:
        steady = f"{several(round(outlook.sessions_steady), 'session')}, {size(outlook.bytes_steady)}"
        after = f" after {duration(outlook.steady_after_s)}" if outlook.steady_after_s >= 1 else ""
        lines.append(f"       {now} -> {steady}{after}")
    if outlook.full_at is not None and outlook.full_at <= at:
        lines.append("       memory is full already: more is used than the limit")
    elif outlook.full_at is not None:
        lines.append(f"       memory will be full {full(outlook.full_at, outlook.full_from, outlook.full_to)}")
    lines.append(f"       {_drawn(outlook)}")
    return lines


def _drawn(outlook: Outlook) -> str:
    """Draw the curve in one line, from 0 to its most.

    The eighths of a block are read by eye; the figures stand above.
    """
    most = max(value for _, value in outlook.curve) or 1.0
    bars = "".join(_BARS[round(value / most * (len(_BARS) - 1))] for _, value in outlook.curve)
    return f"{bars} {duration(outlook.curve[-1][0])}"


def as_json(made: WhatIf) -> str:
    """Return the same as JSON."""
    document = {
        "schema": SCHEMA,
        "necropsy": made.necropsy,
        "case": made.case,
        "stores": [
            {
                "store": store.store,
                "at": iso_second(store.at),
                "memory_limit": store.memory_limit,
                "today": _row(store.today),
                "alone": [_row(outlook) for outlook in store.alone],
                "together": _row(store.together),
                "enough_bytes": store.enough_bytes,
                "notes": list(store.notes),
            }
            for store in made.stores
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _row(outlook: Outlook) -> dict[str, Any]:
    return {
        "steps": list(outlook.steps),
        "births_per_day": outlook.births_per_day,
        "sessions_now": outlook.sessions_now,
        "bytes_now": outlook.bytes_now,
        "sessions_steady": outlook.sessions_steady,
        "bytes_steady": outlook.bytes_steady,
        "steady_after_s": outlook.steady_after_s,
        "full_at": iso_second(outlook.full_at),
        "full_from": iso_second(outlook.full_from),
        "full_to": iso_second(outlook.full_to),
        "curve": [list(point) for point in outlook.curve],
    }
