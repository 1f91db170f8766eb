"""Reads access logs into one answer: visitor classes, their rhythms, and which of them probably start sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from necropsy._internal.progress import Progress
from necropsy.case import identity
from necropsy.model.errors import NoEvidence, UsageError
from necropsy.model.evidence import Absent
from necropsy.model.traffic import Traffic
from necropsy.traffic.visitors import SORTS, visitors_of
from necropsy.visits import agents
from necropsy.wire.files import STANDARD_INPUT

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.evidence.access_log.formats.layout import NamedLogFormat
    from necropsy.evidence.access_log.reader import ReadLog

PARTS: Final = 48
"""Equal parts of the whole span for which activity is told."""
_MOST_ACTIVE: Final = 400
"""Visitors whose activity is told: what anybody looks at."""


def survey(
    locators: Sequence[str],
    *,
    log_formats: Sequence[NamedLogFormat] = (),
    hash_clients: bool = False,
    sort: str = "sessions",
    activity: bool = False,
    checksums: bool = True,
    since: datetime | None = None,
    until: datetime | None = None,
    engine: str | None = None,
    key: bytes | None = None,
    progress: Progress | None = None,
) -> Traffic:
    """Read access logs.

    Parameters
    ----------
    locators
        Files, plain or compressed, or ``-``; rotated ones count as one log.
    log_formats
        Formats that were given or found in a configuration; tried before the known ones.
    hash_clients
        Show a keyed hash instead of each address.
    sort
        One of ``SORTS``.
    activity
        Tell when the visits of the first visitors came.
    checksums
        Tell the checksum and size of each file.
    since, until
        Leave out requests before this time, and from that one on.
    engine
        Where the logs are read and analysed: the address of another engine; None: here.
    key
        Key of the hashes, 16 bytes; by default one of this call alone.

    Raises
    ------
    NoEvidence
        Nothing was given, or nothing of it could be read.
    UsageError
        An order that is none, or standard input named twice.
    """
    from necropsy.case.store import Case
    from necropsy.evidence.access_log.reader import read

    _require(locators, sort)
    say: Progress = progress or (lambda _what, _share: None)
    say("reading access logs", None)
    with Case.create(None) as case:
        hash_with = partial(identity.hash_column, key or identity.new_key()) if hash_clients else None
        log = read(
            case,
            locators,
            log_formats=log_formats,
            hash_with=hash_with,
            since=since,
            until=until,
            engine=engine,
            bins=activity,
            checksums=checksums,
            meanwhile=agents.load,
            progress=say,
        )
        if not log.requests:
            raise _nothing(log, between=since is not None or until is not None)
        say("weighing visitors", None)
        classes, visitors = visitors_of(case, sort)
        if activity:
            visitors = visitors.but(activity=_activity(case, classes, log))
    return Traffic(
        visitors=visitors,
        requests=log.requests,
        first_at=log.first_at,
        last_at=log.last_at,
        sources=tuple(log.sources),
        blemishes=tuple(log.blemishes),
        absent=tuple(log.absent),
        clients_hashed=hash_clients,
    )


def _require(locators: Sequence[str], sort: str) -> None:
    if not locators:
        raise NoEvidence("nothing to read", hint="Give a log: necropsy traffic 'access.log*'")
    if list(locators).count(STANDARD_INPUT) > 1:
        raise UsageError(
            "standard input (-) is given more than once", hint="Only one log can be read from standard input."
        )
    if sort not in SORTS:
        raise UsageError(f"unknown order {sort!r}", hint=f"One of: {', '.join(SORTS)}.")


def _nothing(log: ReadLog, *, between: bool) -> NoEvidence:
    if log.sources and between:
        last = max((source.taken_at for source in log.sources if source.taken_at is not None), default=None)
        ends = f" The last request that was read is of {last:%Y-%m-%dT%H:%M:%SZ}." if last is not None else ""
        return NoEvidence("no request in that time", hint=f"Times without a zone are UTC.{ends}")
    if not log.absent:
        return NoEvidence(
            "no request in the given logs",
            hint="Is it an access log? Give its format: --log-format TEXT or --nginx FILE.",
        )
    absent: Absent = log.absent[0]
    reason = absent.reason.removeprefix(f"{absent.locator}: ")
    return NoEvidence(f"{absent.locator}: {reason}", hint=absent.hint)


def _activity(case: Case, classes: Sequence[int], log: ReadLog) -> list[tuple[int, ...]]:
    """Return the visits of the first of these classes in equal parts of the span; of the others nothing."""
    if log.first_at is None or log.last_at is None:
        return [()] * len(classes)
    chosen = list(classes[:_MOST_ACTIVE])
    first = log.first_at.timestamp() // 60 * 60
    part_s = max(60.0, (log.last_at.timestamp() - first + 60) / PARTS)
    rows = case.rows(
        f"SELECT class_id, least({PARTS - 1}, floor((epoch(bin) - ?) / ?))::INTEGER AS part, sum(visits)::BIGINT AS visits"
        " FROM visit_bin WHERE list_contains(?, class_id) GROUP BY ALL",
        [first, part_s, chosen],
    )
    counts: dict[int, list[int]] = {number: [0] * PARTS for number in chosen}
    for row in rows:
        counts[row["class_id"]][max(0, row["part"])] += row["visits"]
    return [tuple(counts.get(number, ())) for number in classes]
