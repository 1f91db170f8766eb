"""``traffic/bot-creates-sessions``: a client that is no browser, and comes irregularly, creates sessions.

Sign: sessions that name a machine's User-Agent as their creator, or births that follow the visits of such a class.
Reason: crawlers, scripts and libraries start without a cookie each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from necropsy.examine import evidence
from necropsy.model.figures import percent, several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_LEAST_SHARE = 0.05


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding per store."""
    for store, total in evidence.sessions_by_store(case).items():
        claims = case.rows(
            "SELECT * FROM birth_claim WHERE store = ? AND creator = 'visitor' AND period_s IS NULL"
            " ORDER BY births DESC, label",
            [store],
        )
        share, low, high = (
            (sum(c[name] for c in claims) / total if total else 0.0) for name in ("births", "births_low", "births_high")
        )
        if share < _LEAST_SHARE:
            continue
        exhibits = tuple(
            Exhibit(
                title=f"{claim['user_agent'] or 'a nameless client'}: {several(claim['births'], 'session')}",
                text=f"evidence: {claim['evidence']}",
                query="SELECT * FROM birth_claim WHERE creator = 'visitor'",
            )
            for claim in claims
        )
        yield Finding(
            severity=Severity.CRITICAL if share >= 0.5 else Severity.WARNING,
            confidence=Confidence.HIGH if all(c["evidence"] == "named" for c in claims) else Confidence.MEDIUM,
            title=f"Machines that are no browsers create {percent(share)} of the sessions in store {store}",
            text="They come without a cookie each time, so each visit to a page that starts a session leaves one more.",
            primary=exhibits[0],
            supporting=exhibits[1:],
            remedy=Remedy(
                title="Do not start sessions for clients without a login",
                text="Start the session at login, or answer known robots from a path outside the session middleware.",
                undo="take the rule out again",
            ),
            store=store,
            share=min(1.0, share),
            share_low=low,
            share_high=min(1.0, high),
        )
