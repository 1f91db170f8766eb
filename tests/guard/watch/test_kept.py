from pathlib import Path

import pytest

from necropsy.case.store import Case
from necropsy.guard.watch.kept import held, require_own
from necropsy.model.errors import CaseError, UsageError


def test_the_case_of_an_examination_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "incident.case"
    with Case.create(path) as case:
        case.set_meta("now", "2026-11-29T12:00:00+00:00")

    with pytest.raises(UsageError, match="is the case of an examination"):
        require_own(path)


def test_a_file_that_is_not_there_yet_is_a_watch_s_own(tmp_path: Path) -> None:
    require_own(tmp_path / "new.watch.case")


def test_a_folder_that_is_not_there_is_refused_before_the_first_look(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        require_own(tmp_path / "nowhere" / "new.watch.case")


def test_what_is_no_case_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(CaseError):
        require_own(tmp_path / "notes.txt")


def test_a_case_has_one_keeper_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "new.watch.case"
    with (
        held(path),
        held(tmp_path / "another.watch.case"),
        pytest.raises(UsageError, match="is kept by another watch or guard"),
        held(path),
    ):
        pass
    with held(path):
        pass


def test_a_folder_that_cannot_be_written_is_refused_before_the_first_look(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match=r"new\.watch\.case\.lock: cannot write"),
        held(tmp_path / "nowhere" / "new.watch.case"),
    ):
        pass
