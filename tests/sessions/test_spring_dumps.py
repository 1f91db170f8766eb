"""Dumps of real Spring applications, beside what the applications themselves say of each session."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from necropsy.case.identity import hash_identifier
from necropsy.case.store import Case
from necropsy.evidence.rdb.reader import open_dump
from necropsy.sessions.keyspace import Projection
from sessions.keyspaces import DUMPS, families, of_dump, sessions

NAMES = sorted(path.stem for path in DUMPS.glob("*.rdb"))


@dataclass(frozen=True)
class Dump:
    """A dump that was counted and settled, and what its application says of it."""

    name: str
    case: Case
    facts: dict[str, Any]


@pytest.fixture(scope="module", params=NAMES)
def dump(request: pytest.FixtureRequest) -> Iterator[Dump]:
    with of_dump(request.param) as case:
        yield Dump(request.param, case, truth(request.param))


def truth(name: str) -> dict[str, Any]:
    return json.loads((DUMPS / f"{name}.json").read_text())


def lasting(name: str) -> set[bytes]:
    """Keys that have no expiry."""
    rows = [row for batch in open_dump(str(DUMPS / f"{name}.rdb"), Projection()) for row in batch.to_pylist()]
    return {row["key"] for row in rows if row["expires_at"] is None}


def key_of(case: Case) -> bytes:
    key = case._key
    assert key is not None
    return key


def paired(dump: Dump) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each session that the application knows, with the row that we made of it."""
    rows = {row["id_hash"]: row for row in sessions(dump.case)}
    key = key_of(dump.case)
    pairs = [(fact, rows.pop(hash_identifier(key, fact["id"].encode()))) for fact in dump.facts["sessions"]]
    assert not rows, "a session that the application does not know"
    return pairs


def state(fact: dict[str, Any], kind: str) -> str:
    """What the documentation of each repository makes of each oddity."""
    trait = fact["trait"]
    keeps_grace = kind.endswith("indexed")
    if trait == "ghost":
        return "ghost"
    if trait.startswith("expired"):
        return "grace" if keeps_grace else "expired"
    if trait in {"lifetime zero", "deleted"}:  # the reactive repository of 3.5 takes the TTL from a lifetime of zero
        return "grace" if keeps_grace else "overdue"
    return "live"  # also one with a negative lifetime, whose hash the servlet repository keeps for 299 s since 3.4


def at(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)


def test_every_session_is_found_with_its_layout_and_namespace(dump: Dump) -> None:
    for _, row in paired(dump):
        assert (row["layout"], row["namespace"], row["db"]) == (dump.facts["layout"], dump.facts["namespace"], 0)


def test_birth_last_use_and_lifetime_are_those_of_the_application(dump: Dump) -> None:
    for fact, row in paired(dump):
        assert row["born_at"] == at(fact["created_ms"])
        assert row["born_provenance"] == ("explicit" if fact["created_ms"] else "unknown")
        assert row["born_precision_s"] == (0.001 if fact["created_ms"] else None)
        assert row["last_seen_at"] == at(fact["last_accessed_ms"])
        assert row["lifetime_s"] == fact["lifetime_s"]


def test_the_state_is_what_the_repository_would_make_of_it(dump: Dump) -> None:
    found = {fact["trait"]: row["state"] for fact, row in paired(dump)}
    assert found == {fact["trait"]: state(fact, dump.facts["kind"]) for fact in dump.facts["sessions"]}


def test_a_session_expires_when_its_lifetime_after_the_last_use_is_over(dump: Dump) -> None:
    for fact, row in paired(dump):
        if row["expires_at"] is None:
            assert fact["trait"] in {"negative lifetime", "lifetime zero"}
        elif fact["lifetime_s"] is not None:
            late_s = row["expires_at"].replace(tzinfo=UTC).timestamp() - fact["last_accessed_ms"] / 1000
            if fact["lifetime_s"] < 0:  # since 3.4: the grace, less a second, is all that it has
                assert 298.9 < late_s < 299.9
                continue
            assert fact["lifetime_s"] <= late_s + 1e-3 < fact["lifetime_s"] + 1


def test_a_session_is_authenticated_only_with_a_context_or_principal_that_is_not_empty(dump: Dump) -> None:
    traits = {}
    for fact, row in paired(dump):
        assert row["authentication"] == ("yes" if fact["authenticated"] else "no")
        removed = 2 if fact["trait"] == "logged out without invalidation" else 0  # context and principal: empty fields
        if (removed or fact["authenticated"]) and "sessionAttr:SPRING_SECURITY_LAST_EXCEPTION" in fact["attributes"]:
            removed += 1  # a login that succeeds clears what a failed one left
        assert row["attributes"] == len(fact["attributes"]) - removed
        traits[fact["trait"]] = row["authentication"]
    assert traits["logged in"] == traits["principal without context"] == "yes"
    assert traits["logged out without invalidation"] == "no"


def test_the_creator_is_the_one_who_came_over_the_wire(dump: Dump) -> None:
    for fact, row in paired(dump):
        said = fact["creator"] or dict.fromkeys(("user_agent", "host", "method", "path"))
        assert {part: row[f"creator_{part}"] for part in said} == said


def test_keys_and_bytes_of_companions_belong_to_their_session(dump: Dump) -> None:
    for fact, row in paired(dump):
        swept = fact["trait"] == "expired, swept" and dump.facts["kind"].endswith("indexed")
        assert row["keys"] == fact["keys"] - swept
    total = dump.case.value("SELECT sum(bytes) FROM session")
    assert total == dump.case.value("SELECT sum(bytes) FROM key_family WHERE role IN ('session', 'companion')")


def test_index_entries_lead_to_the_sessions_that_the_application_indexed(dump: Dump) -> None:
    key = key_of(dump.case)
    expected = Counter(
        (hash_identifier(key, entry["key"].encode()), hash_identifier(key, entry["id"].encode()))
        for entry in dump.facts["index_entries"]
        if entry["key"].encode() in lasting(dump.name)
    )
    rows = dump.case.rows("SELECT index_hash, id_hash FROM index_entry")
    assert Counter((row["index_hash"], row["id_hash"]) for row in rows) == expected


def test_every_key_is_counted_once_and_told_by_its_role(dump: Dump) -> None:
    swept = dump.facts["kind"].endswith("indexed")
    found = families(dump.case)
    assert sum(keys for _, keys in found.values()) == dump.facts["keys"] - swept
    assert found[f"{dump.facts['namespace']}:sessions:*"] == ("session", len(dump.facts["sessions"]))
    assert found["cache:products:*"] == ("other", 2)
    assert {role for role, _ in found.values()} <= {"session", "companion", "index", "other"}
    indexes = {entry["key"].encode() for entry in dump.facts["index_entries"]}
    assert sum(keys for role, keys in found.values() if role == "index") == len(indexes)
    indexed = dump.case.value("SELECT count(DISTINCT index_hash) FROM index_entry")
    assert indexed == len(indexes & lasting(dump.name)), "of one that expires by itself, nothing more is kept"


@pytest.mark.parametrize("name", NAMES)
def test_neither_id_nor_principal_nor_query_is_in_the_bytes_of_the_case(name: str, tmp_path: Path) -> None:
    facts = truth(name)
    with of_dump(name, tmp_path / "one.case") as case:
        case.execute("DELETE FROM session_part")
        everything = "".join(
            str(case.rows(f'SELECT * FROM "{table}"')) for table in ("session", "index_entry", "key_family")
        ).encode()
    everything += (tmp_path / "one.case").read_bytes()
    for secret in (*(fact["id"] for fact in facts["sessions"]), *facts["principals"], "jsessionid", "hush"):
        assert secret.encode() not in everything
