"""Events that people and their tools tell a watch of: ``TIME=TEXT``, one a line of a file, or given one by one.

A deploy appends to the file::

    echo "$(date -Is)=deploy v42" >> deploys.log
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from necropsy.autopsy.sources import parse_event
from necropsy.model.errors import UsageError

_LONGEST: Final = 200


def read_events(given: Iterable[str], file: str | None) -> list[tuple[datetime, str]]:
    """Return all events in order of time, each once; lines of the file that are none are passed over.

    A file that is not there yet has no events: the first deploy makes it.
    """
    events = {_short(text) for text in given}
    if file is not None and Path(file).is_file():
        for line in Path(file).read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                events.add(_short(line))
            except UsageError:
                continue
    return sorted(events)


def _short(text: str) -> tuple[datetime, str]:
    at, what = parse_event(text)
    return at, what[:_LONGEST]
