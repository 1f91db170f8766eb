"""Events that people and their tools tell a watch of: ``TIME=TEXT``, one a line of a file, or given one by one.

A deploy appends to the file::

    echo "$(date -Is)=deploy v42" >> deploys.log
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from necropsy.autopsy.sources import parse_time
from necropsy.model.errors import UsageError

_LONGEST: Final = 200


def parse_event(text: str) -> tuple[datetime, str]:
    """Read one event; a time without a zone is UTC.

    >>> parse_event("2019-05-24T19:00:00Z=deploy v42")
    (datetime.datetime(2019, 5, 24, 19, 0, tzinfo=datetime.timezone.utc), 'deploy v42')

    Raises
    ------
    UsageError
        Not TIME=TEXT.
    """
    time, equals, what = text.strip().partition("=")
    if not equals or not what.strip():
        raise UsageError(f"{text!r} is not TIME=TEXT", hint="Write it like 2019-05-24T19:00:00Z=deploy v42.")
    return parse_time(time.strip()), what.strip()[:_LONGEST]


def read_events(given: Iterable[str], file: str | None) -> list[tuple[datetime, str]]:
    """Return all events in order of time, each once; lines of the file that are none are passed over.

    A file that is not there yet has no events: the first deploy makes it.
    """
    events = {parse_event(text) for text in given}
    if file is not None and Path(file).is_file():
        for line in Path(file).read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                events.add(parse_event(line))
            except UsageError:
                continue
    return sorted(events)
