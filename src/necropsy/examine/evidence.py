"""Queries that more than one examiner asks of a case."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from necropsy.model.plain import from_plain
from necropsy.model.probe import Backend, Probe

if TYPE_CHECKING:
    from necropsy.case.store import Case


def probes(case: Case) -> dict[int, Probe]:
    """All probes of the case by ``probe_id``."""
    return {
        row["probe_id"]: from_plain(Probe, json.loads(row["value"]))
        for row in case.rows("SELECT probe_id, value FROM probe ORDER BY 1")
    }


def backends(case: Case) -> list[Backend]:
    """All backends of the case."""
    return [
        from_plain(Backend, json.loads(row["value"]))
        for row in case.rows("SELECT value FROM backend ORDER BY port, address, value")
    ]


def sessions_by_store(case: Case) -> dict[str, int]:
    """Number of sessions per store; stores without sessions included."""
    counts = {row["store"]: 0 for row in case.rows("SELECT DISTINCT store FROM source WHERE store IS NOT NULL")}
    counts |= {row["store"]: row["n"] for row in case.rows("SELECT store, count(*) AS n FROM session GROUP BY store")}
    return dict(sorted(counts.items()))
