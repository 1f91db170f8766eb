"""The kind of session that each claim made, in stores that hold several: two applications, or remember-me beside visits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from necropsy.verdict.evidence import SessionKind

if TYPE_CHECKING:
    from necropsy.case.store import Case

_MOST: Final = 0.8
"""Share of a claim's sessions that are of one kind, from which it is said: a crawler of three applications has none."""

_MIXED: Final = "SELECT store FROM session GROUP BY store HAVING min({0}) <> max({0}) ORDER BY store"

_KINDS: Final = """
WITH counted AS (
  SELECT c.claim_id, s.{0} AS kind, count(*) AS sessions
  FROM session_claim c JOIN session s ON s.store = c.store AND s.id_hash = c.id_hash
  WHERE c.store = ? GROUP BY ALL)
SELECT claim_id, arg_max(kind, sessions) AS kind FROM counted GROUP BY claim_id
HAVING max(sessions) >= ? * sum(sessions)
"""


def kinds_of_claims(case: Case) -> dict[int, SessionKind]:
    """Return by ``claim_id`` the layout and the lifetime that most of its sessions have; only of stores that hold several."""
    layout = _commonest(case, "layout")
    lifetime_s = _commonest(case, "lifetime_s")
    return {claim: SessionKind(layout.get(claim), lifetime_s.get(claim)) for claim in sorted({*layout, *lifetime_s})}


def _commonest(case: Case, column: str) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for mixed in case.rows(_MIXED.format(column)):
        rows = case.rows(_KINDS.format(column), [mixed["store"], _MOST])
        found |= {row["claim_id"]: row["kind"] for row in rows if row["kind"] is not None}
    return found
