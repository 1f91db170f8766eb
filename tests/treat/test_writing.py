"""Diffs applied to files: whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.treat.edits.text import unified_diff
from necropsy.treat.writing import PatchError, change, patched, write, write_together

_LINES = st.lists(
    st.sampled_from(["a\n", "b\r\n", "c\x0cd\u2028\x85e\n", "", "\n", "\r", "long line\n"]), max_size=12
).map("".join)


@given(before=_LINES, after=_LINES, cut=st.booleans())
def test_a_diff_of_two_texts_turns_one_into_the_other(before: str, after: str, cut: bool) -> None:
    if cut:
        before, after = before.removesuffix("\n"), after.removesuffix("\n")
    diff = unified_diff("f", before, after)
    assert (patched(before, diff) if diff else before) == after


@given(text=st.text(max_size=200), diff=st.text(max_size=200))
def test_no_diff_makes_it_raise(text: str, diff: str) -> None:
    patched(text, diff)


def test_a_text_that_moved_is_found_and_one_that_changed_is_not() -> None:
    before, after = "x: 1\ny: 2\nz: 3\n", "x: 1\ny: 20\nz: 3\n"
    diff = unified_diff("f", before, after)
    assert patched("# new\n" + before, diff) == "# new\n" + after
    assert patched(before.replace("z", "w"), diff) is None
    assert patched(before + before, diff) == after + before
    assert patched("#\n" + before + before, diff) is None, "two places"


def test_a_file_keeps_its_mode_and_is_backed_up(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text("a: 1 # why\nb: 2\n")
    file.chmod(0o640)
    if os.geteuid() == 0:  # only root may give a file away
        os.chown(file, 1000, 1001)
    before = file.stat()
    link = tmp_path / "link.yml"
    link.symlink_to(file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    diff = unified_diff("prometheus.yml", file.read_text(), "a: 1 # why\nb: 3\n")
    done = write(link, diff, sha256=digest)
    assert link.is_symlink()
    assert file.read_text() == "a: 1 # why\nb: 3\n"
    for one in (file.stat(), done.backup.stat()):
        assert (one.st_uid, one.st_gid) == (before.st_uid, before.st_gid)
    assert file.stat().st_mode & 0o777 == 0o640
    assert done.backup.read_text() == "a: 1 # why\nb: 2\n"
    assert done.backup.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".prometheus.yml.before-necropsy", "link.yml", "prometheus.yml",
    ]  # fmt: skip


def test_a_file_that_has_the_patch_already_is_said_to_have_it(tmp_path: Path) -> None:
    file = tmp_path / "f"
    before = "a\nb\nc\nd\ne\nf\ng\nh\ni\n"
    file.write_text(before)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    diff = unified_diff("f", before, before.replace("b\n", "b\nB\n").replace("h\n", "H\n"))
    write(file, diff, sha256=digest)
    with pytest.raises(PatchError, match="has this patch already"):
        write(file, diff, sha256=digest)


def test_a_file_that_changed_since_it_was_examined_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("a\nb\n")
    diff = unified_diff("f", "a\nb\n", "a\nc\n")
    digest = hashlib.sha256(b"a\nb\n").hexdigest()
    file.write_text("a\nb\n# somebody was here\n")
    with pytest.raises(PatchError, match="changed since it was examined"):
        write(file, diff, sha256=digest)
    assert file.read_text() == "a\nb\n# somebody was here\n"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_lines_end_where_patch_ends_them(tmp_path: Path) -> None:
    """A form feed, a separator of Unicode or a lone carriage return is a character as any other."""
    before = "a: 1\nb: 2 # x\x0cy\u2028z\x85\rw\nc: 3\n"
    diff = unified_diff("f", before, before.replace("c: 3", "c: 4"))
    assert "No newline" not in diff
    assert "@@ -1,3 +1,3 @@" in diff
    file = tmp_path / "f"
    file.write_bytes(before.encode())
    write(file, diff)
    assert file.read_bytes() == before.replace("c: 3", "c: 4").encode()


def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("a\n")
    file.chmod(0o444)
    with pytest.raises(PatchError, match="read-only"):
        write(file, unified_diff("f", "a\n", "b\n"))
    assert file.read_text() == "a\n"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_backup_is_not_read_as_one_more_file_of_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "site"
    file.write_text("a\n")
    done = write(file, unified_diff("f", "a\n", "b\n"))
    assert glob.glob(str(tmp_path / "*")) == [str(file)], "as nginx includes a folder"  # noqa: PTH207 -- Path.glob finds hidden ones
    assert done.backup.read_text() == "a\n"


def test_extended_attributes_stay(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("a\n")
    with contextlib.suppress(OSError):  # where the file system has none, there are none to keep
        os.setxattr(file, "user.owner", b"team")
    before = {name: os.getxattr(file, name) for name in os.listxattr(file)}
    done = write(file, unified_diff("f", "a\n", "b\n"))
    for one in (file, done.backup):
        assert {name: os.getxattr(one, name) for name in os.listxattr(one)} == before


def test_of_files_that_belong_together_all_are_written_or_none(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file in files:
        file.write_text("x: 1\n")
    diff = unified_diff("f", "x: 1\n", "x: 2\n")
    changes = [change(file, diff) for file in files]
    files[1].write_text("x: 1 # somebody was faster\n")
    with pytest.raises(PatchError, match="b: changed meanwhile"):
        write_together(changes)
    assert [file.read_text() for file in files] == ["x: 1\n", "x: 1 # somebody was faster\n", "x: 1\n"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"], "no backup of what was not written"
    files[1].write_text("x: 1\n")
    assert [one.file for one in write_together(changes)] == files
    assert {file.read_text() for file in files} == {"x: 2\n"}


def test_a_folder_that_takes_no_new_file_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    first, last = tmp_path / "first", tmp_path / ("l" * 250)  # its backup's name would be too long
    for file in (first, last):
        file.write_text("x: 1\n")
    diff = unified_diff("f", "x: 1\n", "x: 2\n")
    with pytest.raises(PatchError, match="cannot write") as refused:
        write_together([change(first, diff), change(last, diff)])
    assert refused.value.hint == "No file is changed."
    assert first.read_text() == last.read_text() == "x: 1\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((first.name, last.name))


def test_what_a_killed_run_left_beside_a_file_does_not_stop_the_next(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("a\n")
    (tmp_path / f".f.necropsy-partial-{os.getpid()}").write_text("half")
    write(file, unified_diff("f", "a\n", "b\n"))
    assert file.read_text() == "b\n"
