"""Sessions out of their parts: companions joined to records, layouts and grace refined, states decided. SQL alone."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from necropsy.sessions.interface import COMPANION, SESSION
from necropsy.sessions.registry import LAYOUTS

if TYPE_CHECKING:
    from necropsy.case.store import Case

_REFINEMENT: Final = (
    "CREATE OR REPLACE TEMP TABLE refinement"
    " (namespace VARCHAR, db INTEGER, layout VARCHAR, becomes VARCHAR, grace_s INTEGER, with_companion VARCHAR,"
    " lifetime_s BIGINT)"
)
_SETTLE: Final = f"""
INSERT INTO session BY NAME
WITH companion AS (
    SELECT namespace, db, id_hash, count(*) AS keys, sum(bytes) AS bytes
    FROM session_part WHERE store = $store AND role = '{COMPANION}' GROUP BY ALL
), refined AS (
    SELECT p.* REPLACE (
            coalesce(CASE WHEN c.keys > 0 THEN r.with_companion END, r.becomes, p.layout) AS layout,
            coalesce(p.grace_s, r.grace_s, 0) AS grace_s,
            p.keys + coalesce(c.keys, 0) AS keys,
            p.bytes + coalesce(c.bytes, 0) AS bytes
        ),
        CASE WHEN p.lifetime_s IS NULL THEN r.lifetime_s END AS inferred_s,
        p.expires_at - to_seconds(inferred_s) AS used_at,
        CASE WHEN p.authentication = 'no' THEN used_at END AS written_at
    FROM session_part p
    LEFT JOIN companion c USING (namespace, db, id_hash)
    LEFT JOIN refinement r ON r.namespace = p.namespace AND r.db = p.db AND r.layout = p.layout
    WHERE p.store = $store AND p.role = '{SESSION}'
), record AS (
    SELECT * EXCLUDE (inferred_s, used_at, written_at) REPLACE (
        coalesce(lifetime_s, inferred_s) AS lifetime_s,
        coalesce(last_seen_at, used_at) AS last_seen_at,
        coalesce(born_at, written_at) AS born_at,
        CASE WHEN born_at IS NULL AND written_at IS NOT NULL THEN 1 ELSE born_precision_s END AS born_precision_s,
        CASE WHEN born_at IS NULL AND written_at IS NOT NULL THEN 'derived' ELSE born_provenance END AS born_provenance
    ) FROM refined
)
SELECT * EXCLUDE (role, grace_s) REPLACE (
    expires_at - to_seconds(grace_s) AS expires_at,
    CASE
        WHEN state IS NOT NULL THEN state
        WHEN expires_at <= $now THEN 'expired'
        WHEN expires_at - to_seconds(grace_s) <= $now THEN 'grace'
        WHEN expires_at IS NULL AND lifetime_s >= 0 AND last_seen_at + to_seconds(lifetime_s) <= $now THEN 'expired'
        ELSE 'live'
    END AS state
) FROM record
"""


def settle(case: Case, store: str, now: datetime) -> None:
    """Fill ``session`` from the ``session_part`` of one store; run again, it replaces what it wrote.

    ``state`` is what ``now`` makes of a session: ``expired`` when its key is past its own expiry, or has none although the
    session's lifetime is over; ``grace`` when the session is over and the key is kept for a while by design; ``ghost``
    when a layout said so; else ``live``.

    Parameters
    ----------
    now
        The moment that the autopsy calls now; without a zone it means UTC.
    """
    moment = (now.astimezone(UTC) if now.tzinfo else now).replace(tzinfo=None)
    case.execute("DELETE FROM session WHERE store = ?", [store])
    case.execute(_REFINEMENT)
    for refinement in (one for layout in LAYOUTS for one in layout().refine(case, store, moment)):
        case.execute(
            "INSERT INTO refinement VALUES ($namespace, $db, $layout, $becomes, $grace_s, $with_companion, $lifetime_s)",
            asdict(refinement),
        )
    case.execute(_SETTLE, {"store": store, "now": moment})
    case.execute("DROP TABLE refinement")
