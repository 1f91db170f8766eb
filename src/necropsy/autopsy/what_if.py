"""Compute from a finished case what its stores would become."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from necropsy import __version__
from necropsy.model.what_if import WhatIf

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.verdict.what_if import Steps, Store, Stream

_IDLE: Final = "1 HOUR"
_PURGEABLE: Final = f"authentication = 'no' AND coalesce(last_seen_at, born_at) < $at - INTERVAL {_IDLE}"
"""What a purge takes by default."""
_IMMORTAL: Final = "(expires_at IS NULL OR expires_at > $at + INTERVAL 3650 DAY)"


def what_if(case_path: Path, steps: Steps, memory_limit: int | None = None) -> WhatIf:
    """Say what the stores of a case would become under some steps; reads nothing but the case.

    Raises
    ------
    CaseError
        Not a case file, or one of a newer necropsy.
    """
    from necropsy.autopsy import verdict_inputs
    from necropsy.case.store import Case
    from necropsy.verdict.what_if import outlooks

    with Case.open(case_path) as case:
        moments = verdict_inputs.read_at(case, datetime.fromisoformat(case.meta()["now"]))
        stores = [_store(case, name, moments[name]) for name in verdict_inputs.stores(case) if name in moments]
        return WhatIf(__version__, str(case_path), tuple(outlooks(store, steps, memory_limit) for store in stores))


def _store(case: Case, name: str, at: datetime) -> Store:
    import numpy as np

    from necropsy.autopsy import verdict_inputs
    from necropsy.verdict.forecast import grace_s
    from necropsy.verdict.what_if import Store

    naive = at.replace(tzinfo=None)
    facts = verdict_inputs.facts(case, name, at, 0.0)
    asked: dict[str, Any] = {"store": name, "at": naive}
    left = case.columns(
        f"SELECT greatest(0, epoch(expires_at - $at)) AS left_s FROM session WHERE store = $store AND NOT {_IMMORTAL}"
        " ORDER BY 1",
        asked,
    )["left_s"]
    counts = case.rows(
        f"SELECT count(*) FILTER (WHERE {_IMMORTAL}) AS immortal, count(*) FILTER (WHERE {_PURGEABLE}) AS purgeable,"
        f" count(*) FILTER (WHERE {_PURGEABLE} AND {_IMMORTAL}) AS purgeable_immortal,"
        " coalesce(sum(bytes), 0)::DOUBLE AS bytes FROM session WHERE store = $store",
        asked,
    )[0]
    grace = grace_s(facts.layout)
    people = case.value(
        "SELECT coalesce(sum(births), 0) FROM birth_claim WHERE store = ? AND creator = 'people'", [name]
    )
    return Store(
        name=name,
        at=at,
        left_s=np.asarray(left, np.float64) + grace,
        immortal=counts["immortal"],
        purgeable=counts["purgeable"],
        purgeable_immortal=counts["purgeable_immortal"],
        people=float(people),
        lifetime_s=facts.lifetime_s,
        grace_s=float(grace),
        streams=streams(case, name, at),
        bytes_per_session=facts.bytes_per_session,
        other_bytes=max(0.0, facts.bytes - counts["bytes"]),
        memory_limit=facts.memory_limit,
    )


def streams(case: Case, store: str, at: datetime) -> list[Stream]:
    """Return who goes on creating: claims whose births had not ended."""
    from necropsy.autopsy.reporting import claim_of
    from necropsy.examine import creation
    from necropsy.verdict.actors import is_over
    from necropsy.verdict.what_if import Stream

    going_on = [
        row
        for row in creation.claims(case)
        if row["store"] == store and row["slug"] != creation.PEOPLE and not is_over(claim_of(row), at)
    ]
    return [Stream(row["slug"], row["label"], row["births_per_hour"] * 24) for row in going_on]
