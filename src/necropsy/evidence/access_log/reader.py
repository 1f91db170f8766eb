"""Reading access logs into a case: files in, ``visitor_class`` and ``visit_bin`` out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log import lines, loading, rows
from necropsy.evidence.access_log.analysis import analyse, embedded
from necropsy.evidence.access_log.layout import LogFormat
from necropsy.evidence.access_log.scratch import Scratch, open_scratch
from necropsy.evidence.access_log.sources import LogFile, attach, family, first_lines, nothing_in
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent, Blemish, Source
from necropsy.wire.files import fingerprint

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.evidence.access_log.rows import Hash

KIND: Final = "access_log"
SLACK_S: Final = 5.0
"""Seconds within which a redirect is followed: a client follows at once, after the answer's and the network's time."""


@dataclass(slots=True)
class ReadLog:
    """What was read from all access logs."""

    sources: list[Source] = field(default_factory=list)
    blemishes: list[Blemish] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    requests: int = 0
    """Lines that were requests."""
    first_at: datetime | None = None
    """Time of the first request, UTC."""
    last_at: datetime | None = None


def read(
    case: Case,
    locators: Sequence[str],
    *,
    log_formats: Sequence[LogFormat] = (),
    slack_s: float = SLACK_S,
    hash_with: Hash | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> ReadLog:
    """Read access logs and fill the case's ``visitor_class``, ``visit_bin`` and ``cookie_use``.

    Parameters
    ----------
    case
        A case that is open for writing.
    locators
        Paths, or ``-`` for standard input; plain or compressed (gzip, Zstandard, bzip2, xz, told by content). Rotated
        files (``access.log.1``, ``access.log-20240501.gz``) count as one log under the name of the current one.
    log_formats
        Formats of the nginx configuration, or from ``--log-format``; tried before the known ones.
    slack_s
        Seconds after a redirect within which the same client's next page counts as its continuation.
    hash_with
        Hashes addresses of clients before they enter the case, as ``Case.hashes`` does; by default they are kept.
    since, until
        Leave out requests before this time, and from that one on.

    A file that cannot be read becomes an ``Absent``, a damaged line a ``Blemish``; neither raises.
    """
    result = ReadLog()
    logs: dict[str, list[str]] = {}
    for locator in dict.fromkeys(locators):
        logs.setdefault(family(locator), []).append(locator)
    with ThreadPoolExecutor(max_workers=1) as pool:
        # Hashing a gigabyte takes a core a second: it runs beside the reading.
        prints = {locator: pool.submit(_fingerprint, locator) for locator in dict.fromkeys(locators)}
        for name, members in logs.items():
            with open_scratch() as scratch:
                _read_log(case, scratch, name, members, log_formats, slack_s, hash_with, (since, until), result)
    result.sources = [
        Source(s.reader, s.locator, s.taken_at, *prints[s.locator].result(), None, s.note) for s in result.sources
    ]
    return result


def _unrecognised(file: LogFile) -> tuple[str, str]:
    """Why nothing could be made of a file, and what to do."""
    damage = file.damage or nothing_in(file)
    if damage:
        return damage, "Take or copy the file again."
    if not first_lines(file):
        return "it is empty", "Logs are rotated: name the one that was written while the sessions were born."
    hint = "Name it: --log-format TEXT, or --nginx FILE that holds the log_format."
    return "no known log format in its first lines", hint


def _fingerprint(locator: str) -> tuple[str | None, int | None]:
    try:
        return fingerprint(locator)
    except OSError:
        return None, None


def _read_log(
    case: Case,
    scratch: Scratch,
    name: str,
    members: Sequence[str],
    log_formats: Sequence[LogFormat],
    slack_s: float,
    hash_with: Hash | None,
    between: tuple[datetime | None, datetime | None],
    result: ReadLog,
) -> None:
    """Read all files of one log."""
    lines.create_tables(scratch)
    first_number = 0
    for number, locator in enumerate(members):
        try:
            file = attach(locator, scratch.folder, number)
            loaded = loading.load(scratch, file, log_formats, first_number)
        except UnreadableSource as error:
            result.absent.append(Absent(KIND, locator, error.message, error.hint))
            continue
        first_number += loaded.lines
        if not loaded.note:
            result.absent.append(Absent(KIND, locator, *_unrecognised(file)))
            continue
        result.sources.append(Source(KIND, locator, loaded.last_at, None, None, None, loaded.note))
        result.blemishes += loaded.blemishes
        result.requests += loaded.requests
    result.requests -= _leave_out(scratch, *between)
    first, last = scratch.rows("SELECT min(time_us), max(time_us) FROM line")[0]
    if first is None:
        return
    result.first_at = min(lines.moment(first), result.first_at or lines.moment(first))
    result.last_at = max(lines.moment(last), result.last_at or lines.moment(last))
    analysis = analyse.analyse(embedded.Embedded(scratch), slack_us=round(slack_s * 1e6))
    first_id = case.value("SELECT coalesce(max(class_id) + 1, 0) FROM visitor_class")
    case.append("visitor_class", rows.visitor_class(analysis, name, first_id, hash_with))
    case.append("visit_bin", rows.visit_bin(analysis, first_id))
    uses = rows.cookie_use(analysis, name, hash_with)
    if uses is not None:
        case.append("cookie_use", uses)


def _leave_out(scratch: Scratch, since: datetime | None, until: datetime | None) -> int:
    """Drop the lines of another time; how many that were."""
    dropped = 0
    for sign, moment in (("<", since), (">=", until)):
        if moment is not None:
            where = f"time_us {sign} {lines.microseconds(moment)}"
            dropped += int(scratch.value(f"SELECT count(*) FROM line WHERE {where}"))
            scratch.run(f"DELETE FROM line WHERE {where}")
    return dropped
