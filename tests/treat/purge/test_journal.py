"""A journal as a file: what is written comes back, also from a journal of an older version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from necropsy.treat.purge import journal as journals
from necropsy.treat.purge.journal import Journal, JournalError, JournalRecord

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
