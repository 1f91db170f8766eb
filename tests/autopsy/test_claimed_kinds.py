"""In a store that holds several kinds of session, each claim has the kind of its own sessions."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from blank_cases import blank_case
from necropsy.autopsy.claimed_kinds import kinds_of_claims
from necropsy.case.store import Case
from necropsy.verdict.evidence import SessionKind


def filled(case: Case, kinds: list[tuple[int, str, int | None]]) -> dict[int, SessionKind]:
    """The kinds of claims of a store with these sessions: (claim, layout, lifetime)."""
    columns: dict[str, Any] = {
        "store": ["a"] * len(kinds),
        "id_hash": pa.array(range(len(kinds)), pa.uint64()),
        "layout": [layout for _, layout, _ in kinds],
        "lifetime_s": pa.array([lifetime for _, _, lifetime in kinds], pa.int64()),
    }
    case.append("session", pa.table(columns))
    claims = {"claim_id": pa.array([claim for claim, _, _ in kinds], pa.int32()), "weight": [1.0] * len(kinds)}
    case.append("session_claim", pa.table({"store": columns["store"], "id_hash": columns["id_hash"], **claims}))
    return kinds_of_claims(case)


def test_each_claim_has_the_layout_and_the_lifetime_of_its_sessions() -> None:
    prober = [(0, "starsessions", 1_800)] * 9 + [(0, "express", 86_400)]
    with blank_case() as case:
        found = filled(case, [*prober, *[(1, "express", 86_400)] * 20])
    assert found == {0: SessionKind("starsessions", 1_800), 1: SessionKind("express", 86_400)}


def test_of_a_claim_on_several_kinds_none_is_said() -> None:
    crawler = [(0, "starsessions", 1_800)] * 5 + [(0, "express", 1_800)] * 5
    with blank_case() as case:
        assert filled(case, crawler) == {}


def test_nothing_is_said_of_a_store_with_one_kind() -> None:
    with blank_case() as case:
        assert filled(case, [(0, "express", None)] * 5) == {}
