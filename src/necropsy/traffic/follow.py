"""``survey``, live: the last megabytes of logs that grow, read again whenever lines have come.

A window is read whole by the reader that reads finished logs, so that visits, classes and rhythms are those of ``survey``; it
is bounded, and so are memory, disk and time, however long this runs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy.case.identity import new_key
from necropsy.evidence.access_log.files.sources import family
from necropsy.model.errors import NoEvidence, UsageError
from necropsy.model.traffic import Beat, Traffic
from necropsy.traffic.survey import survey
from necropsy.traffic.tail import Spool, Tail, open_tail
from necropsy.wire.files import STANDARD_INPUT

if TYPE_CHECKING:
    from necropsy.evidence.access_log.formats.layout import NamedLogFormat

WINDOW: Final = 16 << 20
"""Bytes of each log that are looked at, unless something else is asked for."""
_POLL_S: Final = 0.2
"""Interval at which logs are read, and longest delay at the end: shorter than between rotations, too short to be felt."""


def follow(
    locators: Sequence[str],
    *,
    interval_s: float,
    stopped: Callable[[], bool],
    log_formats: Sequence[NamedLogFormat] = (),
    hash_clients: bool = False,
    sort: str = "sessions",
    window: int = WINDOW,
) -> Generator[Beat, None, None]:
    """Follow access logs until somebody stops it or standard input ends; the last beat says that it is the last.

    Parameters
    ----------
    locators
        Files that grow, or ``-``. Of one log only the current file is followed, not those that were rotated away.
    interval_s
        Seconds between beats.
    stopped
        Whether to end; asked several times a second.
    log_formats, hash_clients, sort
        As ``survey``'s. The key of the hashes is one for the whole run.
    window
        Bytes of each log to look at: its last lines.

    Raises
    ------
    NoEvidence
        Nothing was given.
    UnreadableSource, UsageError
        A log that is not there, is compressed or named twice.
    """
    if not locators:
        raise NoEvidence("nothing to follow", hint="Give a log: necropsy traffic --follow access.log")
    if len(set(locators)) < len(locators):
        raise UsageError("a log is given twice", hint="Give each log once.")
    with tempfile.TemporaryDirectory(prefix="necropsy-") as folder:
        logs: list[_FollowedLog] = []
        try:
            for number, locator in enumerate(_current(locators)):
                logs.append(_FollowedLog(locator, Path(folder, str(number)), window))
            window_of = _RecentTraffic(logs, log_formats, new_key() if hash_clients else None, sort)
            began = time.monotonic()
            lines = -1
            while True:
                ended = _wait(logs, 0.0 if lines < 0 else interval_s, stopped)
                total = sum(log.spool.lines for log in logs)
                yield Beat(
                    at=datetime.now(UTC),
                    seconds=time.monotonic() - began,
                    lines=total - max(lines, 0),
                    lines_total=total,
                    rotations=sum(log.tail.rotations for log in logs),
                    traffic=window_of.read(total),
                    waiting_for=window_of.waiting_for,
                    last=ended,
                )
                lines = total
                if ended:
                    return
        finally:
            for log in logs:
                log.tail.close()


def _current(locators: Sequence[str]) -> list[str]:
    """Leave out files that were rotated away, where the one that is written to is named as well.

    >>> _current(["access.log", "access.log.1", "access.log.2.gz", "other.log.1"])
    ['access.log', 'other.log.1']
    """
    return [locator for locator in locators if family(locator) == locator or family(locator) not in locators]


class _FollowedLog:
    """One log: where it grows, and where its last lines are kept."""

    def __init__(self, locator: str, folder: Path, window: int) -> None:
        folder.mkdir()
        self.locator = locator
        self.tail: Tail = open_tail(locator, window)
        self.spool = Spool(folder / ("stdin.log" if locator == STANDARD_INPUT else Path(locator).name), window)

    def poll(self) -> None:
        """Take what has come."""
        self.spool.add(self.tail.read())
        if self.tail.ended:
            self.spool.finish()


def _wait(logs: Sequence[_FollowedLog], seconds: float, stopped: Callable[[], bool]) -> bool:
    """Read logs for so long; whether that was the last time."""
    until = time.monotonic() + seconds
    while True:
        left = until - time.monotonic()
        time.sleep(max(0.0, min(_POLL_S, left)))
        for log in logs:
            log.poll()
        ended = stopped() or all(log.tail.ended for log in logs)
        if ended or left <= 0:
            return ended


class _RecentTraffic:
    """The traffic of the last lines; computed again only when there are more."""

    def __init__(
        self, logs: Sequence[_FollowedLog], formats: Sequence[NamedLogFormat], key: bytes | None, sort: str
    ) -> None:
        self.waiting_for = "the first line"
        self._logs, self._formats, self._key, self._sort = logs, formats, key, sort
        self._found: Traffic | None = None
        self._read_at = 0

    def read(self, lines: int) -> Traffic | None:
        if lines == self._read_at:
            return self._found
        self._read_at = lines
        filled = [log for log in self._logs if log.spool.lines]
        try:
            found = survey(
                [str(log.spool.path) for log in filled],
                log_formats=self._formats,
                hash_clients=self._key is not None,
                key=self._key,
                sort=self._sort,
                checksums=False,
            )
        except NoEvidence as error:
            self._found, self.waiting_for = None, self._renamed(error.message)
        else:
            self._found, self.waiting_for = self._named(found), ""
        return self._found

    def _named(self, found: Traffic) -> Traffic:
        """Name logs and sources as they were given."""
        names = {family(str(log.spool.path)): log.locator for log in self._logs}
        places = {str(log.spool.path): log.locator for log in self._logs}
        return replace(
            found,
            visitors=found.visitors.but(log=[names[log] for log in found.visitors.column("log")]),
            sources=tuple(replace(source, locator=places[source.locator]) for source in found.sources),
            blemishes=tuple(replace(blemish, file=places[blemish.file]) for blemish in found.blemishes),
            absent=tuple(
                replace(absent, locator=places[absent.locator], reason=self._renamed(absent.reason))
                for absent in found.absent
            ),
        )

    def _renamed(self, text: str) -> str:
        for log in self._logs:
            text = text.replace(str(log.spool.path), log.locator)
        return text
