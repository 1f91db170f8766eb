"""Purge and undo on real servers: garbage goes, users stay, and everything comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from servers import NAMES, running
from treat.purge.population import SPRING, apply, express, make_plan, same, spring, state, undo

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", NAMES)
def test_a_purge_takes_the_anonymous_whole_and_an_undo_brings_all_back(name: str, tmp_path: Path) -> None:
    with running(name) as server:
        client = server.client()
        ids, others = spring(client), express(client)
        client.set("cache:product:1", "x")
        before = state(client)
        plan, path = make_plan(server.url, tmp_path)
        assert plan.sessions == len(ids.anonymous) + len(others.anonymous)
        assert plan.sessions + sum(plan.kept.values()) == plan.total == 60
        done = apply(path, tmp_path / "journal")
        assert done.deleted == plan.sessions
        assert done.kept.total() == 0
        left = state(client)
        for identifier in ids.anonymous:
            assert not any(identifier.encode() in key for key in left)
            assert not any(identifier in str(value) for value, _ in left.values())
        for identifier in (*ids.recent, *ids.users):
            assert {
                f"{SPRING}:sessions:{identifier}".encode(),
                f"{SPRING}:sessions:expires:{identifier}".encode(),
            } <= left.keys()
        assert all(f"sess:{identifier}".encode() in left for identifier in (*others.recent, *others.users))
        assert b"cache:product:1" in left
        back = undo(tmp_path / "journal")
        assert back.codes[1] == done.deleted
        assert same(before, state(client)) == []
