r"""JSON that is not one object a line: one array of all entries, or objects over several lines.

>>> spread('[\n  {"level": "ERROR"},\n')
SpreadJson(what='one array', each='.[]')
>>> spread('{"events": [{"message": "timed out"},\n')
SpreadJson(what='one array', each='.events[]')
>>> spread('{\n  "level": "ERROR"\n}\n')
SpreadJson(what='objects over several lines', each='.')
>>> spread('{"level": "ERROR"}\n') is None
True
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

_BLANK: Final = "\ufeff \t\r\n"
_NAMED_ARRAY: Final = re.compile(r"\{\s*\"(\w+)\"\s*:\s*\[\s*\{\s*\"")
_ARRAY: Final = re.compile(r"\[\s*(?=\{\s*\"|\{?\s*\Z)")
_GOES_ON: Final = re.compile(r"\s*(,|\Z|\][ \t\r]*(\n|\Z))")
_OPEN_OBJECT: Final = re.compile(r"\{[ \t\r]*(\n\s*\"|\s*\Z)")


class SpreadJson(NamedTuple):
    """The way in which JSON is spread over lines."""

    what: str
    each: str
    """What jq calls each entry."""

    @property
    def fault(self) -> str:
        """Why it is not read."""
        return f"JSON, but {self.what}, not one object a line"

    def hint(self, command: str) -> str:
        """Return the way to give it to a command that reads standard input."""
        return f"Give it so: jq -c '{self.each}' FILE | {command}"


def spread(head: str) -> SpreadJson | None:
    """Tell how a text that begins so is spread over lines; None if it is no such JSON. The end of it may be cut off."""
    text = head.lstrip(_BLANK)
    array = _ARRAY.match(text)
    if array is not None:
        end = _end(text, array.end())
        is_array = end is None or _GOES_ON.match(text, end) is not None
        return SpreadJson("one array", ".[]") if is_array else None
    end, named = _end(text, 0), _NAMED_ARRAY.match(text)
    if end is not None and "\n" not in text[:end] and (named is None or text[end:].strip(_BLANK)):
        return None  # an object a line
    if named is not None:
        return SpreadJson("one array", f".{named[1]}[]")
    return SpreadJson("objects over several lines", ".") if _OPEN_OBJECT.match(text) else None


def _end(text: str, start: int) -> int | None:
    """Return where the value that begins at a place ends; None if it is no JSON, or cut off."""
    try:
        return json.JSONDecoder().raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return None
