"""Killed, or the store full, between two steps that belong together: the undo finds the halves and makes them whole."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from necropsy.evidence.redis.options import LiveOptions
from necropsy.treat.purge import batch
from necropsy.treat.purge import undo as way_back
from necropsy.treat.purge.control import Knobs
from necropsy.treat.purge.journal import Journal
from necropsy.treat.purge.stores import TreatmentError
from necropsy.treatment import capping
from necropsy.wire.redis.address import parse_address
from servers import NAMES, running
from treat.purge.population import apply, make_plan, same, spring, state, undo, write_spring

pytestmark = pytest.mark.integration


class Killed(BaseException):
    """As if the process were gone: nothing that follows is written down."""


def _never(*_: Any, **__: Any) -> None:
    raise Killed


@pytest.mark.parametrize("go_on", [False, True], ids=["undo", "apply again, then undo"])
def test_between_marker_and_hash_a_session_is_no_half(
    go_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running("redis-8.2") as server:
        client = server.client()
        spring(client, anonymous=12, recent=2, users=2)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(batch.time, "sleep", _never)
            patched.setattr(Journal, "outcome", _never)
            with pytest.raises(Killed):
                apply(path, tmp_path / "journal", notify=True)
        gone = before.keys() - state(client).keys()
        assert gone
        assert all(b":sessions:expires:" in key for key in gone), "markers are gone, their hashes are there"
        if go_on:
            done = apply(path, tmp_path / "journal", notify=True)
            assert done.deleted_before + done.deleted == 12
        undo(tmp_path / "journal")
        assert same(before, state(client)) == []


@pytest.mark.parametrize("name", NAMES)
def test_lifetimes_that_nobody_saw_shortened_are_given_back(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(name) as server:
        client = server.client()
        used = int(time.time() * 1000) - 5_000_000
        for number in range(6):
            write_spring(client, f"immortal-{number}", used, lifetime_s=2_147_483_647)
        client.set("sess:a", b'{"cookie":{"originalMaxAge":99999999999,"expires":"2094-01-01T00:00:00.000Z"}}')
        before = state(client)
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "outcome", _never)
            with pytest.raises(Killed):
                capping.cap(parse_address(server.url), 3600, LiveOptions(), journal=tmp_path / "journal")
        assert same(before, state(client))
        assert capping.undo(tmp_path / "journal", redis=None).restored > 0
        assert same(before, state(client)) == []


def test_a_store_that_fills_up_during_an_undo_keeps_no_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = way_back._pieces
    with running("redis-8.2") as server:
        client = server.client()
        spring(client, anonymous=12, recent=2, users=2)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        apply(path, tmp_path / "journal", knobs=Knobs(batch=5))

        def full(*given: Any) -> None:
            client.config_set("maxmemory", 1)
            pieces(*given)

        with monkeypatch.context() as patched:
            patched.setattr(way_back, "_pieces", full)
            with pytest.raises(TreatmentError, match="the store is full") as stopped:
                undo(tmp_path / "journal")
        assert "continues where it stopped" in stopped.value.hint
        client.config_set("maxmemory", 0)
        undo(tmp_path / "journal")
        assert same(before, state(client)) == []
