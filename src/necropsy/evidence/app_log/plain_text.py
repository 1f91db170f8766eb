"""Logs of any encoding become UTF-8: UTF-8 stays, UTF-16 is recognised by its first bytes, bytes that are neither are replaced.

Names of errors and times are ASCII in nearly all encodings, and survive; DuckDB would drop a line that is not UTF-8.
"""

from __future__ import annotations

import codecs
from typing import BinaryIO, Final

_CHUNK: Final = 1 << 20
_UTF_16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def transcode(stream: BinaryIO, out: BinaryIO) -> None:
    """Copy a stream of text as UTF-8, piece by piece; errors of the stream pass through."""
    piece = stream.read(_CHUNK)
    encoding = _UTF_16.get(piece[:2], "utf-8-sig" if piece.startswith(codecs.BOM_UTF8) else "utf-8")
    if encoding.startswith("utf-16"):
        piece = piece[2:]
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while piece:
        out.write(
            piece
            if encoding == "utf-8" and piece.isascii() and not decoder.getstate()[0]
            else decoder.decode(piece).encode("utf-8", "replace")
        )
        piece = stream.read(_CHUNK)
    out.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
