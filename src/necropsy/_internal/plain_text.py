"""Logs of any encoding become UTF-8: UTF-8 stays, UTF-16 is recognised by its first bytes, bytes that are neither are replaced.

Names of errors and times are ASCII in nearly all encodings, and survive; DuckDB would drop a line that is not UTF-8.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_UTF_16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
HOLE: Final = re.compile(rb"\0{8,}")
"""What a crash, or a rotation by copying, leaves in a log; fewer NULs may be bytes that a client sent."""


def is_utf16(head: bytes) -> bool:
    """Tell whether a text begins with the mark of UTF-16."""
    return head[:2] in _UTF_16


class Utf8Copy:
    """Copies a text as UTF-8, piece by piece."""

    def __init__(self, head: bytes) -> None:
        """``head``: at least the first three bytes, which tell the encoding; they are not copied yet."""
        encoding = _UTF_16.get(head[:2], "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8")
        self._mark = 2 if encoding.startswith("utf-16") else 0
        self._may_be_ready = encoding == "utf-8"
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def of(self, piece: bytes) -> bytes:
        """Return the next bytes as UTF-8; half a character waits for the next piece."""
        if self._may_be_ready and piece.isascii() and not self._decoder.getstate()[0]:
            return piece
        piece, self._mark = piece[self._mark :], 0
        return self._decoder.decode(piece).encode("utf-8", "replace")

    def end(self) -> bytes:
        """Return what stands for half a character at the end."""
        return self._decoder.decode(b"", final=True).encode("utf-8", "replace")
