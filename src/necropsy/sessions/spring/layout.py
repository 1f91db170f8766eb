"""Spring Session as a layout: what it wants to see, what it claims, and what a whole namespace tells about its records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from necropsy.sessions.interface import COMPANION, SESSION, Claim, Refinement
from necropsy.sessions.jdk import SCALAR_BYTES
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.spring.companions import claim_companions, claim_indexes
from necropsy.sessions.spring.creators import SAVED_REQUEST_BYTES, Creators
from necropsy.sessions.spring.names import (
    CONTEXT,
    FIXED,
    GRACE_S,
    INDEXED,
    PLAIN,
    PRINCIPAL,
    PRINCIPAL_INDEX,
    REACTIVE,
    REACTIVE_INDEXED,
    SAVED_REQUEST,
    UNTOLD,
)
from necropsy.sessions.spring.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from necropsy.case.store import Case
    from necropsy.sessions.columns import Keys

_PARTS: Final = """
SELECT namespace, db, role, layout, count(*) AS parts, count(creator_method) AS servlet
FROM session_part WHERE store = ? AND starts_with(layout, 'spring') GROUP BY ALL ORDER BY ALL
"""
_FAMILIES: Final = "SELECT DISTINCT family FROM index_entry WHERE store = ?"


class Spring:
    """All repositories of Spring Session; remembers the namespaces and the creators that it has met."""

    family = "spring"
    projection = Projection(
        hash_fields=(
            *((name.encode(), SCALAR_BYTES) for name in FIXED),
            (CONTEXT.encode(), 0),
            (PRINCIPAL.encode(), 0),
            (SAVED_REQUEST.encode(), SAVED_REQUEST_BYTES),
        ),
        members_of=(b":expirations", PRINCIPAL_INDEX.encode()),
    )

    def __init__(self) -> None:
        self._creators = Creators()
        self._records = Records(self._creators)

    def recognise(self, keys: Keys) -> Iterator[Claim]:
        """Claim sessions, their companions and their indexes."""
        yield from self._records.claim(keys)
        yield from claim_companions(keys)
        yield from claim_indexes(keys)

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:  # noqa: ARG002 -- the protocol's
        """Decide for each namespace which repositories wrote it."""
        families = {row["family"] for row in case.rows(_FAMILIES, [store])}
        evidence: dict[tuple[str, int], _Evidence] = {}
        for row in case.rows(_PARTS, [store]):
            namespace = evidence.setdefault((row["namespace"], row["db"]), _Evidence())
            namespace.servlet += row["servlet"]
            if row["role"] == SESSION:
                namespace.records[row["layout"]] += row["parts"]
            elif row["role"] == COMPANION:
                namespace.companions[row["layout"]] += row["parts"]
        return [
            refinement
            for (name, db), found in evidence.items()
            for refinement in found.judge(name, db, {f for f in families if f.startswith(f"{name}:")})
        ]

    def remarks(self) -> list[str]:
        """Say for how many sessions the creator was not looked up."""
        if not self._creators.left_out:
            return []
        return [
            (
                f"{self._creators.left_out:,} sessions hold saved requests beyond the first"
                f" {len(self._creators):,} different ones: their creators were not read"
            )
        ]


@dataclass(slots=True)
class _Evidence:
    """What was counted in one namespace of one database."""

    records: Counter[str] = field(default_factory=Counter)
    companions: Counter[str] = field(default_factory=Counter)
    servlet: int = 0
    """Saved requests with a method: only the servlet stack keeps one."""

    def judge(self, name: str, db: int, families: set[str]) -> list[Refinement]:
        """Name the repositories: the one of records with grace or companions, and the one of records without."""
        minutes = f"{name}:expirations:*" in families
        servlet_index = any(f.startswith(f"{name}:index:") for f in families)
        reactive_index = any(f.startswith(f"{name}:sessions:index:") for f in families)
        sorted_set = f"{name}:sessions:expirations" in families
        reactive = reactive_index or self.companions[REACTIVE_INDEXED] or (sorted_set and not self.servlet)
        indexed = REACTIVE_INDEXED if reactive and not (minutes or servlet_index) else INDEXED
        plain = PLAIN if self.servlet or self.records[PLAIN] >= self.records[REACTIVE] else REACTIVE
        graceful = self.companions.total() or self.records[INDEXED]
        if minutes and not graceful:  # Spring Session 1.0 had minute sets, but neither companions nor grace
            plain = INDEXED
        rest, grace = (indexed, GRACE_S) if graceful and not self._mostly_plain() else (plain, 0)
        becomes = {INDEXED: (indexed, GRACE_S), PLAIN: (plain, 0), REACTIVE: (plain, 0), UNTOLD: (rest, grace)}
        return [Refinement(name, db, layout, after, seconds, indexed) for layout, (after, seconds) in becomes.items()]

    def _mostly_plain(self) -> bool:
        return self.records[PLAIN] + self.records[REACTIVE] > self.records[INDEXED]
