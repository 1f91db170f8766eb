"""The claims of a case, read back: who made which births."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from necropsy.verdict.evidence import Claim

if TYPE_CHECKING:
    from necropsy.case.store import Case


def claims_of(case: Case) -> list[Claim]:
    """The claims of a case, largest first."""
    return [claim_of(row) for row in case.rows("SELECT * FROM birth_claim ORDER BY store, births DESC, label")]


def claim_of(row: dict[str, Any]) -> Claim:
    """The claim in a row of ``birth_claim``."""
    return Claim(**{name: row[name] for name in Claim.__dataclass_fields__})
