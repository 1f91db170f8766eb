"""A unified diff as replacements of line ranges, for formats that do not take a diff as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class Replacement:
    """Lines ``first`` to ``first + removed - 1`` of the old file (from 1) give way to ``inserted``."""

    first: int
    removed: int
    """Number of lines that are removed; 0: ``inserted`` is put before line ``first``."""
    inserted: str
    """Whole lines, each ended; empty when lines only go."""


def replacements(diff: str) -> list[Replacement] | None:
    r"""Read a unified diff of one file.

    Returns
    -------
    list of Replacement or None
        In the order of the file. None when it cannot be expressed: no hunk, several files, a damaged hunk, or a last
        line without line break, which whole lines cannot say.

    >>> replacements("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n one\n-two\n+deux\n three\n")
    [Replacement(first=2, removed=1, inserted='deux\n')]
    """
    found: list[Replacement] = []
    remaining = 0
    line_number = 0
    hunks = 0
    changing = False
    for line in diff.removesuffix("\n").split("\n"):
        mark, text = line[:1], line[1:]
        head = _HUNK.match(line)
        if remaining <= 0 and head is not None:
            hunks += 1
            length = int(head[2]) if head[2] is not None else 1
            # An empty old range names the line *before* it, see POSIX diff -u.
            line_number = int(head[1]) + (1 if length == 0 else 0)
            remaining = length + _added(line)
            changing = False
            continue
        if hunks == 0:
            if line.startswith(("--- ", "+++ ", "diff ", "index ")) or not line:
                continue
            return None
        if remaining <= 0 or mark not in {"+", "-", " ", ""}:
            return None
        if mark in {" ", ""}:
            remaining -= 2
            line_number += 1
            changing = False
            continue
        remaining -= 1
        if not changing:
            found.append(Replacement(line_number, 0, ""))
            changing = True
        last = found.pop()
        if mark == "-":
            line_number += 1
            found.append(Replacement(last.first, last.removed + 1, last.inserted))
        else:
            found.append(Replacement(last.first, last.removed, f"{last.inserted}{text}\n"))
    return found if hunks and remaining == 0 and found else None


def _added(head: str) -> int:
    length = re.search(r"\+\d+(?:,(\d+))? @@", head)
    return int(length[1]) if length is not None and length[1] is not None else 1
