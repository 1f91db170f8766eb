"""``sessions/kept-after-logout``: sessions stay for their whole lifetime after their user has logged out.

Sign: sessions of Spring whose security context is there and empty. Reason: the logout removes the context and nothing else.
WebFlux does so by default: it gives the session a new id and keeps it, with every other attribute. A servlet application
does with ``invalidateHttpSession(false)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.figures import percent, several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_FEWEST: Final = 20
_MANY: Final = 0.2
"""Share of a store's sessions from which it is more than untidy."""
KEPT: Final = "SELECT namespace, db, sessions FROM kept_session WHERE store = ? ORDER BY sessions DESC, namespace, db"


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """At most one finding a store; a clearance where Spring's sessions end with the logout."""
    for store, total in case_queries.sessions_by_store(case).items():
        found = case.rows(KEPT, [store])
        kept = sum(row["sessions"] for row in found)
        if kept < _FEWEST:
            if total and case.value(
                "SELECT count(*) > 0 FROM session WHERE store = ? AND starts_with(layout, 'spring')", [store]
            ):
                few = f"no more than {several(kept, 'session')}" if kept else "no session"
                yield Cleared("", f"store {store}: {few} outlived a logout")
            continue
        namespaces = ", ".join(dict.fromkeys(row["namespace"] for row in found))
        yield Finding(
            severity=Severity.WARNING if kept >= _MANY * total else Severity.INFO,
            confidence=Confidence.HIGH,
            title=f"{several(kept, 'session')} in store {store} outlived the logout of their user"
            f" ({percent(kept / max(total, kept))})",
            text=(
                f"Namespace {namespaces}: the security context is removed, the session and its other attributes stay for"
                " the whole lifetime. WebFlux does so by default, under a new id."
            ),
            primary=Exhibit(
                title=f"{several(kept, 'session')} with an emptied security context",
                query=KEPT.replace("?", literal(store)),
            ),
            remedy=Remedy(
                title="End the session at the logout",
                text=(
                    "WebFlux: http.logout(l -> l.logoutHandler(new DelegatingServerLogoutHandler("
                    "new SecurityContextServerLogoutHandler(), new WebSessionServerLogoutHandler())))."
                    " Servlet: http.logout(l -> l.invalidateHttpSession(true))."
                ),
                undo="restore the old logout handler",
            ),
            store=store,
        )


EXAMINER: Final = Examiner(
    slug="sessions/kept-after-logout",
    meaning="Sessions outlive the logout of their user.",
    severity=Severity.WARNING,
    needs=("session",),
    examine=examine,
)
