"""Take off what log shippers put before or around each line of an application's log.

The container runtime stamps every line, those of a stack trace too::

    2024-02-05T10:00:07.345000000Z stdout F 2024-02-05 10:00:07.345 ERROR 6 --- [nio-8080-exec-5] …
    2024-02-05T10:00:07.345000001Z stdout F org.springframework.dao.QueryTimeoutException: Redis command timed out

Such a time begins no entry: the application's own does. Layers are taken off one after the other, as long as one fits
nearly all lines of a sample (Docker Compose around the container runtime around JSON around text).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from necropsy._internal.shippers import MESSAGES, WRAPPERS, Wrapper, whole_text
from necropsy._internal.sql_quoting import literal
from necropsy.evidence.app_log.line_patterns import LEVELS

FRAME: Final = (
    r"^(?:\s+at\s|\s*Caused by: |\s*Suppressed: |\s+\.\.\. \d+ |Traceback \(most recent|\s+File \"|\s*#\d+ |During handling|The above exception"
    r"|\s+from \S+:\d+|\s*\}|\s*$|\s+\S)"
)
"""Finds a line that goes on with a stack trace, or with the line before it."""
_SURE_FRAME: Final = re.compile(
    r"^(?:\s+at |Caused by: |\s+Caused by: |\s+\.\.\. \d+ (?:more|common)|\s+File \"|Traceback \(most recent|#\d+ )"
)
_LAYERS: Final = 4
_NEARLY_ALL: Final = 0.8
_MOST: Final = 0.5


KEYED_TIME: Final = (
    r'"(?i:@timestamp|timestamp|time|ts|@t|t|datetime|date|asctime|event_?time|created|logged_at|log_?time|generated_at|time_?generated'
    r'|time_?millis|timestamp_?ms|epoch_?second|__realtime_timestamp|instant|when|utctime)"\s*:\s*'
    r'(?:\{\s*"(?:date|\$date|seconds|epochSecond)"\s*:\s*)?(?:"(?P<quoted>[^"]{6,60})"|(?P<bare>\d[\d.]{8,25}))'
)
"""Finds the value of a key of JSON that holds a time."""


@dataclass(frozen=True, slots=True)
class WrapperColumns:
    """One layer to take off: expressions of DuckDB over ``line``."""

    name: str
    stamp: str
    stream: str
    rest: str


def layers(sample: Sequence[str]) -> tuple[list[WrapperColumns], list[str]]:
    """Return the layers around the lines of a sample, outermost first, and the lines without them."""
    found: list[WrapperColumns] = []
    lines = [line for line in sample if line.strip()]
    while lines and len(found) < _LAYERS:
        peeled = _prefix(lines) or _object(lines)
        if peeled is None:
            break
        layer, lines = peeled
        found.append(layer)
    return found, lines


def _prefix(lines: Sequence[str]) -> tuple[WrapperColumns, list[str]] | None:
    for wrapper in WRAPPERS:
        form = re.compile(wrapper.pattern, re.DOTALL)
        matches = [form.match(line) for line in lines]
        rests = [match["rest"] for match in matches if match]
        if len(rests) < _NEARLY_ALL * len(lines):
            continue
        if wrapper.needs_frames and not any(map(_SURE_FRAME.match, rests)):
            continue
        if "stream" in form.groupindex and any(match["stream"].upper() in LEVELS for match in matches if match):
            continue
        return _layer(wrapper), [match["rest"] if match else line for match, line in zip(matches, lines, strict=True)]
    return None


def _layer(wrapper: Wrapper) -> WrapperColumns:
    names = re.findall(r"\(\?P<(\w+)>", wrapper.pattern)
    groups = ", ".join(literal(name) for name in names)
    # Expressions stand in one SELECT: DuckDB evaluates what they share once.
    struct = f"regexp_extract(line, {literal('(?s)' + wrapper.pattern)}, [{groups}])"
    matched = f"regexp_matches(line, {literal('(?s)' + wrapper.pattern)})"
    return WrapperColumns(
        wrapper.name,
        f"{struct}.stamp" if "stamp" in names else "''",
        f"{struct}.stream" if "stream" in names else "''",
        f"CASE WHEN {matched} THEN {struct}.rest ELSE line END",
    )


def _object(lines: Sequence[str]) -> tuple[WrapperColumns, list[str]] | None:
    """Take the object of JSON off that a shipper put around each line; an application's own objects stay."""
    objects = [_parsed(line) for line in lines]
    held = [value for value in objects if value is not None]
    if len(held) < _NEARLY_ALL * len(lines):
        return None
    for key in MESSAGES:
        inner = [_text_at(value, key) for value in held]
        some = [message for message in inner if message]
        if len(some) < _MOST * len(held) or not _is_carried(key, some):
            continue
        path = "$." + ".".join(f'"{part}"' for part in key.split("."))
        value = f"TRY(json_extract_string(line, {literal(path)}))"
        stamp = f"regexp_extract(line, {literal(KEYED_TIME)}, ['quoted', 'bare'])"
        layer = WrapperColumns(
            "JSON", f"({stamp}.quoted || {stamp}.bare)", "''", f"coalesce(rtrim({value}, chr(10)), line)"
        )
        return layer, [
            (_text_at(one, key) or line if one is not None else line) for one, line in zip(objects, lines, strict=True)
        ]
    return None


def _is_carried(key: str, messages: Sequence[str]) -> bool:
    """Whether messages are lines of a log of their own: frames of a stack trace, entries with times, objects of JSON."""
    if key == "log" or any(map(_SURE_FRAME.match, messages)):
        return True
    begun = sum(
        bool(re.match(r"\W{0,2}(?:\d{4}[-/]\d\d[-/]\d\d[T ]|\d\d[/-]\w{3}[/-]\d{4}|\{\")", one)) for one in messages
    )
    return begun >= _MOST * len(messages)


def _parsed(line: str) -> dict[str, object] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text_at(value: dict[str, object], key: str) -> str:
    here: object = value
    for part in key.split("."):
        here = here.get(part) if isinstance(here, dict) else None
    return whole_text(here).rstrip("\n") if isinstance(here, str) else ""
