r"""Lines of keys and values: LTSV (tabs, colons) and logfmt (blanks, equals signs).

::

    time:[24/May/2019:18:41:34 +0000]<tab>host:203.0.113.9<tab>req:GET / HTTP/1.1<tab>status:200<tab>ua:curl/8.5.0
    time=2019-05-24T18:41:34Z level=info method=GET path=/ status=200 remote_ip=203.0.113.9 user_agent="curl/8.5.0"

Their keys mean what they mean in JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from necropsy.evidence.access_log.formats.json import json_keys, json_lines
from necropsy.evidence.access_log.formats.layout import LineLayout
from necropsy.evidence.access_log.formats.values import Keyed, Path

_LTSV: Final = re.compile(r"([\w.-]+):([^\t]*)")
_LOGFMT: Final = re.compile(r'(?:^|\s)([A-Za-z_@][\w.@-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_LEAST: Final = 3
"""Keys of a line, at least."""


def recognise(lines: Sequence[str], named: Mapping[str, str]) -> LineLayout | None:
    """Recognise keyed lines by the first ones; None when they are none, or hold no requests."""
    for name, parse, of_text in (("LTSV", _ltsv, _in_ltsv), ("logfmt", _logfmt, _in_logfmt)):
        samples = [sample for line in lines if len(sample := parse(line)) >= _LEAST]
        if len(samples) * 2 <= len(lines):
            continue
        found = json_keys.resolve(samples, named)
        layout = json_lines.layout(found, samples, name, f"{name}: ", of_text=of_text)
        if layout is not None:
            return layout
    return None


def _ltsv(line: str) -> dict[str, str]:
    if "\t" not in line:
        return {}
    parts = [_LTSV.fullmatch(part) for part in line.split("\t")]
    return {match[1]: match[2] for match in parts if match}


def _logfmt(line: str) -> dict[str, str]:
    return {match[1]: match[2].strip('"') for match in _LOGFMT.finditer(line)}


def _in_ltsv(ways: Mapping[str, Path]) -> Keyed:
    return Keyed({name: rf"(?:^|\t){re.escape(str(way[0]))}:([^\t]*)" for name, way in ways.items()}, quoted=False)


def _in_logfmt(ways: Mapping[str, Path]) -> Keyed:
    value = r'("(?:[^"\\]|\\.)*"|[^\s"]*)'
    return Keyed({name: rf"(?:^|\s){re.escape(str(way[0]))}={value}" for name, way in ways.items()}, quoted=True)
