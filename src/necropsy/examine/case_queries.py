"""Queries that more than one examiner asks of a case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from necropsy._internal.serialization import from_plain
from necropsy.model.figures import percent, several
from necropsy.model.finding import Unexamined
from necropsy.model.probe import Probe, UpstreamPort

if TYPE_CHECKING:
    from necropsy.case.store import Case


_PROBES: Final[WeakKeyDictionary[Case, tuple[int, Mapping[int, Probe]]]] = WeakKeyDictionary()
"""Values that the examiners of one case share: a case may have a hundred thousand probes, and they are only ever added to."""


def probes(case: Case) -> Mapping[int, Probe]:
    """All probes of the case by ``probe_id``."""
    count = case.value("SELECT count(*) FROM probe")
    known = _PROBES.get(case)
    if known is None or known[0] != count:
        rows = case.rows("SELECT probe_id, value FROM probe ORDER BY 1")
        found = {row["probe_id"]: from_plain(Probe, json.loads(row["value"])) for row in rows}
        known = _PROBES[case] = (count, MappingProxyType(found))
    return known[1]


def remember(case: Case, found: Iterable[Probe]) -> None:
    """Keep the probes of a case that was just filled with them, in the order of ``probe_id``: nobody decodes them again."""
    known = dict(enumerate(found))
    _PROBES[case] = (len(known), MappingProxyType(known))


def backends(case: Case) -> list[UpstreamPort]:
    """All backends of the case."""
    return [
        from_plain(UpstreamPort, json.loads(row["value"]))
        for row in case.rows("SELECT value FROM backend ORDER BY port, address, value")
    ]


MUCH_EXPIRED: Final = 0.25
"""Share of a store's sessions from which nothing takes the expired ones away: a server keeps a tenth of them at most for long."""
_LEAST_EXPIRED: Final = 20
_EXPIRED: Final = """
SELECT store, count(*) FILTER (state = 'expired' AND expires_at <= taken_at) AS expired, count(*) AS sessions
FROM session JOIN (SELECT store, max(taken_at) AS taken_at FROM source WHERE store IS NOT NULL GROUP BY 1) USING (store)
GROUP BY 1
"""


def kept_expired(case: Case) -> dict[str, float]:
    """Return by store the share of its sessions that had expired when it was read, where that is much."""
    return {
        row["store"]: row["expired"] / row["sessions"]
        for row in case.rows(_EXPIRED)
        if row["expired"] >= max(_LEAST_EXPIRED, MUCH_EXPIRED * row["sessions"])
    }


POSSIBLY: Final = (
    "role = 'other' AND type IN ('string', 'hash') AND keys >= 20 AND tokens >= 0.9 * keys AND without_expiry <= 0.1 * keys"
    " AND bytes <= 8192 * keys"
)
"""SQL condition: a family of keys that may be sessions of an unknown layout: random ends, short values, an expiry."""
_POSSIBLE: Final = f"""
SELECT sum(keys)::BIGINT AS keys, max(epoch(last_expiry - s.taken_at)) AS longest,
  max(epoch(last_expiry - first_expiry)) AS span, arg_max(pattern, keys) AS pattern
FROM key_family f, (SELECT max(taken_at) AS taken_at FROM source WHERE store = $1) s WHERE f.store = $1 AND {POSSIBLY}
"""


def layouts(case: Case, store: str | None = None) -> list[str]:
    """Return the layouts of the sessions of a store, or of all stores: that of most sessions first.

    What is advised names the framework that is there, and no other one.
    """
    found = case.rows(
        "SELECT layout FROM session WHERE layout IS NOT NULL AND ($1 IS NULL OR store = $1)"
        " GROUP BY layout ORDER BY count(*) DESC, layout",
        [store],
    )
    return [row["layout"] for row in found]


def unknown_layout(case: Case, store: str, keys: int) -> str:
    """Return why the sessions of a store could not be examined: nothing in it is a session that we know."""
    row = case.rows(_POSSIBLE, [store])[0]
    if not row["keys"]:
        known = "of an unknown layout, possibly sessions; `necropsy keys` shows them"
        return f"store {store}: {several(keys, 'key')} {known}"
    lived = ""
    if row["longest"] is not None and row["longest"] > 0:
        lived = f", live for about {duration(row['longest'])}, and their last writes span {duration(row['span'])}"
    return (
        f"store {store}: {row['keys']:,} of {several(keys, 'key')} may be sessions of an unknown layout: they"
        f" ({row['pattern']}) end in a random id, are short{lived}. Describe them: --layout FILE (docs/sessions.md)"
    )


def duration(seconds: float) -> str:
    """Write a time in one unit.

    >>> duration(43_199), duration(90), duration(30)
    ('12 hours', '2 minutes', '30 seconds')
    """
    for length, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if round(seconds / length, 2) >= 1:
            return several(round(seconds / length), unit)
    return several(max(round(seconds), 0), "second")


def share_read(case: Case, store: str) -> float:
    """Share of a store's keys that could be read, 0 to 1: below 1 where its dump breaks off."""
    announced = case.value("SELECT value FROM server_fact WHERE store = ? AND name = 'keys-announced'", [store])
    if announced is None:
        return 1.0
    read = int(case.value("SELECT coalesce(sum(keys), 0)::BIGINT FROM key_family WHERE store = ?", [store]))
    return min(1.0, max(1, read) / int(announced))


def in_part(case: Case, store: str) -> Unexamined | None:
    """The limit of an examiner of keys that belong together, for a dump that breaks off; None for a whole one.

    The other key may lie in the part that is missing.
    """
    share = share_read(case, store)
    if share >= 1.0:
        return None
    return Unexamined(
        "", ("keys",), f"store {store}: only {percent(share)} of its dump could be read; give a complete one"
    )


def sessions_by_store(case: Case) -> dict[str, int]:
    """Number of sessions per store; stores without sessions included."""
    counts = {row["store"]: 0 for row in case.rows("SELECT DISTINCT store FROM source WHERE store IS NOT NULL")}
    counts |= {row["store"]: row["n"] for row in case.rows("SELECT store, count(*) AS n FROM session GROUP BY store")}
    return dict(sorted(counts.items()))
