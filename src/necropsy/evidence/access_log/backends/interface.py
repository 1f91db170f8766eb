"""The interface of a backend: it reads a log, and analyses the lines."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from necropsy._internal.file_kinds import kind_of
from necropsy.evidence.access_log import lines
from necropsy.evidence.access_log.formats import unfit
from necropsy.evidence.access_log.formats.layout import NamedLogFormat
from necropsy.model.evidence import Absent, Blemish, Source

if TYPE_CHECKING:
    from necropsy.visits.analyse import Analysis

KIND: Final = "access_log"


@dataclass(slots=True)
class Part:
    """The result of reading the files of one log."""

    sources: list[Source] = field(default_factory=list)
    blemishes: list[Blemish] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    requests: int = 0
    """Lines that were requests, of the time that was asked for."""
    starts: int = 0
    """Of all requests, those whose time is their start, as the duration is logged."""
    first_us: int | None = None
    """Time of the first request, microseconds since 1970; None: there is none."""
    last_us: int | None = None


@dataclass(frozen=True, slots=True)
class WantedLines:
    """The files of a log, and the time that is asked for."""

    locators: Sequence[str]
    """Files of one log, the oldest first."""
    formats: Sequence[NamedLogFormat] = ()
    since: datetime | None = None
    until: datetime | None = None
    report_bytes: Callable[[str, int], None] | None = None
    """Called now and then with a file and the bytes of it that were read, by a backend that reads here."""

    @property
    def condition(self) -> str:
        """SQL that the lines to be left out meet; empty: none."""
        limits = (("<", self.since), (">=", self.until))
        return " OR ".join(f"time_us {sign} {lines.microseconds(at)}" for sign, at in limits if at is not None)


class Backend(Protocol):
    """Reads a log, and analyses it."""

    def read(self, wanted: WantedLines) -> Part:
        """Read the lines of a log. What cannot be read is said, and never raises."""

    def analyse(self, *, slack_us: int, bins: bool, visits_between: tuple[int, int] | None) -> Analysis:
        """Analyse the lines that were read, of which there are some; see ``visits.analyse``."""


class OpenBackend(Protocol):
    """Opens a place for each log."""

    def __call__(self) -> contextlib.AbstractContextManager[Backend]:
        """Open a place; what it holds is dropped when it is left."""


def unrecognised(damage: str, head: Sequence[str], formats: Sequence[NamedLogFormat] = ()) -> tuple[str, str]:
    """Why nothing could be made of a file with this damage and these first lines, and what to do."""
    if damage:
        return damage, "Copy the file again."
    if not head:
        return "it is empty", "Logs are rotated: give the one from the time when the sessions were created."
    kind = kind_of("\n".join(head).encode("utf-8", "replace"))
    if kind is not None:
        return f"{kind.name}, not a log", kind.hint
    said = unfit.misfit(formats, "", head)
    if said:
        return said, "Compare it with the first line; use nginx's $variables, or Apache's %h %t."
    told = (
        unfit.spread_json(head) or unfit.keys_seen(formats, head) or unfit.broken_json(head) or unfit.another_log(head)
    )
    if told is not None:
        return told
    hint = "Give it by --log-format TEXT, or by --nginx FILE that contains the log_format."
    return "no known log format in its first lines", hint


def first_line(error: Exception) -> str:
    """Return what is said of an error in one line."""
    lines_of_it = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines_of_it:
        return type(error).__name__
    # Spark quotes the traceback of an executor's Python, which says at its end what happened.
    return lines_of_it[-1] if "stack trace below" in lines_of_it[0] else lines_of_it[0]
