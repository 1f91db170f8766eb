"""Grouping of files into logs: rotations of one log, apart from logs of several servers that have similar names.

Rotations follow one another: ``access.log.1`` ends where ``access.log`` begins. Files whose times overlap (``access-0.log``
and ``access-1.log`` of two servers) were written side by side, so they are different logs. Folded into one, the visits of two
servers would look like those of one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from necropsy._internal.paths import is_file
from necropsy.evidence.access_log.files.sources import family
from necropsy.model.errors import UnreadableSource
from necropsy.wire.files import compression, open_binary

_HEAD: Final = 64 << 10
_TAIL: Final = 64 << 10
_OVERLAP_S: Final = 60.0
"""Seconds by which rotations may overlap: a worker writes on into the old file for a while."""
_TIME: Final = re.compile(
    rb"(?P<common>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?)"
    rb"|(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)"
    rb"|(?<![\d.])(?P<epoch>1\d{9}(?:\.\d+|\d{3})?)(?![\d.])"
)


@dataclass(slots=True)
class _RotatedLog:
    members: list[str] = field(default_factory=list)
    ends_at: float | None = None


def logs_of(locators: Sequence[str]) -> dict[str, list[str]]:
    """Put the files of each log together.

    Returns
    -------
    dict
        Name of each log to its files, as they were given. A log is named by its family (``access.log``); where several
        logs have one family, by their newest files.
    """
    families: dict[str, list[str]] = {}
    for locator in dict.fromkeys(locators):
        families.setdefault(family(locator), []).append(locator)
    logs: dict[str, list[str]] = {}
    for name, members in families.items():
        chains = _chains(members) if len(members) > 1 else [members]
        for chain in chains:
            logs[name if len(chains) == 1 else chain[-1]] = sorted(chain, key=members.index)
    return logs


def _chains(members: Sequence[str]) -> list[list[str]]:
    """Split files into as few sequences as possible in which none overlaps another; those without a time join the first."""
    spans = {locator: span_of(locator) for locator in members}
    known = sorted((span[0], locator) for locator, span in spans.items() if span is not None)
    logs: list[_RotatedLog] = []
    for begins, locator in known:
        ends = (spans[locator] or (0.0, None))[1]
        log = next((one for one in logs if one.ends_at is None or one.ends_at <= begins + _OVERLAP_S), None)
        if log is None:
            log = _RotatedLog()
            logs.append(log)
        log.members.append(locator)
        log.ends_at = ends
    untimed = [locator for locator in members if spans[locator] is None]
    if not logs:
        return [untimed]
    logs[0].members[:0] = untimed
    return [log.members for log in logs]


def span_of(locator: str) -> tuple[float, float | None] | None:
    """Return the first and last time of a file in Unix seconds; the last is None where it is compressed, or a stream.

    None: no time is found, or the file cannot be read (which is reported when it is read).
    """
    path = Path(locator)
    if not is_file(path):
        return None
    try:
        with open_binary(locator) as stream:
            first = next(iter(_times(stream.read(_HEAD))), None)
        if first is None:
            return None
        with path.open("rb") as raw:
            if compression(raw.read(6)) is not None:
                return first, None
            raw.seek(max(0, path.stat().st_size - _TAIL))
            last = next(iter(reversed(_times(raw.read(_TAIL)))), first)
    except (OSError, UnreadableSource, ValueError, EOFError):
        return None
    return first, max(first, last)


def _times(data: bytes) -> list[float]:
    """Return the first time of each line.

    >>> _times(b'10.0.0.1 - - [24/May/2019:18:41:32 +0200] "GET / HTTP/1.1" 302 0')
    [1558716092.0]
    """
    found = []
    for line in data.split(b"\n"):
        match = _TIME.search(line)
        if match is not None and (moment := _moment(match)) is not None:
            found.append(moment)
    return found


def _moment(match: re.Match[bytes]) -> float | None:
    text = match[0].decode("ascii")
    try:
        if match["common"]:
            form = "%d/%b/%Y:%H:%M:%S %z" if " " in text else "%d/%b/%Y:%H:%M:%S"
            parsed = datetime.strptime(text, form)  # noqa: DTZ007 -- a zone is given below where the text has none
        elif match["iso"]:
            parsed = datetime.fromisoformat(text.replace(",", ".").replace(" +", "+").replace(" -", "-"))
        else:
            return float(text) / (1000 if "." not in text and len(text) == 13 else 1)
    except ValueError:
        return None
    return parsed.timestamp() if parsed.tzinfo else parsed.replace(tzinfo=UTC).timestamp()
