"""Queries that more than one examiner asks of a case."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from necropsy.model.evidence import Origin
from necropsy.model.probe import Backend, Probe

if TYPE_CHECKING:
    from necropsy.case.store import Case


def probes(case: Case) -> dict[int, Probe]:
    """All probes of the case by ``probe_id``."""
    return {
        row["probe_id"]: load_probe(row["value"]) for row in case.rows("SELECT probe_id, value FROM probe ORDER BY 1")
    }


def backends(case: Case) -> list[Backend]:
    """All backends of the case."""
    return [load_backend(row["value"]) for row in case.rows("SELECT value FROM backend ORDER BY port, address, value")]


def load_probe(text: str) -> Probe:
    """Read a probe from the JSON of its row."""
    value: dict[str, Any] = json.loads(text)
    value["origin"] = tuple(Origin(**origin) for origin in value["origin"])
    value["user_agents"] = tuple(value["user_agents"])
    value["labels"] = tuple((name, label) for name, label in value["labels"])
    return Probe(**value)


def load_backend(text: str) -> Backend:
    """Read a backend from the JSON of its row."""
    value: dict[str, Any] = json.loads(text)
    value["server_names"] = tuple(value["server_names"])
    if value["origin"] is not None:
        value["origin"] = Origin(**value["origin"])
    return Backend(**value)


def sessions_by_store(case: Case) -> dict[str, int]:
    """Number of sessions per store; stores without sessions included."""
    counts = {row["store"]: 0 for row in case.rows("SELECT DISTINCT store FROM source WHERE store IS NOT NULL")}
    counts |= {row["store"]: row["n"] for row in case.rows("SELECT store, count(*) AS n FROM session GROUP BY store")}
    return dict(sorted(counts.items()))
