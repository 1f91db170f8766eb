"""What --where means, and what of a store is chosen and kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from blank_cases import blank_case
from necropsy.case.store import Case
from necropsy.model.errors import UsageError
from necropsy.treat.purge.identities import place_number
from necropsy.treat.purge.judge import AUTHENTICATED, OVER, UNKNOWN, UNTIMED, USED, Rules
from necropsy.treat.purge.plan import choose
from necropsy.treat.purge.selection import parse

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC).replace(tzinfo=None)


def _session(number: int, **values: Any) -> dict[str, Any]:
    return {
        "store": "a", "layout": "spring-indexed", "namespace": "spring:session", "db": 0, "id": f"id{number}".encode(),
        "born_at": NOW - timedelta(hours=5), "last_seen_at": NOW - timedelta(hours=5), "expires_at": NOW + timedelta(hours=5),
        "lifetime_s": 86_400, "keys": 2, "bytes": 1000, "authentication": "no", "state": "live", **values,
    }  # fmt: skip


def _chosen(case: Case, *where: str, **rules: Any) -> dict[str, Any]:
    return choose(case, "a", parse(where), Rules(**rules), NOW.replace(tzinfo=UTC))


def test_every_session_is_chosen_or_kept_for_one_reason() -> None:
    with blank_case() as case:
        rows = [
            _session(0),
            _session(1, authentication="yes"),
            _session(2, authentication="unknown"),
            _session(3, last_seen_at=NOW - timedelta(minutes=59)),
            _session(4, last_seen_at=None, expires_at=None, lifetime_s=None),
            _session(5, state="grace"),
            _session(6, layout="express", namespace="sess", keys=1, born_at=NOW - timedelta(hours=6)),
            _session(7, keys=1),
            _session(8, layout="express", namespace="sess", keys=1, authentication="yes"),
        ]
        case.append("session", rows)
        found = _chosen(case, "anonymous")
        assert (found["sessions"], found["total"], found["keys"], found["bytes"]) == (3, 9, 4, 3000)
        assert found["kept"] == {AUTHENTICATED: 2, UNKNOWN: 1, USED: 1, UNTIMED: 1, OVER: 1}
        assert found["halves"] == {"hash without marker": 1}
        assert found["layouts"] == {"spring-indexed": 2, "express": 1}
        assert sorted(found["hashes"].tolist()) == found["hashes"].tolist()
        assert "id0" not in " ".join(found["sample"])
        assert _chosen(case, "anonymous", unknown_is_anonymous=True)["sessions"] == 4
        assert _chosen(case, "anonymous", idle_s=600)["sessions"] == 4
        assert _chosen(case, "framework=express")["sessions"] == 1
        assert _chosen(case, "framework=spring")["sessions"] == 2
        assert _chosen(case, "pattern=sess:*")["sessions"] == 1
        assert _chosen(case, "pattern=spring:session:sessions:*")["sessions"] == 2
        assert _chosen(case, "anonymous", "idle=6h")["sessions"] == 0
        assert _chosen(case, "born-before=2026-11-29T08:00:00")["sessions"] == 3


def test_who_does_not_say_each_use_is_planned_as_undecided_where_idle_times_tell() -> None:
    with blank_case() as case:
        silent = {"last_seen_at": None, "expires_at": None, "lifetime_s": None}
        case.append("session", [_session(0), _session(1, **silent), _session(2, authentication="yes", **silent)])
        later = choose(case, "a", parse(["anonymous"]), Rules(), NOW.replace(tzinfo=UTC), idle_times=True)
        now = choose(case, "a", parse(["anonymous"]), Rules(), NOW.replace(tzinfo=UTC), idle_times=False)
    assert (later["sessions"], later["undecided"], later["kept"]) == (2, 1, {AUTHENTICATED: 1})
    assert (now["sessions"], now["undecided"], now["kept"]) == (1, 0, {AUTHENTICATED: 1, UNTIMED: 1})


def test_immortal_creator_and_born_by_choose_what_they_say() -> None:
    with blank_case() as case:
        case.append("session", [
            _session(0, expires_at=None), _session(1, lifetime_s=2_147_483_647),
            _session(2, creator_user_agent="Go-http-client/1.1"), _session(3), _session(4),
        ])  # fmt: skip
        assert _chosen(case, "immortal")["sessions"] == 2
        assert _chosen(case, "creator=go-HTTP")["sessions"] == 1
        ids = case.rows("SELECT id_hash FROM session ORDER BY id_hash")
        case.append(
            "birth_claim",
            [{"store": "a", "claim_id": 1, "creator": "probe"}, {"store": "a", "claim_id": 2, "creator": "unlogged"}],
        )
        hashes = pa.array([row["id_hash"] for row in ids[:3]], pa.uint64())
        claims = {"store": ["a"] * 3, "id_hash": hashes, "claim_id": [1, 1, 2], "weight": [0.9, 0.3, 1.0]}
        case.append("session_claim", pa.table(claims))
        place = place_number(case.key, ("spring:session", 0))
        assert _chosen(case, "born-by=probes/creates-sessions")["hashes"].tolist() == [ids[0]["id_hash"] ^ place]
        assert _chosen(case, "born-by=traffic/unlogged-creator")["hashes"].tolist() == [ids[2]["id_hash"] ^ place]


@pytest.mark.parametrize("words", [[], ["anonymus"], ["idle"], ["idle=soon"], ["immortal=yes"], ["born-before=tomorrow"],
                                   ["born-by=memory/no-limit"], ["creator="]])  # fmt: skip
def test_what_is_not_understood_is_said_with_the_next_step(words: list[str]) -> None:
    with pytest.raises(UsageError) as told:
        parse(words)
    assert told.value.hint
