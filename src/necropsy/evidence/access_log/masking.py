"""Samples of damaged lines, fit for a report: secrets masked, nothing that a terminal or a browser would obey.

What a log holds is written by strangers. A sample is short, its control characters are spelled out, and whatever might
be a credential is replaced by ``*``: values behind ``=``, query strings, cookies, Authorization, addresses of mail,
and every long run of letters and digits.
"""

from __future__ import annotations

import re
from typing import Final

LENGTH: Final = 160
"""Characters of a sample, at most."""

_SENSITIVE: Final = (
    r"[\w.-]*(?:cookie|auth|token|session|secret|passw|api-?_?key|credential|signature|user|mail|sid)[\w.-]*"
)
_RULES: Final = (
    (re.compile(rf'(?i)("{_SENSITIVE}"\s*:\s*")[^"]*'), r"\1*"),
    (re.compile(rf"(?i)\b({_SENSITIVE}\s*:\s*)[^\s\"',;]+(?: +[^\s\"',;]+)?"), r"\1*"),
    (re.compile(r"(?i)\b(Bearer|Basic|Digest|Negotiate)\s+[^\s\"',;]+"), r"\1 *"),
    (re.compile(r"\?[^\s\"']*"), "?*"),
    (re.compile(r"=[^\s\"'&;,]+"), "=*"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "*@*"),
    (re.compile(r"[A-Za-z0-9+/_%-]*(?:[A-Za-z]\d|\d[A-Za-z])[A-Za-z0-9+/_%-]{10,}"), "*"),
    (re.compile(r"[A-Za-z0-9+/_%]{24,}"), "*"),
)


def mask(line: str) -> str:
    r"""Return a short sample of a line that is safe to show and to keep.

    >>> mask('GET /a?token=abc "Cookie: SESSION=YjQ2M2I1Zjk" \x1b[31m')
    'GET /a?* "Cookie: *" \\x1b[31m'
    """
    cut = line[: LENGTH * 4]
    for pattern, replacement in _RULES:
        cut = pattern.sub(replacement, cut)
    shown = "".join(_spelled(character) for character in cut)
    return shown if len(shown) <= LENGTH and len(line) <= LENGTH * 4 else shown[: LENGTH - 1] + "…"


def _spelled(character: str) -> str:
    """Spell out what is not plain text: control, format (bidirectional), unusual white space."""
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
