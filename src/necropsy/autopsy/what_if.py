"""Compute from a finished case what its stores would become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from necropsy import __version__
from necropsy.model.what_if import WhatIf

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.verdict import Prediction
    from necropsy.verdict.future import BirthStream, StoreForecastInput
    from necropsy.verdict.what_if import Steps

IDLE_S: Final = 3_600.0
"""Idle time below which a purge takes a session to be in use, by default."""
_LEAST_BIRTHS: Final = 5
"""Births from which on their own pace is taken for a rate."""
_YOUNG: Final = 1.2
"""A creator whose own pace is so many times its rate began not long ago."""
_PURGEABLE: Final = (
    "authentication = 'no' AND coalesce(last_seen_at, born_at) < $at - to_microseconds($idle_us)"
    " AND (expires_at IS NULL OR expires_at > $at)"
)
"""What has expired and is still there goes by itself: a purge leaves it."""
_IMMORTAL: Final = "(expires_at IS NULL OR expires_at > $at + INTERVAL 3650 DAY)"


def what_if(case_path: Path, steps: Steps, memory_limit: int | None = None, *, idle_s: float = IDLE_S) -> WhatIf:
    """Say what the stores of a case would become under some steps; reads nothing but the case.

    Parameters
    ----------
    idle_s
        Seconds for which a session of nobody was not used before a purge takes it.

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
        made = [
            store(case, name, moments[name], idle_s=idle_s) for name in verdict_inputs.stores(case) if name in moments
        ]
        return WhatIf(__version__, str(case_path), tuple(outlooks(one, steps, memory_limit) for one in made))


def store(case: Case, name: str, at: datetime, *, idle_s: float = IDLE_S) -> StoreForecastInput:
    """Return what is known of a store that decides what it will hold."""
    import numpy as np

    from necropsy.autopsy import verdict_inputs
    from necropsy.verdict.forecast import grace_s
    from necropsy.verdict.future import StoreForecastInput

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
        {**asked, "idle_us": round(idle_s * 1e6)},
    )[0]
    of_people = case.columns(
        "SELECT greatest(0, epoch(s.expires_at - $at)) AS left_s FROM session s"
        " JOIN session_claim c ON c.store = s.store AND c.id_hash = s.id_hash"
        " JOIN birth_claim b ON b.store = c.store AND b.claim_id = c.claim_id"
        f" WHERE s.store = $store AND b.creator = 'people' AND NOT {_IMMORTAL} ORDER BY 1",
        asked,
    )["left_s"]
    grace = grace_s(facts.layout)
    people = case.value(
        "SELECT coalesce(sum(births), 0) FROM birth_claim WHERE store = ? AND creator = 'people'", [name]
    )
    return StoreForecastInput(
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
        people_left_s=np.asarray(of_people, np.float64) + grace,
    )


def streams(case: Case, store: str, at: datetime) -> list[BirthStream]:
    """Return who goes on creating: claims whose births had not ended."""
    from necropsy.autopsy.kept_claims import claim_of
    from necropsy.examine import creation
    from necropsy.verdict.actors import is_over
    from necropsy.verdict.future import BirthStream

    going_on = [
        row
        for row in creation.claims(case)
        if row["store"] == store and row["slug"] != creation.PEOPLE and not is_over(claim_of(row), at)
    ]
    return [
        BirthStream(
            row["slug"],
            row["label"],
            per_day(row),
            deviation=0.0 if row["period_s"] else _deviation(row["births"], row["births_low"], row["births_high"]),
            regular=row["period_s"] is not None,
        )
        for row in going_on
    ] + unexplained(case, store, at)


def per_day(row: Mapping[str, Any]) -> float:
    """Return the sessions a day of one creator: a claim as its row in the case.

    A claim's rate is over all of the time that it could be seen in. Of one who comes regularly and began
    within it, the rate is that between its first birth and its last: else it would be told too small for as long as it is new.

    >>> from datetime import datetime
    >>> began, now = datetime(2019, 5, 24, 19, 0), datetime(2019, 5, 24, 19, 5)
    >>> row = {"births_per_hour": 31.0, "births": 31.0, "first_at": began, "last_at": now, "period_s": 10.0, "probe_id": None}
    >>> per_day(row), per_day({**row, "period_s": None})
    (8640.0, 744.0)
    """
    rate = float(row["births_per_hour"]) * 24
    first, last = row["first_at"], row["last_at"]
    regular = row["period_s"] is not None or row["probe_id"] is not None
    if not regular or first is None or last is None or row["births"] < _LEAST_BIRTHS or last <= first:
        return rate
    seconds: float = (last - first).total_seconds()
    own = (float(row["births"]) - 1) / seconds * 86_400
    return own if own > _YOUNG * rate else rate


def unexplained(case: Case, store: str, at: datetime) -> list[BirthStream]:
    """Return the births of the last day that nobody explains: they go on, whoever makes them."""
    from necropsy.verdict.future import BirthStream
    from necropsy.verdict.what_if import UNEXPLAINED

    naive = at.replace(tzinfo=None)
    row = case.rows(
        "SELECT count(*) AS births, min(born_at) AS first FROM session WHERE store = $store AND born_at > $since"
        " AND born_at <= $at",
        {"store": store, "at": naive, "since": naive - timedelta(days=1)},
    )[0]
    claimed = case.value("SELECT coalesce(sum(births), 0) FROM birth_claim WHERE store = ?", [store])
    total = case.value("SELECT count(*) FROM session WHERE store = ? AND born_at IS NOT NULL", [store])
    share = max(0.0, 1 - claimed / total) if total else 0.0
    births = row["births"] * share
    if births < _FEWEST or share < _LEAST_SHARE:
        return []
    days = max((naive - row["first"]) / timedelta(days=1), 1 / 24)
    return [BirthStream(UNEXPLAINED, "nobody known", births / days, deviation=float(births**-0.5))]


_FEWEST: Final = 20
_LEAST_SHARE: Final = 0.05
"""Births that nobody explains are followed from this share of all on: fewer are people whom no log shows."""


def _deviation(births: float, low: float, high: float) -> float:
    """Standard deviation of a count, as a share of it, from its 95 % interval."""
    return (high - low) / (2 * 1.96 * births) if births > 0 else 0.0


def dated(case: Case, predictions: Sequence[Prediction], now: datetime) -> tuple[Prediction, ...]:
    """Return predictions with the moment at which memory is full, by the curve of each store as it goes on."""
    from necropsy.autopsy import verdict_inputs
    from necropsy.verdict.what_if import Steps, outlook

    moments = verdict_inputs.read_at(case, now)
    made = []
    for prediction in predictions:
        today = outlook(store(case, prediction.store, moments.get(prediction.store, now)), Steps())
        made.append(
            replace(
                prediction,
                memory_exhausted_at=today.full_at,
                memory_exhausted_from=today.full_from,
                memory_exhausted_to=today.full_to,
            )
        )
    return tuple(made)
