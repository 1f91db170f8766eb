"""Configuration in TOML: its tables, or the line of its fault and what is wrong there."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

from necropsy.model.errors import ConfigurationError

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


def parse_toml(text: str, path: str, hint: str) -> dict[str, Any]:
    """Return the tables of a text.

    Raises
    ------
    ConfigurationError
        Not TOML, with the file and the line.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, reason = _fault(error, text)
        raise ConfigurationError(path, line, f"not TOML: {reason}", hint=hint) from error


def _fault(error: tomllib.TOMLDecodeError, text: str) -> tuple[int, str]:
    r"""Return the line, from 1, and the reason without its place.

    >>> def refused(text):
    ...     try:
    ...         tomllib.loads(text)
    ...     except tomllib.TOMLDecodeError as error:
    ...         return _fault(error, text)
    >>> refused("rdb = [\n'a.rdb'\n")
    (2, 'Unclosed array')
    >>> refused("a = 1\n127.0.0.1 - -\n")
    (2, "Expected '=' after a key in a key/value pair")
    """
    said = str(error)
    place = _PLACE.search(said)
    line = int(place[1]) if place and place[1] else text.rstrip().count("\n") + 1
    reason = _PLACE.sub("", said)
    return line, "this line is no `key = value` and no [table]" if reason == "Invalid statement" else reason
