"""Spring Session as a layout: the parts of keys that it reads, the keys that it claims, and the refinement by namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.sessions.interface import RecognisedKeys, Refinement
from necropsy.sessions.jdk import SCALAR_BYTES
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.spring.companions import claim_companions, claim_indexes
from necropsy.sessions.spring.creators import SAVED_REQUEST_BYTES, Creators
from necropsy.sessions.spring.cures import CURES
from necropsy.sessions.spring.names import (
    ACCESSED,
    CONTEXT,
    CREATED,
    FIXED,
    LIFETIME,
    PRINCIPAL,
    PRINCIPAL_INDEX,
    SAVED_REQUEST,
)
from necropsy.sessions.spring.namespace_counts import NamespaceCounts
from necropsy.sessions.spring.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from necropsy.case.store import Case
    from necropsy.sessions.columns import Keys
    from necropsy.sessions.cure import Cure

_OWN_ATTRIBUTES: Final = """
SELECT DISTINCT namespace, db FROM {table}
WHERE store = ? AND starts_with(layout, 'spring') AND authentication = 'no' AND attributes > 0
"""
_UNKNOWN: Final = """
UPDATE {table} SET authentication = 'unknown'
WHERE store = ? AND namespace = ? AND db = ? AND starts_with(layout, 'spring') AND authentication = 'no' AND attributes > 0
"""
"""Without Spring Security an application's own attribute may say who is logged in."""


class Spring:
    """All repositories of Spring Session; remembers the namespaces and the creators that it has met."""

    family = "spring"
    cures: ClassVar[Mapping[str, Cure]] = CURES
    inferred: ClassVar[tuple[str, ...]] = ()
    projection = Projection(
        hash_fields=(
            *((name.encode(), SCALAR_BYTES) for name in FIXED),
            (CONTEXT.encode(), 0),
            (PRINCIPAL.encode(), 0),
            (SAVED_REQUEST.encode(), SAVED_REQUEST_BYTES),
        ),
        members_of=(b":expirations", PRINCIPAL_INDEX.encode()),
        lasting_members=True,
        repeated=(LIFETIME.encode(), SAVED_REQUEST.encode()),
        empty_fields_beside=(CREATED.encode(), ACCESSED.encode()),
    )

    def __init__(self) -> None:
        self._creators = Creators()
        self._evidence = NamespaceCounts()
        self._records = Records(self._creators, self._evidence)

    def recognise(self, keys: Keys) -> Iterator[RecognisedKeys]:
        """Claim sessions, their companions and their indexes."""
        yield from self._records.claim(keys)
        yield from claim_companions(keys, self._evidence)
        yield from claim_indexes(keys, self._evidence)

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:  # noqa: ARG002 -- the protocol's
        """Decide for each namespace which repositories wrote it, and where a login of the application's own may be."""
        for table in ("session", "session_part"):
            for row in case.rows(_OWN_ATTRIBUTES.format(table=table), [store]):
                if (row["namespace"], row["db"]) not in self._records.secured:
                    case.execute(_UNKNOWN.format(table=table), [store, row["namespace"], row["db"]])
        rows = [
            {"store": store, "namespace": name, "db": db, "sessions": count}
            for (name, db), count in sorted(self._records.kept.items())
        ]
        if rows:
            case.append("kept_session", rows)
        return self._evidence.judge()

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
