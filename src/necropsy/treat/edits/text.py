"""Edits of a text by position, and the unified diff they make: what nobody asked to change stays as it was."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from necropsy.probes.configuration_file import ConfigurationFile

_SECRET: Final = re.compile(
    r"(?i)pass(word|wd|phrase)?\b|secret|token|credential|authorization|bearer|api[_-]?key|private[_-]?key|cookie|://[^/\s]*:[^/\s]*@"
)


_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Insertion:
    """Text that goes in at an offset."""

    offset: int
    text: str
    until: int | None = None
    """End of what it replaces; None when nothing is replaced."""


def apply(text: str, insertions: Sequence[Insertion]) -> str:
    """Insert from the end, so that no offset moves.

    >>> apply("ac", [Insertion(1, "b"), Insertion(2, "d")])
    'abcd'
    """
    for insertion in sorted(insertions, key=lambda i: -i.offset):
        behind = insertion.offset if insertion.until is None else insertion.until
        text = text[: insertion.offset] + insertion.text + text[behind:]
    return text


def edited(file: ConfigurationFile, insertions: Sequence[Insertion]) -> ConfigurationFile:
    """Return a configuration file with insertions, in its text and, where that is a part, in the whole file."""
    around = apply(file.whole, insertions) if file.whole is not None else None
    return replace(file, text=apply(file.text, insertions), whole=around)


def whole(file: ConfigurationFile) -> str:
    """Return the text of the file itself, whose lines a patch shows."""
    return file.text if file.whole is None else file.whole


def lines_of(text: str, *, keepends: bool = False) -> list[str]:
    r"""Return the lines of a text as ``patch`` and parsers of configuration count them: only a newline ends one.

    >>> lines_of("a\x0cb\r\nc", keepends=True)
    ['a\x0cb\r\n', 'c']
    """
    found = _LINE.findall(text)
    return found if keepends else [line.removesuffix("\n").removesuffix("\r") for line in found]


def line_end(text: str, line: int) -> int:
    r"""Return the offset just after a line (from 1), its newline included.

    >>> line_end("a\nb\n", 1)
    2
    """
    offset = 0
    for _ in range(line):
        found = text.find("\n", offset)
        if found < 0:
            return len(text)
        offset = found + 1
    return offset


def newline_of(text: str) -> str:
    r"""Return how the lines of a text end.

    >>> newline_of("a: b\r\nc: d\r\n")
    '\r\n'
    """
    return "\r\n" if "\r\n" in text else "\n"


def unified_diff(file: str, before: str, after: str) -> str:
    """Return a unified diff with as much context, up to three lines, as shows no secret.

    Configuration may hold passwords beside the lines that change; a diff is pasted into tickets. If even an unchanged
    neighbour must not be shown, fewer lines of context still apply cleanly with ``patch -p1``.
    """
    name = file.lstrip("/")
    for context in (3, 2, 1, 0):
        lines = list(
            difflib.unified_diff(
                lines_of(before, keepends=True),
                lines_of(after, keepends=True),
                f"a/{name}",
                f"b/{name}",
                n=context,
            )
        )
        if not any(line.startswith(" ") and _SECRET.search(line) for line in lines):
            break
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def count_changes(diff: str) -> tuple[int, int]:
    """Count the added and the removed lines of a diff."""
    body = lines_of(diff)[2:]
    return sum(line.startswith("+") for line in body), sum(line.startswith("-") for line in body)
