"""Batches of large sessions: what is written of them can be read again, or is not written and nothing is deleted."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import redis

from necropsy.evidence.redis.options import LiveOptions
from necropsy.treat.purge import apply as purges
from necropsy.treat.purge import batch as batches
from necropsy.treat.purge import frames
from necropsy.treat.purge.control import Knobs
from necropsy.treat.purge.frames import JournalError
from necropsy.treatment import capping, purging
from necropsy.wire.redis.address import parse_address
from servers import running
from treat.purge.population import SPRING, apply, express, make_plan, same, spring, state, string, undo

pytestmark = pytest.mark.integration

SESSIONS, BYTES = 24, 20_000


def _large(client: redis.Redis) -> None:
    """Write sessions that no compression makes small."""
    for number, one in enumerate(spring(client, anonymous=SESSIONS, recent=0, users=0).anonymous):
        client.hset(f"{SPRING}:sessions:{one}", "sessionAttr:X", string(random.Random(number).randbytes(BYTES)))


@pytest.mark.parametrize("by", ["dump", "snapshot"])
def test_a_batch_has_so_many_bytes_at_most_whatever_its_sessions(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (batches, purges):
        monkeypatch.setattr(module, "BATCH_BYTES", 4 * BYTES)
    monkeypatch.setattr(frames, "LARGEST", 6 * BYTES)
    with running("redis-7.0", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", tcp=True) as server:
        _large(server.client())
        before = state(server.client())
        _, path = make_plan(server.url, tmp_path)
        done = apply(path, tmp_path / "journal", by=by, knobs=Knobs(batch=100_000))
        assert done.deleted == SESSIONS
        assert purging.verify(tmp_path / "journal").batches >= SESSIONS // 4
        undo(tmp_path / "journal")
        assert same(before, state(server.client())) == []


def test_a_frame_that_nobody_could_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LARGEST", 6 * BYTES)
    with running("redis-7.0") as server:
        _large(server.client())
        before = state(server.client())
        _, path = make_plan(server.url, tmp_path)
        with pytest.raises(JournalError, match="is not written: nothing of this batch was changed"):
            apply(path, tmp_path / "journal", knobs=Knobs(batch=100_000))
        assert same(before, state(server.client())) == []
        assert apply(path, tmp_path / "journal", knobs=Knobs(batch=3)).deleted == SESSIONS
        undo(tmp_path / "journal")
        assert same(before, state(server.client())) == []


def test_a_frame_of_before_that_is_larger_than_any_that_is_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running("redis-7.0") as server:
        _large(server.client())
        before = state(server.client())
        _, path = make_plan(server.url, tmp_path)
        apply(path, tmp_path / "journal", knobs=Knobs(batch=100_000))
        monkeypatch.setattr(frames, "LARGEST", 1000)
        undo(tmp_path / "journal", lenient=True)
        assert same(before, state(server.client())) == []


def test_lifetimes_of_large_sessions_are_journalled_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running("redis-7.0") as server:
        express(server.client(), anonymous=40, recent=0, users=0)
        before = state(server.client())
        monkeypatch.setattr(batches, "BATCH_BYTES", 1000)
        monkeypatch.setattr(frames, "LARGEST", 4000)
        done = capping.cap(parse_address(server.url), 3600, LiveOptions(), journal=tmp_path / "journal")
        assert done.capped == 40
        assert purging.verify(tmp_path / "journal").batches > 1
        assert capping.undo(tmp_path / "journal", redis=None).restored == 40
        assert same(before, state(server.client())) == []
