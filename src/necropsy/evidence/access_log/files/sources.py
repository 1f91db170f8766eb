"""Files of one log: which belong together, how DuckDB opens them, and their first lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from necropsy._internal.paths import is_file
from necropsy._internal.plain_text import Utf8Copy, is_utf16
from necropsy.wire.files import STANDARD_INPUT, chunks, compression, open_binary

_HEAD: Final = 256 << 10
_HEAD_LINES: Final = 100
_SEEN_BY_DUCKDB: Final = {None: "none", "gzip": "gzip", "zstd": "zstd"}

_PACKED: Final = re.compile(r"\.(gz|zst|zstd|bz2|xz)$", re.IGNORECASE)
_ROTATED: Final = re.compile(r"(?<=.)[._-](\d{1,4}|\d{8}([-_T]?\d{2,6})?|\d{4}-\d\d-\d\d([-_T.]\d{2}([-_.:]?\d\d)*)?)$")
_DATED: Final = re.compile(r"(?<=[A-Za-z])[._-](\d{1,3}|\d{8}|\d{4}-\d\d-\d\d)(?=\.(log|txt|json)$)")


def family(locator: str) -> str:
    """Name the log that a file belongs to: rotation and compression taken off.

    >>> [family(name) for name in ("access.log", "access.log.1", "access.log-20240501.gz", "access.2024-05-01.log")]
    ['access.log', 'access.log', 'access.log', 'access.log']
    >>> family("server1.log")
    'server1.log'
    """
    folder, slash, name = locator.rpartition("/")
    name = _PACKED.sub("", name)
    shorter = _ROTATED.sub("", name)
    shorter = _DATED.sub("", shorter)
    return f"{folder}{slash}{shorter}" if re.search("[A-Za-z]", shorter) else locator


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file as DuckDB can open it."""

    locator: str
    """As given."""
    path: Path
    """A link or a copy in the scratch folder; its name is safe inside SQL."""
    compression: str
    """``none``, ``gzip`` or ``zstd``."""
    damage: str = ""
    """Why the end of it is missing, if it is."""

    def open(self) -> BinaryIO:
        """Open it, unpacked. What is not packed is not guessed at: a line may begin like a Zstandard frame."""
        return self.path.open("rb") if self.compression == "none" else open_binary(str(self.path))


def attach(locator: str, folder: Path, number: int) -> LogFile:
    """Make a file openable: linked if DuckDB can read it as it is, copied (and unpacked) if it cannot.

    Raises
    ------
    UnreadableSource
        Missing, a folder, not permitted, or empty.
    """
    with open_binary(locator) as stream:
        if locator == STANDARD_INPUT or not is_file(locator):
            return spool(locator, stream, folder / f"log-{number}")
        with Path(locator).open("rb") as raw:
            kind = compression(raw.read(6))
        head = next(chunks(stream), b"")
        if kind in _SEEN_BY_DUCKDB and (isinstance(head, str) or not _CopiedLines(head).changes):
            link = folder / f"log-{number}"
            link.symlink_to(Path(locator).resolve())
            return LogFile(locator, link, _SEEN_BY_DUCKDB[kind])
    with open_binary(locator) as stream:
        return spool(locator, stream, folder / f"log-{number}")


def spool(locator: str, stream: BinaryIO, copy: Path) -> LogFile:
    """Copy a stream into a file, as far as it can be read, with lines as all readers know them."""
    damage = ""
    lines: _CopiedLines | None = None
    with copy.open("wb") as out:
        for chunk in chunks(stream):
            if isinstance(chunk, str):
                damage = chunk
            else:
                lines = lines or _CopiedLines(chunk)
                out.write(lines.of(chunk))
        out.write(lines.end() if lines is not None else b"")
    return LogFile(locator, copy, "none", damage)


class _CopiedLines:
    """Copies a log, piece by piece, as UTF-8 with newlines.

    A log that is rotated by copying (``copytruncate``) begins with a hole of NULs as long as the old one was, if its writer
    does not append; a redirection in PowerShell writes UTF-16; very old systems end lines with a carriage return alone.
    """

    def __init__(self, head: bytes) -> None:
        """``head``: the first piece, which is not copied yet."""
        self._in_hole = head.startswith(b"\0")
        self._text = Utf8Copy(head) if is_utf16(head) else None
        text = self._text is None
        self._returns = text and b"\r" in head and b"\n" not in head
        self.changes = self._in_hole or self._returns or not text

    def of(self, piece: bytes) -> bytes:
        """Return what is written for the next piece."""
        if self._text is not None:
            return self._text.of(piece)
        if self._in_hole:
            piece = piece.lstrip(b"\0")
            self._in_hole = not piece
        return piece.replace(b"\r", b"\n") if self._returns else piece

    def end(self) -> bytes:
        """Return what is written at the end."""
        return self._text.end() if self._text is not None else b""


def nothing_in(file: LogFile) -> str:
    """Why not one byte of a file can be read; empty when one can, or when there is none."""
    with file.open() as stream:
        first = next(chunks(stream), b"")
    return first if isinstance(first, str) else ""


def first_lines(file: LogFile) -> list[str]:
    """Return the first lines, blank and overlong ones left out."""
    head = b""
    with file.open() as stream:
        for chunk in chunks(stream):
            if isinstance(chunk, str):
                break
            head += chunk
            if len(head) >= _HEAD:
                break
    lines = head[:_HEAD].split(b"\n")
    if len(head) >= _HEAD and len(lines) > 1:
        lines.pop()  # it may be cut
    texts = (line.decode("utf-8", "replace").strip("\r\ufeff") for line in lines[:_HEAD_LINES])
    return [text for text in texts if text.strip()]
