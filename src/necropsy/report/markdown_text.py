"""Markdown that says what the values say: nothing from outside becomes a heading, a link, an image or HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from necropsy.report.escaping import inert, inert_block, prose

# Underscores inside a word and ">" after the first column mean nothing; leaving them alone keeps the source readable.
_MEANINGFUL = re.compile(r"([\\`*\[\]<|~$]|&(?=[#\w]+;)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_AUTOLINK = re.compile(r"(?i)\b(https?|ftp|mailto|www)(:|\.)")
_AT_THE_START = re.compile(r"^(#|>|[-+](?=\s)|\d+[.)](?=\s)|=)")


def plain(text: str) -> str:
    r"""Escape a sentence so that it is shown as it is.

    >>> plain("a|b <c> `d` *e* #f")
    'a\\|b \\<c> \\`d\\` \\*e\\* #f'
    >>> plain("1. fire")
    '1\\. fire'
    """
    escaped = _MEANINGFUL.sub(r"\\\1", prose(text))
    # GitHub links bare addresses; a zero-width joint keeps what a visitor wrote from becoming a link.
    escaped = _AUTOLINK.sub(r"\1<!-- -->\2", escaped)
    return _AT_THE_START.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", escaped)


def code(text: str) -> str:
    """Inline code for a name, a URL or a User-Agent, whatever backticks it holds; fit for a table.

    >>> code("GET /"), code("a`b")
    ('`GET /`', '`` a`b ``')
    """
    shown = inert(text).replace("|", "¦")  # a pipe ends a table cell even inside code
    if not shown:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    if not longest:
        return f"`{shown}`"
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}"


def block(text: str, language: str) -> str:
    """Fenced code block whose fence is longer than any inside it."""
    shown = inert_block(text).rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`{3,}", shown)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Table of cells that are already escaped; columns that are empty in every row are left out."""
    body = list(rows)
    kept = [column for column in range(len(head)) if any(row[column] for row in body)]
    lines = [
        [head[column] for column in kept],
        ["---"] * len(kept),
        *([row[column] for column in kept] for row in body),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
