"""``sessions/immortal``: sessions live so long that they never expire in practice.

Sign: an idle lifetime beyond 30 days (Integer.MAX_VALUE seconds are 68 years), a negative one, or a key without expiry.
Reason: somebody wanted "no timeout"; then every visitor of every day stays in memory.

Before: ``maxInactiveInterval = 2147483647``. After: ``maxInactiveInterval = 86400``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from necropsy.examine import evidence
from necropsy.model.figures import several, size
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

IMMORTAL = "state = 'live' AND (expires_at IS NULL OR lifetime_s > 2592000)"
"""SQL condition: a session that still counts, and that lives beyond 30 days or without any expiry.

A negative lifetime asks for "never" and mostly gets it: then the key has no expiry. Some versions of Spring let such a
session die at once; then it is not live.
"""


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding per store that has immortal sessions; a clearance for each that has none."""
    for store, total in evidence.sessions_by_store(case).items():
        if not total:
            continue
        row = case.rows(
            f"SELECT count(*) AS n, sum(bytes)::BIGINT AS bytes, max(expires_at) AS until, mode(lifetime_s) AS lifetime"
            f" FROM session WHERE store = ? AND {IMMORTAL}",
            [store],
        )[0]
        if not row["n"]:
            yield Cleared("", f"store {store}: no session lives longer than 30 days")
            continue
        share = row["n"] / total
        until = f"will live until {row['until']:%Y}" if row["until"] else "will never expire"
        yield Finding(
            severity=Severity.CRITICAL if share >= 0.5 else Severity.WARNING,
            confidence=Confidence.HIGH,
            title=f"{several(row['n'], 'session')} in store {store} {until}",
            text=(
                f"Their idle lifetime is {_lifetime(row['lifetime'])}. Nothing that is born ever leaves, so"
                f" memory only grows: {size(row['bytes'] or 0)} so far."
            ),
            primary=Exhibit(
                title=f"{row['n']:,} of {several(total, 'session')}, {size(row['bytes'] or 0)}",
                query=(
                    "SELECT count(*), sum(bytes), max(expires_at) FROM session"
                    f" WHERE store = {evidence.quoted(store)} AND {IMMORTAL}"
                ),
            ),
            remedy=Remedy(
                title="Give sessions a lifetime of hours or days",
                text=(
                    "Set the application's session timeout (Spring: server.servlet.session.timeout=1d, or"
                    " maxInactiveIntervalInSeconds = 86400). It takes effect for sessions that are used again and for"
                    " new ones; the old ones stay until their expiry is shortened."
                ),
                undo="set the old timeout again",
            ),
            store=store,
            share=share,
            share_low=share,
            share_high=share,
        )


def _lifetime(seconds: int | None) -> str:
    if seconds is None:
        return "unlimited (no expiry at all)"
    if seconds < 0:
        return f"{seconds} seconds (negative: never)"
    years = seconds / 31_556_952
    return f"{seconds:,} seconds" + (f" ({years:.0f} years)" if years >= 2 else f" ({seconds / 86400:.0f} days)")
