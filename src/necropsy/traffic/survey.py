"""Reads access logs into one answer: visitor classes, their rhythms, and which of them probably start sessions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from necropsy.case import identity
from necropsy.model.errors import NoEvidence, UsageError
from necropsy.model.evidence import Absent
from necropsy.model.traffic import LIKELIHOODS, Traffic, Visitor
from necropsy.traffic import agents
from necropsy.traffic.agents import recognise
from necropsy.traffic.judgement import judge
from necropsy.wire.files import STANDARD_INPUT

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.case.store import Case
    from necropsy.evidence.access_log.layout import LogFormat
    from necropsy.evidence.access_log.reader import ReadLog

Progress = Callable[[str, float | None], None]
SORTS: Final = ("sessions", "visits", "requests", "period", "first", "last", "client", "agent", "path")
"""By what visitors can be put in order; ``sessions``: those that probably start most come first."""
PARTS: Final = 48
"""Equal parts of the whole span for which activity is told."""
_FEWEST_GIVEN: Final = 3
"""Session cookies in vain after which a client counts as one that drops them: two may be two people behind one address."""
_RANK: Final = {likelihood: rank for rank, likelihood in enumerate(LIKELIHOODS)}
_MOST_ACTIVE: Final = 400
"""Visitors whose activity is told: what anybody looks at."""


def survey(
    locators: Sequence[str],
    *,
    log_formats: Sequence[LogFormat] = (),
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
    agents.prepare()
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
        )
        if not log.requests:
            raise _nothing(log, between=since is not None or until is not None)
        say("weighing visitors", None)
        visitors = in_order(_visitors(case), sort)
        if activity:
            visitors = _with_activity(case, visitors, log)
    return Traffic(
        visitors=tuple(visitor for _, visitor in visitors),
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
        raise UsageError("standard input (-) is named more than once", hint="Only one log can be piped in.")
    if sort not in SORTS:
        raise UsageError(f"there is no order {sort!r}", hint=f"One of: {', '.join(SORTS)}.")


def _nothing(log: ReadLog, *, between: bool) -> NoEvidence:
    if log.sources and between:
        last = max((source.taken_at for source in log.sources if source.taken_at is not None), default=None)
        ends = f" The last request that was read is of {last:%Y-%m-%dT%H:%M:%SZ}." if last is not None else ""
        return NoEvidence("no request in that time", hint=f"Times without a zone are UTC.{ends}")
    if not log.absent:
        return NoEvidence(
            "no request in what was given",
            hint="Is it an access log? Its format can be named: --log-format TEXT or --nginx FILE.",
        )
    absent: Absent = log.absent[0]
    reason = absent.reason.removeprefix(f"{absent.locator}: ")
    return NoEvidence(f"{absent.locator}: {reason}", hint=absent.hint)


Numbered = tuple[int, Visitor]
"""Number of a class in its case, and the class."""


def _visitors(case: Case) -> list[Numbered]:
    """Name and judge all classes. By columns: there may be twenty thousand of them, and most are never looked at."""
    rows = case.arrow(
        "SELECT visitor_class.*, CASE WHEN brought > 0 THEN TRUE WHEN renewed >= $1 THEN FALSE END AS returns"
        " FROM visitor_class LEFT JOIN cookie_use USING (log, client, user_agent) WHERE coalesce(client, '') <> '*'"
        " UNION ALL BY NAME SELECT *, NULL::BOOLEAN AS returns FROM visitor_class WHERE client = '*' ORDER BY class_id",
        [_FEWEST_GIVEN],
    )
    moments = {name: _moments(rows[name]) for name in ("first_at", "last_at")}
    column = {name: rows[name].to_pylist() for name in rows.column_names if name not in moments} | moments
    programs = [recognise(text) for text in column["user_agent"]]
    column["agent"], column["agent_kind"] = [who.name for who in programs], [who.kind for who in programs]
    asked = zip(*(column[name] for name in ("agent_kind", "method", "path", "status", "followed_to")), strict=True)
    judged = [
        judge(*what, periodic=period is not None, returns=returns, bare=bool(bare))
        for what, period, returns, bare in zip(
            asked, column["period_s"], column["returns"], column["bare"], strict=True
        )
    ]
    column["sessions"], column["because"] = [one.likelihood for one in judged], [one.because for one in judged]
    told = [name for name in Visitor._fields if name in column]  # all but the last, the activity
    visitors = itertools.starmap(Visitor, zip(*(column[name] for name in told), strict=True))
    return list(zip(column["class_id"], visitors, strict=True))


def _moments(column: pa.ChunkedArray) -> list[datetime]:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return [epoch + timedelta(microseconds=number) for number in column.cast("int64").to_pylist()]


def in_order(visitors: list[Numbered], sort: str) -> list[Numbered]:
    """Put visitors in order; where that is equal, more visits first, and then as they came."""
    keys: dict[str, Callable[[Visitor], Any]] = {
        "sessions": lambda v: (_RANK[v.sessions], v.period_s is None and v.sessions == "possible"),
        "visits": lambda v: -v.visits,
        "requests": lambda v: -v.requests,
        "period": lambda v: (v.period_s is None, v.period_s or 0.0),
        "first": lambda v: v.first_at,
        "last": lambda v: -v.last_at.timestamp(),
        "client": lambda v: v.client,
        "agent": lambda v: (v.agent.lower(), v.user_agent),
        "path": lambda v: (v.path, v.method),
    }
    chosen = keys[sort]
    return sorted(visitors, key=lambda pair: (chosen(pair[1]), -pair[1].visits, pair[0]))


def _with_activity(case: Case, visitors: list[Numbered], log: ReadLog) -> list[Numbered]:
    """Add the visits in equal parts of the span to the first visitors."""
    if log.first_at is None or log.last_at is None:
        return visitors
    chosen = [number for number, _ in visitors[:_MOST_ACTIVE]]
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
    return [
        (number, visitor._replace(activity=tuple(counts[number])) if number in counts else visitor)
        for number, visitor in visitors
    ]
