r"""Text that came from outside, made harmless for a terminal and a page.

A User-Agent is written by whoever calls: it may hold ANSI escapes that repaint a terminal, line breaks that forge a
line of the report, or bidirectional overrides that reverse it (https://trojansource.codes).
"""

from __future__ import annotations

import unicodedata
from typing import Final

_HARMFUL: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
"""Unicode categories: control, format (bidi, zero width), surrogate, private use, line and paragraph separators."""


def inert(text: str, *, limit: int = 2000) -> str:
    r"""Show each harmful character as its escape, so that it is seen and does nothing.

    Parameters
    ----------
    text
        One line from outside: a name, a URL, a User-Agent. A line break in it is harmful, too.
    limit
        Characters kept; the rest is cut and said to be cut.

    >>> inert("curl\x1b[2J/8.0")
    'curl\\x1b[2J/8.0'
    >>> inert("a\u202eb")
    'a\\u202eb'
    """
    shown = text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(_escaped(character) for character in shown)


def prose(text: str) -> str:
    r"""Sentences of the verdict as one line, for the report to wrap.

    >>> prose("Every answer is a new\n  session.")
    'Every answer is a new session.'
    """
    return inert(" ".join(text.split()), limit=20_000)


def inert_block(text: str) -> str:
    r"""Like `inert` for text of several lines (a diff): line breaks and tabs stay.

    >>> inert_block("-a\n+b\x1b[0m\n")
    '-a\n+b\\x1b[0m\n'
    """
    return "\n".join(
        "\t".join(inert(part, limit=20_000) for part in line.split("\t"))
        for line in text.replace("\r\n", "\n").split("\n")
    )


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _HARMFUL:
        return character
    code = ord(character)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
