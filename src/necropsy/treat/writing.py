"""Apply unified diffs to the user's own files: all that belong together or none, each with a backup beside it.

A diff is applied only where each of its lines stands as it stood, at its place or at one other; a file that was changed
since it was examined is refused when its digest is known. Of files that belong together all are looked at, and their new
texts are on the disk, before the first is replaced; where a later one cannot be, the earlier ones are put back.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from necropsy.model.errors import NecropsyError
from necropsy.treat.edits.text import lines_of

BACKUP: Final = ".before-necropsy"
_HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")
_WRITABLE: Final = 0o222
_NO_NEWLINE: Final = "\\ No newline at end of file"


class PatchError(NecropsyError):
    """A patch cannot be applied."""


class PatchedAlready(PatchError):  # noqa: N818 -- what the file is
    """A file has the patch already."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file as it is, and as it is to be."""

    file: Path
    """As it was named."""
    real: Path
    """Where it lies: what is replaced when ``file`` is a symbolic link."""
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was patched."""

    file: Path
    backup: Path


def patched(text: str, diff: str, *, backwards: bool = False) -> str | None:
    r"""Return a text with a unified diff applied, or taken back; None where the text is another than the diff was made from.

    >>> patched("a\nb\nc\n", "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n")
    'a\nB\nc\n'
    >>> patched("a\nx\nc\n", "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n") is None
    True
    >>> patched("a\nB\nc\n", "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n", backwards=True)
    'a\nb\nc\n'
    """
    lines = lines_of(text, keepends=True)
    moved = 0
    for start, before, after in _hunks(diff):
        old, new = (after, before) if backwards else (before, after)
        place = _place(lines, old, start + moved)
        if place is None:
            return None
        lines[place : place + len(old)] = new
        moved = place + len(new) - (start + len(old))
    return "".join(lines)


def write(file: Path, diff: str, *, sha256: str | None = None) -> Written:
    """Apply a diff to a file: atomically, its owner and mode kept, the file as it was beside it.

    Raises
    ------
    PatchError
        As ``change`` and ``write_together`` do; the file is as it was.
    """
    return write_together([change(file, diff, sha256=sha256)])[0]


def change(file: Path, diff: str, *, sha256: str | None = None) -> FileChange:
    """Return what a diff makes of a file; nothing is written.

    Parameters
    ----------
    sha256
        Digest of the file as it was examined; None: not known, and the diff's own lines decide.

    Raises
    ------
    PatchedAlready
    PatchError
        The file was changed since, is read-only or no UTF-8 text.
    """
    real = Path(os.path.realpath(file))
    try:
        data = real.read_bytes()
        if not real.stat().st_mode & _WRITABLE:  # its folder alone decides whether it can be replaced
            raise PatchError(
                f"{file}: is read-only: not written", hint="Change it where it is made from, or chmod u+w it first."
            )
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise PatchError(f"{file}: cannot read: {reason}", hint="Apply the diff by hand.") from error
    changed = sha256 is not None and hashlib.sha256(data).hexdigest() != sha256
    made = None if changed else patched(text, diff)
    if made is None and patched(text, diff, backwards=True) is not None:
        raise PatchedAlready(
            f"{file}: has this patch already: not written", hint="Reload the program that reads the file."
        )
    if made is None:
        raise PatchError(
            f"{file}: changed since it was examined: not written", hint="Examine again, then apply the new patch."
        )
    return FileChange(file, real, data, made.encode())


def write_together(changes: Sequence[FileChange]) -> list[Written]:
    """Write all of these files, or none.

    Raises
    ------
    PatchError
        One cannot be written, or was changed at the last moment: all are as they were.
    """
    made: list[tuple[FileChange, Path]] = []
    replaced: list[tuple[FileChange, Path]] = []
    one = changes[0]
    try:
        for one in changes:
            made.append((one, _backup(one.real, one.before, one.real.stat())))
            _partial(one.real).unlink(missing_ok=True)  # of a run that was killed
            _create(_partial(one.real), one.after, one.real.stat(), one.real)
        for one, backup in made:
            _require_unchanged(one)
            replaced.append((one, backup))  # before it is, as Ctrl-C may come between
            _partial(one.real).replace(one.real)
            _sync(one.real.parent)
    except BaseException as error:
        lost = [_put_back(*there) for there in reversed(replaced)]
        for there, backup in made:
            with contextlib.suppress(OSError):
                _partial(there.real).unlink(missing_ok=True)
                backup.unlink(missing_ok=True)
        if isinstance(error, OSError):
            whole = "The file is unchanged." if len(changes) == 1 else "No file is changed."
            raise PatchError(
                f"{one.file}: cannot write: {error.strerror}", hint=" ".join(filter(None, lost)) or whole
            ) from error
        raise
    return [Written(one.file, backup) for one, backup in made]


def _require_unchanged(one: FileChange) -> None:
    """Refuse a file that somebody wrote to since it was read.

    Raises
    ------
    PatchError
    """
    if one.real.read_bytes() != one.before:
        raise PatchError(f"{one.file}: changed meanwhile: not written", hint="Examine again, then apply the new patch.")


def _put_back(one: FileChange, backup: Path) -> str:
    """Give a file its old text again; return what is to be said when that fails."""
    try:
        if one.real.read_bytes() == one.before:
            return ""
        _create(_partial(one.real), one.before, backup.stat(), backup)
        _partial(one.real).replace(one.real)
        _sync(one.real.parent)
    except OSError as error:
        kept = backup.with_name(f"{backup.name}-kept")
        with contextlib.suppress(OSError):
            backup.rename(kept)
        return f"{one.file} could not be put back: {error.strerror}; its old text is in {kept}."
    return ""


def _partial(file: Path) -> Path:
    return file.with_name(f".{file.name}.necropsy-partial-{os.getpid()}")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _backup(file: Path, data: bytes, status: os.stat_result) -> Path:
    """Write the file as it was beside it, under a name that nothing has yet.

    A hidden one: nginx reads all others of a folder that it includes (``include sites-enabled/*``), and a second server with
    the same name would be there at its next reload.
    """
    for number in range(1, 1000):
        backup = file.with_name(f".{file.name}{BACKUP}" + (f"-{number}" if number > 1 else ""))
        with contextlib.suppress(FileExistsError):
            _create(backup, data, status, file)
            return backup
    raise FileExistsError(17, "a thousand backups exist already", str(file))


def _create(path: Path, data: bytes, status: os.stat_result, like: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, status.st_mode & 0o7777)
    try:
        os.fchmod(descriptor, status.st_mode & 0o7777)
        with contextlib.suppress(PermissionError):  # only root may give files away
            os.fchown(descriptor, status.st_uid, status.st_gid)
        _keep_attributes(like, descriptor)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keep_attributes(like: Path, descriptor: int) -> None:
    """Give a file the extended attributes of another: its access control list and its label, where the system has them."""
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(like):
            with contextlib.suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(like, name))


def _hunks(diff: str) -> list[tuple[int, list[str], list[str]]]:
    """Return of each hunk the line where it begins (from 0), the lines before and the lines after."""
    hunks: list[tuple[int, list[str], list[str]]] = []
    last = ""
    for line in lines_of(diff, keepends=True):
        found = _HUNK.match(line)
        if found:
            # With no line of before, the number is that of the line in front.
            start = int(found[1]) - (0 if found[2] == "0" else 1)
            hunks.append((start, [], []))
        elif not hunks:
            continue
        elif line.startswith(_NO_NEWLINE):
            _strip_newline(hunks[-1], last)
        else:
            last = line[:1]
            if last in " -":
                hunks[-1][1].append(line[1:])
            if last in " +":
                hunks[-1][2].append(line[1:])
    return hunks


def _strip_newline(hunk: tuple[int, list[str], list[str]], last: str) -> None:
    """The line before this mark ends without a newline, on the sides that it is on."""
    _, old, new = hunk
    if last in " -" and old:
        old[-1] = old[-1].removesuffix("\n")
    if last in " +" and new:
        new[-1] = new[-1].removesuffix("\n")


def _place(lines: list[str], old: list[str], start: int) -> int | None:
    """Return where the lines stand: where they should, or at the one other place; None: nowhere, or in several."""
    if lines[start : start + len(old)] == old:
        return start
    if not old:
        return None
    places = [at for at in range(len(lines) - len(old) + 1) if lines[at : at + len(old)] == old]
    return places[0] if len(places) == 1 else None
