"""Formats that were given: ``--log-format``, or every ``log_format`` of the nginx configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from necropsy.evidence.access_log.formats.json import json_keys, json_lines
from necropsy.evidence.access_log.formats.layout import LineLayout, NamedLogFormat
from necropsy.evidence.access_log.formats.nginx import PREFERENCE, Variable, parse
from necropsy.evidence.access_log.formats.text import apache, text_lines
from necropsy.evidence.access_log.formats.values import Path
from necropsy.model.errors import UsageError
from necropsy.model.evidence import Origin

FIELD_OPTION: Final = "--field"
"""Name of the format that is none: its text says which key holds which field, ``client=remote_ip``, one a line."""


@dataclass(frozen=True, slots=True)
class NamedKeys:
    """Keys by field, in the shape of a format; see ``FIELD_OPTION``."""

    text: str
    name: str = FIELD_OPTION
    escape: str = "none"
    origin: Origin | None = None


def name_keys(pairs: Sequence[str]) -> list[NamedLogFormat]:
    """Read what ``--field`` says, ``client=remote_ip``; nothing for nothing.

    Raises
    ------
    UsageError
        No pair, or a field that there is none of.
    """
    for pair in pairs:
        field, _, key = pair.partition("=")
        if field not in json_keys.FIELDS or not key:
            known = ", ".join(json_keys.FIELDS)
            raise UsageError(f"{pair}: not FIELD=KEY", hint=f"As in --field client=remote_ip. Fields: {known}.")
    return [NamedKeys("\n".join(pairs))] if pairs else []


def named_keys(formats: Sequence[NamedLogFormat]) -> dict[str, str]:
    """Return which key holds which field, as the user said it."""
    pairs = (line.partition("=") for form in formats if form.name == FIELD_OPTION for line in form.text.splitlines())
    return {field: key for field, _, key in pairs}


def given(lines: Sequence[str], formats: Sequence[NamedLogFormat]) -> list[LineLayout]:
    """Return the layouts of the given formats that the lines might have."""
    found = []
    for form in sorted((form for form in formats if form.name != FIELD_OPTION), key=_rank):
        name = form.name if form.name.startswith("--") else f"{_directive(form)} {form.name}"
        spoken = f"{name} from {form.origin}" if form.origin is not None else name
        is_apache = apache.is_apache(form.text)
        written = apache.translate(form.text) if is_apache else form.text
        text = written.strip()
        if text.startswith("{") and text.endswith("}"):
            layout = _json(text, lines, name, spoken)
        elif is_apache:
            layout = _apache(text, name, spoken)
        else:
            layout = text_lines.compile_format(written, form.escape, name=name, note=spoken)
        if layout is not None:
            found.append(layout)
    return found


def _rank(form: NamedLogFormat) -> tuple[bool, int]:
    """Order formats: what was given before what was found, and of Apache's the longer ones before those that they hold.

    ``combined`` reads a line of ``vhost_combined``, too, with the host as the client and two words as the user.
    """
    return not form.name.startswith("--"), -form.text.count("%") if apache.is_apache(form.text) else 0


def _directive(form: NamedLogFormat) -> str:
    return "LogFormat" if apache.is_apache(form.text) else "log_format"


def _apache(text: str, name: str, spoken: str) -> LineLayout | None:
    """Make the layout of a format whose values may hold quotation marks, but hardly ever do."""
    careful = text_lines.compile_format(text, "json", name=name, note=spoken)
    plain = text_lines.compile_format(text, name=name, note=spoken)
    return replace(plain, otherwise=careful.lines) if careful is not None and plain is not None else careful


def _json(text: str, lines: Sequence[str], name: str, spoken: str) -> LineLayout | None:
    """Make the layout of a format that writes an object: its keys are those of the format, whatever their names."""
    try:
        template = json.loads(_as_template(text))
    except (ValueError, RecursionError):
        return None
    if not isinstance(template, dict):
        return None
    samples = [
        value for value in map(json_lines.parsed, lines) if isinstance(value, dict) and value.keys() == template.keys()
    ]
    if not samples:
        return None
    named = _fields(template)
    for field, paths in json_keys.resolve(samples).items():  # a format may compose a field of several variables
        if field not in named and not (
            field in {"request", "target", "method"} and {"request", "target"} & named.keys()
        ):
            named[field] = list(paths)
    return json_lines.layout(named, samples, name, f"{spoken}, JSON: ")


def _as_template(text: str) -> str:
    """Put each variable into quotation marks, so that the format itself is JSON.

    >>> _as_template('{"status": $status, "request": "$request"}')
    '{"status": "$status", "request": "$request"}'
    """
    template, inside = "", False
    for piece in parse(text):
        if isinstance(piece, Variable):
            template += f"${piece.name}" if inside else f'"${piece.name}"'
        else:
            template += piece
            inside ^= piece.replace('\\"', "").count('"') % 2 == 1
    return template


def _fields(template: Mapping[str, Any]) -> dict[str, list[Path]]:
    """Return which path of the template carries which field."""
    ranked: dict[str, list[tuple[int, Path]]] = {}

    def walk(value: object, path: Path) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, (*path, key))
        elif isinstance(value, str) and value.startswith("$"):
            variable = Variable(value[1:])
            if variable.field:
                ranked.setdefault(variable.field, []).append((PREFERENCE.get(variable.name, len(PREFERENCE)), path))

    walk(template, ())
    return {field: [path for _, path in sorted(paths, key=lambda p: p[0])] for field, paths in ranked.items()}
