"""``healthy``: the sessions are those that people make.

Sign: no creator but people explains a tenth of the births, sessions expire, and what is unexplained is little.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from necropsy.examine import evidence
from necropsy.examine.sessions.immortal import IMMORTAL
from necropsy.model.figures import percent
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_MOST_MACHINE = 0.1
_MOST_UNEXPLAINED = 0.5


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding per healthy store."""
    for store, total in evidence.sessions_by_store(case).items():
        if not total:
            continue
        births = {
            row["creator"]: row["births"]
            for row in case.rows(
                "SELECT creator, sum(births) AS births FROM birth_claim WHERE store = ? GROUP BY 1", [store]
            )
        }
        people = births.pop("people", 0.0)
        machine = sum(births.values()) / total
        immortal = case.value(f"SELECT count(*) FROM session WHERE store = ? AND {IMMORTAL}", [store]) / total
        unexplained = max(0.0, 1 - machine - people / total)
        if machine >= _MOST_MACHINE or immortal >= _MOST_MACHINE or unexplained > _MOST_UNEXPLAINED:
            continue
        yield Finding(
            severity=Severity.INFO,
            confidence=Confidence.HIGH if unexplained < _MOST_MACHINE else Confidence.MEDIUM,
            title=f"Store {store} holds the sessions of people: {percent(people / total)} of {total:,}",
            text=f"Machines create {percent(machine)}; {percent(unexplained)} stay unexplained; sessions expire.",
            primary=Exhibit(
                title=f"{people:,.0f} of {total:,} sessions are explained by people",
                query=f"SELECT creator, sum(births) FROM birth_claim WHERE store = {evidence.quoted(store)} GROUP BY 1",
            ),
            store=store,
            share=min(1.0, people / total),
            share_low=min(1.0, people / total),
            share_high=1 - machine,
        )
