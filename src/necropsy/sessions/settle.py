"""Sessions as they are once every key of a store was read: companions joined, layouts and grace refined, states decided.

Records that say everything themselves are in ``session`` already, each with the companion that it was expected to have:
of those only what came otherwise is mended. All others wait in ``session_part`` for what their namespace says as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from necropsy.sessions import shortened
from necropsy.sessions.columns import numbers
from necropsy.sessions.lifetimes import MOST_ATTRIBUTES, USUAL, Lifetime, inferred

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.sessions.census import Census

_CERTAIN_S: Final = 1.0
"""Precision of a lifetime that is certain."""
_REFINEMENT: Final = (
    "CREATE OR REPLACE TEMP TABLE refinement"
    " (namespace VARCHAR, db INTEGER, layout VARCHAR, becomes VARCHAR, grace_s INTEGER, with_companion VARCHAR)"
)
_LIFETIME: Final = (
    "CREATE OR REPLACE TEMP TABLE lifetime"
    " (namespace VARCHAR, db INTEGER, layout VARCHAR, authentication VARCHAR, attributes INTEGER, lifetime_s BIGINT,"
    " precision_s DOUBLE, short_s BIGINT, short_left_s DOUBLE)"
)
_FRESH: Final = "CREATE OR REPLACE TEMP TABLE fresh (namespace VARCHAR, db INTEGER, id_hash UBIGINT, lifetime_s BIGINT)"
_LEFT: Final = """
SELECT id_hash, (epoch(expires_at - to_seconds(coalesce(grace_s, 0)) - $taken) - $uncertain)::DOUBLE AS left_s
FROM session_part WHERE store = $store AND namespace = $namespace AND db = $db AND layout = $layout
  AND role = 'session' AND lifetime_s IS NULL AND expires_at > $taken ORDER BY left_s, id_hash
"""
_COMPANION: Final = (
    "CREATE OR REPLACE TEMP TABLE companion"
    " (namespace VARCHAR, db INTEGER, id_hash UBIGINT, keys BIGINT, bytes BIGINT, companions BIGINT)"
)
_SETTLE: Final = """
INSERT INTO session BY NAME
WITH refined AS (
    SELECT p.* REPLACE (
            coalesce(CASE WHEN c.keys > 0 THEN r.with_companion END, r.becomes, p.layout) AS layout,
            coalesce(p.grace_s, r.grace_s, 0) AS grace_s,
            p.keys + coalesce(c.keys, 0) AS keys,
            p.bytes + coalesce(c.bytes, 0) AS bytes
        ),
        CASE WHEN p.lifetime_s IS NULL THEN CASE
            WHEN f.lifetime_s IS NOT NULL THEN f.lifetime_s
            WHEN p.expires_at - to_seconds(l.short_left_s) <= $taken + to_milliseconds($uncertain_ms) THEN l.short_s
            ELSE l.lifetime_s END END AS inferred_s,
        l.precision_s AS inferred_precision_s,
        p.expires_at - to_seconds(coalesce(p.grace_s, r.grace_s, 0) + inferred_s) AS used_at,
        CASE WHEN p.born_at IS NULL THEN used_at END AS written_at
    FROM session_part p
    LEFT JOIN companion c USING (namespace, db, id_hash)
    LEFT JOIN fresh f USING (namespace, db, id_hash)
    LEFT JOIN refinement r ON r.namespace = p.namespace AND r.db = p.db AND r.layout = p.layout
    LEFT JOIN lifetime l ON l.namespace = p.namespace AND l.db = p.db AND l.layout = p.layout
      AND l.authentication IS NOT DISTINCT FROM p.authentication
      AND l.attributes IS NOT DISTINCT FROM least(p.attributes, $most)
    WHERE p.store = $store
), record AS (
    SELECT * EXCLUDE (inferred_s, inferred_precision_s, used_at, written_at) REPLACE (
        coalesce(lifetime_s, inferred_s) AS lifetime_s,
        coalesce(last_seen_at, used_at) AS last_seen_at,
        coalesce(born_at, written_at) AS born_at,
        CASE WHEN written_at IS NOT NULL THEN inferred_precision_s ELSE born_precision_s END AS born_precision_s,
        CASE WHEN born_at IS NOT NULL THEN born_provenance
            WHEN written_at IS NULL THEN 'unknown'
            WHEN born_provenance = 'derived' THEN 'derived'
            ELSE 'not later than' END AS born_provenance
    ) FROM refined
)
SELECT * EXCLUDE (role, grace_s) REPLACE (
    expires_at - to_seconds(grace_s) AS expires_at,
    CASE
        WHEN state IS NOT NULL THEN state
        WHEN expires_at <= $now THEN 'expired'
        WHEN expires_at - to_seconds(grace_s) <= $now THEN 'grace'
        WHEN expires_at IS NULL AND lifetime_s >= 0 AND last_seen_at + to_seconds(lifetime_s) <= $now THEN 'overdue'
        ELSE 'live'
    END AS state
) FROM record
"""
_MENDED_AT_ONCE: Final = 200_000
_MEND: Final = """
UPDATE session SET keys = session.keys + c.keys, bytes = session.bytes + c.bytes, layout = coalesce(
    (SELECT r.with_companion FROM refinement r WHERE c.companions > 0 AND r.namespace = session.namespace
     AND r.db = session.db AND r.layout = session.layout), session.layout)
FROM companion c
WHERE session.store = ? AND session.id_hash = c.id_hash AND session.namespace = c.namespace AND session.db = c.db
"""
_RENAME: Final = """
UPDATE session SET layout = r.becomes FROM refinement r
WHERE session.store = ? AND r.namespace = session.namespace AND r.db = session.db AND r.layout = session.layout
  AND r.becomes <> r.layout
"""


def settle(case: Case, census: Census) -> None:
    """Complete ``session`` for the store of a census; ``session_part`` is empty then.

    ``state`` is what the census's ``now`` makes of a session: ``expired`` when its key is past its own expiry; ``overdue``
    when its lifetime is over but its key has no expiry, so that it never leaves; ``grace`` when the session is over and the
    key is kept for a while by design; ``ghost`` when a layout said so; else ``live``.
    """
    store, now = census.store, census.now
    case.execute(_REFINEMENT)
    refinements = [one for layout in census.layouts for one in layout.refine(case, store, now)]
    for refinement in refinements:
        case.execute(
            "INSERT INTO refinement VALUES ($namespace, $db, $layout, $becomes, $grace_s, $with_companion)",
            asdict(refinement),
        )
    case.execute(_COMPANION)
    _mend(case, census)
    if any(refinement.becomes != refinement.layout for refinement in refinements):
        case.execute(_RENAME, [store])
    if case.value("SELECT count(*) > 0 FROM session_part WHERE store = ?", [store]):
        _join_parts(case, census)
        _infer(case, census)
        moment = {"now": now, "taken": census.taken_at, "uncertain_ms": round(census.uncertain_s * 1000)}
        case.execute(_SETTLE, {"store": store, **moment, "most": MOST_ATTRIBUTES})
        case.execute("DELETE FROM session_part WHERE store = ?", [store])
        case.execute("DROP TABLE lifetime")
        case.execute("DROP TABLE fresh")
    case.execute("DROP TABLE refinement")
    case.execute("DROP TABLE companion")


def _infer(case: Case, census: Census) -> None:
    """Infer the lifetimes of those that do not say theirs."""
    case.execute(_LIFETIME)
    case.execute(_FRESH)
    layouts = [name for layout in census.layouts for name in layout.inferred]
    told = inferred(case, census.store, census.taken_at, census.uncertain_s, layouts)
    for lifetime in _with_changes(case, census, told):
        case.execute(
            "INSERT INTO lifetime VALUES"
            " ($namespace, $db, $layout, $authentication, $attributes, $lifetime_s, $precision_s, $short_s, $short_left_s)",
            asdict(lifetime),
        )


def _with_changes(case: Case, census: Census, told: Sequence[Lifetime]) -> Iterator[Lifetime]:
    """Yield the lifetimes, that of uncertain ones better where it was shortened; who has the newer is in ``fresh`` then."""
    older: dict[tuple[str, int, str, int], int] = {}
    for one in told:
        key = (one.namespace, one.db, one.layout, one.lifetime_s)
        if one.precision_s > _CERTAIN_S and key not in older:
            older[key] = _older(case, census, one)
        yield replace(one, lifetime_s=older[key], precision_s=_CERTAIN_S) if older.get(key) else one


def _older(case: Case, census: Census, one: Lifetime) -> int:
    """Lifetime before it was shortened; 0 where it was not. Remembers who has the newer one."""
    import pyarrow as pa

    place = {"namespace": one.namespace, "db": one.db, "layout": one.layout}
    moment = {"taken": census.taken_at, "uncertain": census.uncertain_s, "store": census.store}
    left = case.columns(_LEFT, {**place, **moment})
    found = shortened.find(left["left_s"], USUAL)
    if found is None:
        return 0
    hashes = left["id_hash"][found.newer]
    rows = {
        "namespace": pa.repeat(one.namespace, hashes.size),
        "db": pa.repeat(one.db, hashes.size),
        "id_hash": hashes,
        "lifetime_s": pa.repeat(found.newer_s, hashes.size),
    }
    case.append_beside("fresh", pa.table(rows))
    return found.older_s


def _mend(case: Case, census: Census) -> None:
    """Give to sessions that were stored already what was not expected of them."""
    import numpy as np
    import pyarrow as pa

    waiting = 0
    for (namespace, db), hashes, keys, sizes, companions in census.companions.unexpected():
        count = len(hashes)
        waiting += count
        columns = {"id_hash": hashes, "keys": keys, "bytes": sizes, "companions": companions}
        rows = {"namespace": pa.repeat(namespace, count), "db": pa.array(np.full(count, db)), **columns}
        case.append_beside("companion", pa.table(rows))
        if (
            waiting >= _MENDED_AT_ONCE
        ):  # each update is a transaction of its own: what it undoes it would hold in memory
            _update(case, census.store)
            waiting = 0
    if waiting:
        _update(case, census.store)


def _update(case: Case, store: str) -> None:
    case.execute(_MEND, [store])
    case.execute("TRUNCATE companion")


def _join_parts(case: Case, census: Census) -> None:
    """Look up the companions of records that waited."""
    import numpy as np

    if not len(census.companions):
        return
    parts = case.arrow("SELECT namespace, db, id_hash FROM session_part WHERE store = ?", [census.store])
    groups = census.companions.group(parts["namespace"], parts["db"])
    if isinstance(groups, int):
        groups = np.full(parts.num_rows, groups)
    keys, sizes = census.companions.counts(groups, numbers(parts["id_hash"]))
    some = np.flatnonzero(keys)
    rows = parts.take(some).append_column("keys", [keys[some]]).append_column("bytes", [sizes[some]])
    case.append_beside("companion", rows.append_column("companions", [keys[some]]))
