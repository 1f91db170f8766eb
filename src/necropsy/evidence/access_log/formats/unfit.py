"""Reasons and hints for lines that no layout reads: the place where a given format stops fitting, the keys that were seen."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from necropsy._internal.spread_json import spread
from necropsy.evidence.access_log.formats.given import named_keys
from necropsy.evidence.access_log.formats.json import json_keys, json_lines
from necropsy.evidence.access_log.formats.layout import NamedLogFormat
from necropsy.evidence.access_log.formats.nginx import Variable, parse
from necropsy.evidence.access_log.formats.text import apache
from necropsy.evidence.access_log.formats.text.text_lines import value_pattern
from necropsy.evidence.access_log.masking import mask

GIVEN: Final = "--log-format"
_OTHERS: Final = (
    (
        re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:debug|info|notice|warn|error|crit|alert|emerg)\] \d+#\d+: "),
        "it is nginx's error log",
        "Give its access log; access_log in nginx's configuration names it.",
    ),
    (
        re.compile(r"\[[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} [\d:.]+ \d{4}\] \[[a-z_]*:?[a-z]+\d?\] "),
        "it is Apache's error log",
        "Give its access log; CustomLog in Apache's configuration names it. An application's errors: examine --app-log.",
    ),
    (
        re.compile(r"(?:.*\]: )?Connect from \S+:\d+ to \S+:\d+ \(\S+/(?:HTTP|TCP)\)$"),
        "it is HAProxy's log of connections, without requests",
        "Write option httplog in HAProxy's configuration; or give another log.",
    ),
)
"""Logs that are no access logs: what their lines begin with, what they are, and what to do."""
_SAMPLE: Final = 30
_TIMES: Final = (
    "Known forms: ISO 8601, 24/May/2019:18:41:32 +0000, 24.05.2019 18:41:32, seconds or milliseconds since 1970."
    " Or name another key that holds the time: --field time=KEY."
)
_NEEDED: Final = {"time": "the time", "target": "the requested path"}


def misfit(formats: Sequence[NamedLogFormat], note: str, head: Sequence[str]) -> str:
    """Say that ``--log-format`` was not used, and where it stops fitting the first line; empty if it was, or was not given.

    Parameters
    ----------
    note
        What the lines were read as; empty: as nothing.
    head
        The first lines.
    """
    given = next((form for form in formats if form.name == GIVEN), None)
    if given is None or note.startswith(GIVEN) or not head:
        return ""
    text = apache.translate(given.text) if apache.is_apache(given.text) else given.text
    return f"{GIVEN} fits no line: {_where(text, head[0])}"


def another_log(head: Sequence[str]) -> tuple[str, str] | None:
    """Say which other log it is, and what to do, by most of its first lines; None: not known."""
    for pattern, what, hint in _OTHERS:
        if sum(bool(pattern.match(line)) for line in head) * 2 > len(head):
            return what, hint
    return None


def spread_json(head: Sequence[str]) -> tuple[str, str] | None:
    """Say that the lines are parts of objects, or of one array of them, and how they become one object a line; None: not so."""
    found = spread("\n".join(head)) if head else None
    if found is None:
        return None
    return found.fault, found.hint("necropsy traffic -")


def broken_json(head: Sequence[str]) -> tuple[str, str] | None:
    """Say where the first line that begins and ends as an object stops being JSON; None if most lines are no such lines."""
    objects = [line for line in head if re.match(r"\s*\{.*\}\s*\Z", line, re.DOTALL)]
    if len(objects) * 2 <= len(head):
        return None
    for number, line in enumerate(head, 1):
        try:
            json.loads(line)
        except ValueError as error:
            place = error.pos + 1 if isinstance(error, json.JSONDecodeError) else 1
            reason = f"its lines look like JSON and are not: line {number} is damaged at character {place:,}"
            return reason, "Let nginx write it with `escape=json`, or give its log_format by --nginx FILE."
        except RecursionError:
            return None
    return None


def _where(text: str, line: str) -> str:
    """Say as far as which piece a format fits a line, and what the line has there instead."""
    pattern, fitting, stop = "", "", 0
    pieces = parse(text)
    for piece, behind in zip(pieces, [*pieces[1:], ""], strict=True):
        pattern += value_pattern(piece, str(behind)[:1], "default") if isinstance(piece, Variable) else re.escape(piece)
        match = re.match(pattern, line, re.DOTALL)
        if match is None:
            rest = mask(line[stop:])[:_SAMPLE]
            place = f"behind {fitting}" if fitting else "at its beginning"
            return f"{place} it expects {str(piece)!r}, but line 1 continues with {rest!r}"
        if isinstance(piece, Variable):
            fitting = f"${piece.name}"
        stop = match.end()
    return "it has no time or no request, or no text between two values"


def keys_seen(formats: Sequence[NamedLogFormat], head: Sequence[str]) -> tuple[str, str] | None:
    """Say which keys JSON lines have, if these hold no request that is known, and the options; None if they are no JSON."""
    samples = [value for value in map(json_lines.parsed, head) if isinstance(value, dict)]
    if len(samples) * 2 <= len(head) or not samples:
        return None
    named = named_keys(formats)
    found = json_keys.resolve(samples, named)
    unread = json_keys.times_unread(samples, named) if named.get("time") or "time" not in found else None
    if unread is not None:
        return f"JSON, but the times of its key {unread[0]} are in a form that is not known: {unread[1]}", _TIMES
    lacking = [field for field in _NEEDED if field not in found and not (field == "target" and "request" in found)]
    if not lacking:
        return None
    keys = json_keys.listed(list(json_keys.flatten(samples)))
    what = " and ".join(_NEEDED[field] for field in lacking)
    options = " ".join(f"--field {field}=KEY" for field in lacking)
    return (
        f"JSON, but no known key has {what} (keys: {keys})",
        f"Give it: {options}. Known fields: {known_fields()}.",
    )


def known_fields() -> str:
    """List the fields that keys can be named for."""
    return ", ".join(json_keys.FIELDS)


def noted(note: str, formats: Sequence[NamedLogFormat], head: Sequence[str]) -> str:
    """Add to what was recognised that a given format fits none of a file's first lines, if so."""
    given = any(form.name == GIVEN for form in formats)
    said = misfit(formats, note, head) if given else ""
    return f"{note}; {said}" if said else note
