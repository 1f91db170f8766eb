"""A journal as a file: what is written comes back, also from a journal of an older version."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from necropsy.treat.purge import journal as journals
from necropsy.treat.purge.journal import Journal, JournalError, JournalRecord
from necropsy.treatment import purging

RECORD = JournalRecord(b"session:1", b"payload", 2_000_000_000_000, 60)


def _written(folder: Path) -> None:
    journal = Journal.create(folder, {"address": "127.0.0.1:6379", "db": 0})
    journal.sessions(0, 1_900_000_000_000, [RECORD])
    journal.close()


def _read(folder: Path) -> list[JournalRecord]:
    journal = Journal.open(folder)
    try:
        return [record for batch in journal.batches() for record in batch.records]
    finally:
        journal.close()


def test_a_journal_of_version_1_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 1 had no seal, and so none before its first frame."""
    with monkeypatch.context() as older:
        older.setattr(journals, "VERSION", 1)
        older.setattr(journals, "_seal", lambda _header: "")
        _written(tmp_path / "old")
    header = json.loads((tmp_path / "old" / "journal.json").read_text())
    del header["seal"]
    (tmp_path / "old" / "journal.json").write_text(json.dumps(header))
    assert _read(tmp_path / "old") == [RECORD]


def test_a_journal_that_calls_itself_older_to_lose_its_seal_is_refused(tmp_path: Path) -> None:
    _written(tmp_path / "new")
    header = json.loads((tmp_path / "new" / "journal.json").read_text())
    del header["seal"]
    (tmp_path / "new" / "journal.json").write_text(json.dumps({**header, "version": 1, "address": "elsewhere:6379"}))
    with pytest.raises(JournalError):
        _read(tmp_path / "new")


def test_shredding_a_journal_touches_nothing_else_in_its_folder_nor_where_a_link_leads(tmp_path: Path) -> None:
    _written(tmp_path / "journal")
    elsewhere = tmp_path / "precious"
    elsewhere.write_text("precious")
    (tmp_path / "journal" / "notes.txt").write_text("notes")
    (tmp_path / "journal" / "link").symlink_to(elsewhere)
    (tmp_path / "journal" / "state.json").symlink_to(elsewhere)
    (tmp_path / "journal" / "folder").mkdir()
    journal = Journal.open(tmp_path / "journal")
    assert journal.shred() > len(RECORD.payload)
    assert elsewhere.read_text() == "precious"
    assert sorted(path.name for path in (tmp_path / "journal").iterdir()) == ["folder", "link", "notes.txt"]


def test_a_journal_that_a_full_disk_kept_from_beginning_is_begun_in_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / ".journal.json.partial").write_bytes(b"{")
    _written(tmp_path / "journal")
    assert _read(tmp_path / "journal") == [RECORD]


def test_of_two_that_begin_one_journal_at_once_one_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, refused = journals.replace_file, []

    def meanwhile(path: Path, data: bytes) -> None:
        if not refused:
            with pytest.raises(JournalError, match="in use") as error:
                Journal.create(tmp_path / "journal", {"address": "another", "db": 0})
            refused.append(error)
        write(path, data)

    monkeypatch.setattr(journals, "replace_file", meanwhile)
    _written(tmp_path / "journal")
    assert refused
    assert _read(tmp_path / "journal") == [RECORD], "its seals are not those of the other"


def test_what_a_loss_of_power_takes_is_what_was_never_certain(tmp_path: Path) -> None:
    """The outcome of a batch is not synced: it is looked up."""
    _written(tmp_path / "journal")
    frames = tmp_path / "journal" / "journal.frames"
    certain = frames.stat().st_size
    journal = Journal.open(tmp_path / "journal")
    journal.load()
    journal.outcome(1, [(0, -2, 0)])
    journal.close()
    os.truncate(frames, certain)
    journal = Journal.open(tmp_path / "journal")
    journal.load()
    assert [batch.outcome for batch in journal.batches()] == [None]
    journal.outcome(1, [(0, -2, 0)])
    journal.remember(finished=True)  # from here on all of it is
    journal.close()
    os.truncate(frames, frames.stat().st_size - 1)
    journal = Journal.open(tmp_path / "journal")
    with pytest.raises(JournalError, match="truncated"):
        journal.load()
    journal.close()


def test_a_journal_where_nothing_can_be_written_is_read_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _written(tmp_path / "journal")

    def read_only(folder: Path) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder))

    monkeypatch.setattr(journals, "_locked", read_only)
    assert purging.verify(tmp_path / "journal").sessions == 1
    with pytest.raises(JournalError, match="cannot write") as refused:
        purging.undo(tmp_path / "journal", redis=None, journal_key=None)
    assert "cp -a" in str(refused.value.hint)
    with pytest.raises(JournalError, match="cannot write"):
        purging.shred(tmp_path / "journal")


def test_an_outcome_that_is_looked_up_again_counts_once(tmp_path: Path) -> None:
    _written(tmp_path / "journal")
    journal = Journal.open(tmp_path / "journal")
    journal.load()
    journal.outcome(1, [(-6, -2, 0)])
    journal.outcome(1, [(0, -2, 0)])
    assert journal.deleted == 1
    journal.close()
    journal = Journal.open(tmp_path / "journal")
    journal.load()
    assert journal.deleted == 1
    journal.close()
