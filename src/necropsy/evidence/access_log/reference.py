"""The reference: what a line of a layout means, one line after the other, in Python.

``duckdb_reader`` reads what is well formed, many lines at a time, and must come to the same; what it leaves, and a log's first
lines, are read here.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from necropsy.evidence.access_log.formats.field_texts import AUTHORITY, TextChange, changes
from necropsy.evidence.access_log.formats.fields import cookies
from necropsy.evidence.access_log.formats.fields.timestamps import number, took_us
from necropsy.evidence.access_log.formats.layout import BLANK, LineLayout
from necropsy.evidence.access_log.formats.values import Values

_SMALLEST, _LARGEST = -(1 << 15), (1 << 15) - 1


class ParsedLine(NamedTuple):
    """A request; texts are empty where the line has none."""

    time_us: int
    """Microseconds since 1970, UTC."""
    status: int
    """-1: not known."""
    client: str
    agent: str
    host: str
    request: str
    """Method, a space, target without its query."""
    referer: str
    """Without its query."""
    flags: int
    """See ``visits.line_flags``."""


def read(layout: LineLayout, texts: Sequence[str]) -> Iterator[ParsedLine | int]:
    """Read lines, without their newlines; a line that is no request becomes the number of its fault (``FAULTS``, ``BLANK``)."""
    found = list(layout.lines.values(texts))
    left = [place for place, values in enumerate(found) if values is None] if layout.otherwise is not None else []
    if layout.otherwise is not None and left:
        for place, values in zip(left, layout.otherwise.values([texts[place] for place in left]), strict=True):
            found[place] = values
    change = changes(layout)
    # Separators of ASCII (0x1C to 0x1F) are spaces to Python's texts, not to its bytes, nor to anybody who counts lines.
    for text, values in zip(texts, found, strict=True):
        if not text.strip(string.whitespace) or (layout.comment and text.startswith(layout.comment)):
            yield BLANK
        else:
            yield 1 if values is None else _row(layout, values, change)


def _row(layout: LineLayout, values: Values, change: Mapping[str, TextChange]) -> ParsedLine | int:
    one = {field: values[names[0]] for field, names in layout.fields.items()}
    moment = layout.form.read(one["time"])
    if moment is None:
        return 2
    if "request" in one:
        request = _path(one["request"])
    else:
        target = _path(one["target"])
        method = one.get("method", "GET")
        request = None if target is None else f"{'-' if method is None else method} {target}"
    if not request:
        return 3
    host = _first(layout, "host", values)
    if layout.absolute and "host" not in layout.fields:
        host = _authority(one["target"])
    texts = {
        "client": _first(layout, "client", values),
        "agent": one.get("agent"),
        "host": host,
        "request": request,
        "referer": _path(one.get("referer")),
    }
    changed = {field: change[field](text or "") if field in change else text or "" for field, text in texts.items()}
    return ParsedLine(
        moment - took_us(one.get("duration")), _status(one.get("status")), **changed, flags=cookies.flags(one)
    )


def _path(text: str | None) -> str | None:
    return None if text is None else text.partition("?")[0]


def _first(layout: LineLayout, field: str, values: Values) -> str | None:
    names = layout.fields.get(field, ())
    if len(names) < 2:
        return values[names[0]] if names else None
    return next((value for name in names if (value := values[name]) not in {None, "", "-"}), "")


def _authority(target: str | None) -> str:
    found = re.match(AUTHORITY, target or "")
    return found[1] if found else ""


def _status(text: str | None) -> int:
    value = number(text)
    return round(value) if value is not None and _SMALLEST <= value <= _LARGEST else -1
