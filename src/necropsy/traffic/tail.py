"""Follow a log through rotation and truncation; read the last megabytes of it from a file.

::

    access.log  renamed to access.log.1, created anew      another inode: the old one is read to its end, then the new one
    access.log  copied to access.log.1, cut to nothing     shorter than what was read: from its beginning again
    access.log  gone for a while                           the old one goes on being read; the new one when it is there
"""

from __future__ import annotations

import os
import select
import shutil
import sys
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from necropsy.model.errors import UnreadableSource, UsageError
from necropsy.wire.files import STANDARD_INPUT, compression

_CHUNK: Final = 1 << 20
_AT_ONCE: Final = 64 << 20
"""Bytes that are taken in one go, so that a flood of lines does not keep anybody from looking."""
_LONGEST_LINE: Final = 1 << 20


class Tail(Protocol):
    """Something that grows."""

    ended: bool
    """Nothing will ever follow."""
    rotations: int
    """Number of times that the file was replaced or emptied."""

    def read(self) -> bytes:
        """Return what came since the last time, at most 64 MB; empty when nothing did."""

    def close(self) -> None:
        """Let go of it."""


def open_tail(locator: str, window: int) -> Tail:
    """Open a log, or standard input for ``-``.

    Parameters
    ----------
    locator
        Path or ``-``.
    window
        Bytes before the end of a file with which to begin.

    Raises
    ------
    UnreadableSource
        Missing, a folder, not permitted.
    UsageError
        Compressed: such a file is finished.
    """
    return PipeTail() if locator == STANDARD_INPUT else FileTail(Path(locator), window)


class FileTail:
    """A file that grows, by name: whoever bears the name is read."""

    def __init__(self, path: Path, window: int) -> None:
        self.ended = False
        self.rotations = 0
        self._path = path
        self._file: BinaryIO = _opened(path)
        self._left: BinaryIO | None = None
        head = self._file.read(6)
        if compression(head) is not None:
            self._file.close()
            raise UsageError(
                f"{path}: compressed, so nothing will be appended", hint="Follow the log that is being written."
            )
        self._file.seek(0)
        size = os.fstat(self._file.fileno()).st_size
        if size > window:
            self._file.seek(size - window)
            self._file.readline(_LONGEST_LINE)

    def read(self) -> bytes:
        """Return what came since the last time."""
        parts = []
        if self._left is not None:  # whoever had it open may have written a last line after the new one appeared
            parts.append(_rest(self._left))
            self._left.close()
            self._left = None
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self.rotations += 1
            self._file.seek(0)
        parts.append(_rest(self._file))
        if len(parts[-1]) < _AT_ONCE and self._replaced():
            try:
                new = _opened(self._path)
            except UnreadableSource:
                return b"".join(parts)
            self.rotations += 1
            self._left, self._file = self._file, new
            parts.append(_rest(self._left))
            parts.append(_rest(self._file))
        return b"".join(parts)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        if self._left is not None:
            self._left.close()

    def _replaced(self) -> bool:
        try:
            now = self._path.stat()
        except OSError:
            return False
        mine = os.fstat(self._file.fileno())
        return (now.st_dev, now.st_ino) != (mine.st_dev, mine.st_ino)


class PipeTail:
    """Standard input: what a program writes that follows a log somewhere else."""

    def __init__(self) -> None:
        self.ended = False
        self.rotations = 0
        self._descriptor = sys.stdin.fileno()

    def read(self) -> bytes:
        """Return what has been written; waits for nothing."""
        parts, size = [], 0
        while size < _AT_ONCE and select.select([self._descriptor], [], [], 0)[0]:
            part = os.read(self._descriptor, _CHUNK)
            if not part:
                self.ended = True
                break
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Leave standard input to whoever owns it."""


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise UnreadableSource(f"{path}: no such file", hint="Check the path; a followed log must exist.") from error
    except IsADirectoryError as error:
        raise UnreadableSource(f"{path}: is a folder", hint="Give a file, or a glob in quotes.") from error
    except OSError as error:
        raise UnreadableSource(f"{path}: {error.strerror}", hint="Make it readable for this user.") from error


def _rest(file: BinaryIO) -> bytes:
    return file.read(_AT_ONCE)


class Spool:
    """The last whole lines of a tail in a file that never grows beyond twice the window.

    Parameters
    ----------
    path
        Where to write; its folder exists.
    window
        Bytes to keep.
    """

    def __init__(self, path: Path, window: int) -> None:
        self.path = path
        self.lines = 0
        """Lines so far, those that were dropped again included."""
        self._window = window
        self._size = 0
        self._partial = b""
        self._head = b""
        path.touch()

    def add(self, data: bytes) -> None:
        """Add what was read; a line that has not ended waits for its end."""
        data = self._partial + data
        end = data.rfind(b"\n") + 1
        if not end and len(data) > _LONGEST_LINE:
            end = len(data)  # no line of a log is that long; the reader will call it damaged
        whole, self._partial = data[:end], data[end:]
        if not whole:
            return
        if not self.lines:
            self._head = _comments(whole)
        self.lines += whole.count(b"\n")
        with self.path.open("ab") as out:
            out.write(whole)
        self._size += len(whole)
        if self._size > 2 * self._window:
            self._trim()

    def finish(self) -> None:
        """Take a last line without an end for whole: nothing follows."""
        if self._partial:
            self.add(b"\n")

    def _trim(self) -> None:
        """Keep the last lines, and what a log said of its own format at the top."""
        shorter = self.path.with_name(f"{self.path.name}.shorter")
        with self.path.open("rb") as old, shorter.open("wb") as new:
            old.seek(self._size - self._window)
            old.readline()
            new.write(self._head)
            shutil.copyfileobj(old, new, _CHUNK)
            self._size = new.tell()
        shorter.replace(self.path)


def _comments(data: bytes) -> bytes:
    r"""Return the lines at the top that begin with ``#``: W3C's names of fields.

    >>> _comments(b"#Fields: date time\n2019-05-24 18:41:34\n")
    b'#Fields: date time\n'
    """
    end = 0
    while data[end : end + 1] == b"#":
        stop = data.find(b"\n", end)
        if stop < 0:
            break
        end = stop + 1
    return data[:end]
