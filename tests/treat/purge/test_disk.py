"""A disk that is full at whatever moment: the purge stops, says what is true, goes on, and an undo brings all back."""

from __future__ import annotations

import json
import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from necropsy.model.errors import NecropsyError
from necropsy.treat.purge.control import Knobs
from necropsy.treat.purge.frames import Frames, JournalError
from servers import running
from treat.purge.population import apply, make_plan, same, spring, state, undo

pytestmark = pytest.mark.integration


@contextmanager
def _no_file_beyond(size: int) -> Iterator[None]:
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def _frames(journal: Path) -> list[int]:
    """Where the frames of a journal begin."""
    said = json.loads((journal / "journal.json").read_text())
    key, seal = bytes.fromhex(said["key"]), bytes.fromhex(said["seal"])
    return [frame.offset for frame in Frames(journal / "journal.frames", key, seal).read()]


def test_wherever_the_journal_ends_it_says_what_is_true_and_goes_on(tmp_path: Path) -> None:
    said = set()
    with running("redis-8.2") as server:
        client = server.client()
        spring(client, anonymous=12, recent=0, users=0)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        apply(path, tmp_path / "whole", knobs=Knobs(batch=3))
        undo(tmp_path / "whole")
        for place, offset in [*enumerate(_frames(tmp_path / "whole"))][1:8]:
            journal = tmp_path / str(offset)
            with _no_file_beyond(offset + 40), pytest.raises(JournalError) as stopped:
                apply(path, journal, knobs=Knobs(batch=3))
            said.add(stopped.value.message.rpartition("; ")[2])
            assert "Make room there" in stopped.value.hint
            gone = len([key for key in before.keys() - state(client).keys() if b":sessions:expires:" in key])
            assert gone == (place + 1) // 2 * 3
            done = apply(path, journal, knobs=Knobs(batch=3))
            assert done.deleted_before + done.deleted == 12
            undo(journal)
            assert same(before, state(client)) == []
    assert said == {
        "nothing of this batch was changed",
        "every session that was deleted is in the journal, and what became of the last batch is looked up",
    }


def test_a_state_that_cannot_be_written_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    with running("redis-8.2") as server:
        client = server.client()
        spring(client, anonymous=6, recent=0, users=0)
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        journal = tmp_path / "journal"
        journal.mkdir()
        apply_first = Knobs(batch=3, stopping=True)
        apply(path, journal, knobs=apply_first)
        (journal / ".state.partial").mkdir()
        with pytest.raises(JournalError, match=r"state\.json: cannot write"):
            apply(path, journal, knobs=Knobs(batch=3))
        (journal / ".state.partial").rmdir()
        done = apply(path, journal, knobs=Knobs(batch=3))
        assert done.deleted_before + done.deleted == 6
        undo(journal)
        assert same(before, state(client)) == []


def test_a_snapshot_that_does_not_fit_beside_the_journal_is_done_without_or_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("necropsy.treatment.snapshot.WORTH_A_FORK", 1)
    with running("redis-7.0", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", tcp=True) as server:
        client = server.client()
        spring(client, anonymous=6, recent=0, users=0)
        client.set("filler", random.Random(1).randbytes(100_000))
        before = state(client)
        _, path = make_plan(server.url, tmp_path)
        with _no_file_beyond(60_000):
            with pytest.raises(NecropsyError, match="does not fit"):
                apply(path, tmp_path / "first", by="snapshot")
            done = apply(path, tmp_path / "second")
        assert (done.deleted, done.dumped) == (6, 6)
        undo(tmp_path / "second")
        assert same(before, state(client)) == []
