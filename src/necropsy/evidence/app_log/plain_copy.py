"""A plain copy of a log, in UTF-8: holes of NULs end a line, and lines that are too long for the reader are noted."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from necropsy._internal.file_kinds import BINARY, kind_of
from necropsy._internal.plain_text import HOLE, Utf8Copy
from necropsy.wire.files import chunks, open_binary

LONGEST: Final = 1 << 20
"""Bytes of a line that is read."""
HEAD: Final = 1 << 14
"""Bytes of a log by which it is told from what is no text."""


class PlainCopy(NamedTuple):
    """The result of copying a log."""

    damage: str
    """Why it ends too soon; empty if it does not."""
    overlong: tuple[int, ...]
    """Numbers of the lines that are too long, from 1."""


def copy_plain(locator: str, copy: Path) -> PlainCopy:
    """Copy a log as far as it can be read."""
    damage = ""
    text: Utf8Copy | None = None
    fills = False
    lengths = _Lengths()
    with open_binary(locator) as stream, copy.open("wb") as out:
        for chunk in chunks(stream):
            if isinstance(chunk, str):
                damage = chunk
                continue
            if text is None:
                text = Utf8Copy(chunk)
                fills = kind_of(chunk[:HEAD]) in {None, BINARY}  # in an archive NULs tell what it is
            plain = text.of(chunk)
            if fills and b"\0" in plain:
                plain = HOLE.sub(b"\n", plain)
            lengths.add(plain)
            out.write(plain)
        out.write(text.end() if text is not None else b"")
    return PlainCopy(damage, lengths.overlong())


class _Lengths:
    """Finds lines that are too long in pieces, none of which is longer than one such line."""

    def __init__(self) -> None:
        self._lines = 0
        self._open = 0
        self._returned = False
        """Whether the last piece ended with a carriage return: a newline behind it ends no other line."""
        self._found: list[int] = []

    def add(self, piece: bytes) -> None:
        if self._returned and piece.startswith(b"\n"):
            piece = piece[1:]
        self._returned = piece.endswith(b"\r")
        if b"\r" in piece:  # alone it ends a line as well
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first = piece.find(b"\n")
        if first < 0:
            self._open += len(piece)
            return
        if self._open + first > LONGEST:
            self._found.append(self._lines + 1)
        self._lines += piece.count(b"\n")
        self._open = len(piece) - piece.rfind(b"\n") - 1

    def overlong(self) -> tuple[int, ...]:
        return (*self._found, self._lines + 1) if self._open > LONGEST else tuple(self._found)
