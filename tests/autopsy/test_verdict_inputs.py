"""Births as the verdict gets them: sorted in one number, in the database, or by two threads, they are the same."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from blank_cases import blank_case
from necropsy.autopsy import verdict_inputs
from necropsy.verdict import chunks
from necropsy.verdict.evidence import Attribution, Births


def stored(born_ms: list[int | None], agents: list[str | None], authentication: list[str | None]) -> Births:
    count = len(born_ms)
    rows = pa.table(
        {
            "store": ["a"] * count,
            "id_hash": pa.array(range(count), pa.uint64()),
            "born_at": pa.array(born_ms, pa.int64()).cast(pa.timestamp("ms")),
            "bytes": [1000] * count,
            "authentication": pa.array(authentication, pa.string()),
            "creator_user_agent": pa.array(agents, pa.string()),
            "creator_host": pa.array([None if agent is None else "10.0.0.1:80" for agent in agents], pa.string()),
        }
    )
    with blank_case() as case:
        case.append("source", [{"reader": "rdb", "locator": "dump.rdb", "store": "a"}])
        case.append("session", rows)
        return verdict_inputs.births_by_store(case)["a"]


def listed(births: Births) -> list[tuple[int, str, bool]]:
    names = [births.creators[number].user_agent if number >= 0 else "" for number in births.creator.tolist()]
    return list(zip(births.born_ms.tolist(), names, births.authenticated.tolist(), strict=True))


@pytest.mark.parametrize("way", ["packed", "in the database", "by two threads"])
def test_births_are_sorted_whichever_way(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "in the database":
        monkeypatch.setattr(verdict_inputs, "_BITS", 0)
    if way == "by two threads":
        monkeypatch.setattr(verdict_inputs, "_WORTH_IT", 0)
        monkeypatch.setattr(chunks, "AT_ONCE", 1_000)
    random = np.random.default_rng(3)
    born = [int(ms) for ms in 1_558_724_400_000 + random.integers(0, 5_000, 3_000)]
    agents = [("curl/8", "Go-http-client/1.1", None)[n] for n in random.integers(0, 3, 3_000)]
    known = [("yes", "no", None)[n] for n in random.integers(0, 3, 3_000)]
    births = stored([*born, None], [*agents, None], [*known, "yes"])
    wanted = sorted(zip(born, [agent or "" for agent in agents], [one == "yes" for one in known], strict=True))
    assert births.total == 3_001
    assert births.born_ms.tolist() == sorted(born)
    assert sorted(listed(births)) == wanted
    order = list(zip(births.born_ms.tolist(), births.creator.tolist(), births.authenticated.tolist(), strict=True))
    assert order == sorted(order)


def test_births_of_ten_thousand_years_are_sorted_too() -> None:
    born = [253_402_300_799_000, -62_135_596_800_000, 0]
    agents = [f"agent {number}" for number in range(3)]
    births = stored(born * 6_000, [f"{agent} {n // 3}" for n, agent in enumerate(agents * 6_000)], ["no"] * 18_000)
    assert births.born_ms.tolist() == sorted(born * 6_000)
    assert len(births.creators) == 18_000


def test_a_store_whose_births_nobody_knows_has_none() -> None:
    births = stored([None, None], [None, "curl/8"], ["no", "no"])
    assert births.born_ms.size == births.creator.size == births.authenticated.size == 0
    assert births.total == 2


def test_claims_are_recorded_for_the_sessions_that_they_rest_on() -> None:
    born = [1_000, 2_000, 2_000, 3_000]
    agents = [None, "curl/8", None, None]
    with blank_case() as case:
        rows = pa.table(
            {
                "store": ["a"] * 4,
                "id_hash": pa.array([10, 11, 12, 13], pa.uint64()),
                "born_at": pa.array(born, pa.int64()).cast(pa.timestamp("ms")),
                "bytes": [1000] * 4,
                "creator_user_agent": pa.array(agents, pa.string()),
            }
        )
        case.append("source", [{"reader": "rdb", "locator": "dump.rdb", "store": "a"}])
        case.append("session", rows)
        births = verdict_inputs.births_by_store(case)["a"]
        named = births.creator >= 0
        owner = np.where(named, 0, np.where(births.born_ms > 2_500, -1, 1)).astype(np.int32)
        weight = np.full(4, 0.75, np.float32)
        verdict_inputs.record(case, Attribution([], [], [], [], {"a": owner}, {"a": weight}))
        assert case.rows("SELECT id_hash, claim_id, weight FROM session_claim ORDER BY id_hash") == [
            {"id_hash": 10, "claim_id": 1, "weight": 0.75},
            {"id_hash": 11, "claim_id": 0, "weight": 0.75},
            {"id_hash": 12, "claim_id": 1, "weight": 0.75},
        ]
