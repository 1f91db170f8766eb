"""Events that people and their tools tell a watch of: ``TIME=TEXT``, one a line of a file, or given one by one.

A deploy appends to the file::

    echo "$(date -Is)=deploy v42" >> deploys.log
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from necropsy._internal.paths import exists
from necropsy.autopsy.sources import parse_event
from necropsy.model.errors import UsageError

_LONGEST: Final = 200


def read_events(given: Iterable[str], file: str | None) -> tuple[list[tuple[datetime, str]], list[str]]:
    """Return all events in order of time, each once, and what is to be said of lines of the file that are none.

    A file that is not there yet has no events: the first deploy makes it. Empty lines and comments (``#``) are none.
    """
    events = {_short(text) for text in given}
    wrong: list[int] = []
    if file is None or not exists(file):
        return sorted(events), []
    try:
        text = Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return sorted(events), [f"{file}: cannot be read: {error.strerror}; its events are not known"]
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            events.add(_short(line))
        except UsageError:
            wrong.append(number)
    if not wrong:
        return sorted(events), []
    which = f"line {wrong[0]} is" if len(wrong) == 1 else f"{len(wrong)} lines are, the first is line {wrong[0]},"
    return sorted(events), [
        f"{file}: {which} not TIME=TEXT: passed over. Write it like 2019-05-24T19:00:00Z=deploy v42"
    ]


def _short(text: str) -> tuple[datetime, str]:
    at, what = parse_event(text)
    return at, what[:_LONGEST]
