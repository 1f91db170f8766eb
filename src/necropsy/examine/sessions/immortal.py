"""``sessions/immortal``: sessions that never leave, or that stay for months.

Signs: a key without expiry (also one whose session is over long ago), a negative lifetime, or an idle lifetime beyond a
month (Integer.MAX_VALUE seconds are 68 years). Reason: somebody wanted "no timeout", or the application set no expiry;
then every visitor of every day stays in memory.

Before: ``maxInactiveInterval = 2147483647``. After: ``maxInactiveInterval = 86400``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.figures import IMMORTAL_S, percent, several, size
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.sessions.registry import cure

if TYPE_CHECKING:
    from necropsy.case.store import Case

_DAY: Final = 86_400
_MONTH: Final = 31 * _DAY
"""The longest default of a framework, Flask's, is no finding."""
_YEAR: Final = 366 * _DAY
_FEWEST: Final = 20
"""Sessions below which it kills no store."""
_MANY: Final = 100

NEVER = "state IN ('live', 'overdue', 'ghost') AND expires_at IS NULL"
"""SQL condition: Redis keeps the key for ever. Of some the session is over, yet the key has no expiry.

A negative lifetime asks for "never" and mostly gets it. Some versions of Spring let such a session die at once; then it
has an expiry.
"""
LONG = f"state = 'live' AND expires_at IS NOT NULL AND lifetime_s > {_MONTH}"
"""SQL condition: a session that leaves one day, more than a month after its last use."""
IMMORTAL = f"(({NEVER}) OR (state = 'live' AND lifetime_s > {IMMORTAL_S}))"
"""SQL condition: a session that never leaves, or so late that nobody can come back to it."""
_UPGRADE: Final = "Upgrade Spring Session to the last release of its line, at least 2.7.4, 3.0.4, 3.1.3 or 3.2.0."
_COUNT: Final = """
SELECT count(*) AS n, sum(bytes)::BIGINT AS bytes, max(expires_at) AS until, mode(lifetime_s) AS lifetime,
  mode(layout) AS layout, count(*) FILTER (WHERE state = 'overdue') AS overdue, min(coalesce(born_at, last_seen_at)) AS since,
  count(*) FILTER (WHERE lifetime_s < 0) AS asked
FROM session WHERE store = ? AND {}
"""


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """At most one finding a store for keys that never leave and one for long lives; a clearance where there is neither."""
    for store, total in case_queries.sessions_by_store(case).items():
        if not total:
            continue
        never, long = (case.rows(_COUNT.format(condition), [store])[0] for condition in (NEVER, LONG))
        if never["n"]:
            yield _never(store, total, never)
        if long["n"]:
            yield _long(store, total, long)
        if not never["n"] and not long["n"]:
            yield Cleared("", f"store {store}: every session expires within {_MONTH // _DAY} days of its last use")


def _never(store: str, total: int, row: dict[str, Any]) -> Finding:
    text = f"Their keys have no expiry: nothing removes them, {size(row['bytes'] or 0)} so far."
    if row["since"]:
        text += f" The oldest is from {row['since']:%Y-%m-%d}."
    if row["overdue"]:
        text += (
            f" {row['overdue']:,} of them {'is past its' if row['overdue'] == 1 else 'are past their'} own idle lifetime"
            f" ({_lifetime(row['lifetime'])}): the application ignores them, and Redis keeps them."
        )
    if row["asked"]:
        text += f" {row['asked']:,} request this: their lifetime is negative."
    elif _lost(row):
        text += (
            " Spring Session sets one; its reactive repository loses it in a known race (spring-session#2464, #2469, #2470;"
            " fixed in 2.7.4, 3.0.4, 3.1.3 and 3.2.0, seen again in #3357)."
        )
    return _finding(
        store,
        total,
        row,
        severity=_severity(row["n"], total),
        title=f"{several(row['n'], 'session')} in store {store} will never leave: no expiry ({percent(row['n'] / total)})",
        text=text,
        condition=NEVER,
        remedy="Let every session expire",
        setting=_UPGRADE if _lost(row) else _setting(row["layout"]),
    )


def _long(store: str, total: int, row: dict[str, Any]) -> Finding:
    ever = row["lifetime"] > IMMORTAL_S
    one = row["n"] == 1
    text = (
        f"{'Its' if one else 'Their'} idle lifetime is {_lifetime(row['lifetime'])}."
        f" {'It holds' if one else 'They hold'} {size(row['bytes'] or 0)} so far."
    )
    if ever:
        text += f" In practice {'it never expires' if one else 'they never expire'}: memory only grows."
    else:
        text += " Sessions started by probes and bots stay as long as those of users."
    return _finding(
        store,
        total,
        row,
        severity=_severity(row["n"], total) if ever else Severity.INFO,
        title=f"{several(row['n'], 'session')} in store {store} will live until {row['until']:%Y-%m-%d}"
        if not ever
        else f"{several(row['n'], 'session')} in store {store} will live until {row['until']:%Y}",
        text=text,
        condition=LONG,
        remedy="Give sessions a lifetime of hours or days",
        setting=_setting(row["layout"]),
    )


def _finding(
    store: str,
    total: int,
    row: dict[str, Any],
    *,
    severity: Severity,
    title: str,
    text: str,
    condition: str,
    remedy: str,
    setting: str,
) -> Finding:
    # A few that do leave one day are told, but are no cause of anything.
    share = row["n"] / total if severity is not Severity.INFO else None
    return Finding(
        severity=severity,
        confidence=Confidence.HIGH,
        title=title,
        text=text,
        primary=Exhibit(
            title=f"{row['n']:,} of {several(total, 'session')}, {size(row['bytes'] or 0)}",
            query=(
                "SELECT count(*), sum(bytes), max(expires_at) FROM session"
                f" WHERE store = {literal(store)} AND {condition}"
            ),
        ),
        remedy=Remedy(
            title=remedy,
            text=(
                f"{setting} It applies to new sessions and to those that are used again; others stay until their"
                f" expiry is shortened (necropsy cap-ttl)."
            ),
            undo="restore the old timeout",
        ),
        store=store,
        share=share,
        share_low=share,
        share_high=share,
        share_of="sessions",
        sessions=row["n"],
        bytes=row["bytes"] or 0,
    )


def _severity(number: int, total: int) -> Severity:
    if number < _FEWEST:
        return Severity.INFO
    return Severity.CRITICAL if number >= _MANY and number / total >= 0.5 else Severity.WARNING


def _lost(row: dict[str, Any]) -> bool:
    """Whether Spring Session set an expiry that never came."""
    return bool((row["layout"] or "").startswith("spring") and not row["asked"])


def _setting(layout: str | None) -> str:
    told = cure(layout)
    if told is None or not told.lifetime:
        return "Set the application's session timeout to a day or less."
    return f"{told.framework}: {told.lifetime}."


def _lifetime(seconds: int | None) -> str:
    if seconds is None:
        return "not told"
    if seconds < 0:
        return f"{seconds} seconds (negative: never)"
    for length, unit in ((_YEAR, "year"), (_DAY, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * length or (seconds >= length and seconds % length == 0):
            return f"{seconds:,} seconds ({several(round(seconds / length), unit)})"
    return several(seconds, "second")


EXAMINER: Final = Examiner(
    slug="sessions/immortal",
    meaning="Sessions live so long that they never expire in practice.",
    severity=Severity.CRITICAL,
    needs=("session",),
    examine=examine,
)
