r"""Kinds of files that are no text, by their first bytes: named to the person who gave one in a log's or a dump's place.

>>> kind_of(b"REDIS0011\xfa")
FileKind(name='a Redis dump', hint='Give it with --rdb.')
>>> kind_of(b'10.0.0.1 - - [24/May/2019:19:00:00 +0000] "GET / HTTP/1.1" 200 12') is None
True
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class FileKind(NamedTuple):
    """A kind of file that is no text."""

    name: str
    """With its article: ``a zip archive``."""
    hint: str
    """What to do instead, a sentence."""


_UNPACK: Final = "Unpack it, and give the files in it."
_WRONG: Final = "Is this the right file?"
_DECOMPRESS: Final = "Decompress it first."
_KINDS: Final = (
    (rb"REDIS\d{4}|VALKEY\d", FileKind("a Redis dump", "Give it with --rdb.")),
    (rb".{0,16}DUCK", FileKind("a DuckDB database", "If it is a case, read it with `necropsy report FILE`.")),
    (rb"PK\x03\x04", FileKind("a zip archive", _UNPACK)),
    (rb".{150,300}ustar", FileKind("a tar archive", _UNPACK)),
    (rb"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive", _UNPACK)),
    (rb"Rar!", FileKind("a rar archive", _UNPACK)),
    (rb"\x04\x22\x4d\x18", FileKind("an lz4 file", _DECOMPRESS)),
    (rb"\x1f\x9d", FileKind("a file of compress (.Z)", _DECOMPRESS)),
    (rb"\x1f\x8b|\x28\xb5\x2f\xfd|\xfd7zXZ\x00|BZh", FileKind("a file that is compressed twice", _DECOMPRESS)),
    (rb"PAR1", FileKind("a Parquet file", _WRONG)),
    (rb"SQLite format 3", FileKind("an SQLite database", _WRONG)),
    (rb"\x7fELF", FileKind("a program", _WRONG)),
    (rb"%PDF-", FileKind("a PDF document", _WRONG)),
    (rb"\x89PNG|\xff\xd8\xff|GIF8", FileKind("an image", _WRONG)),
)
BINARY: Final = FileKind("a binary file", _WRONG)
"""What is no text, of a kind that is not known: it may still hold lines."""
_CONTROL: Final = bytes(byte for byte in range(1, 32) if byte not in b"\b\t\n\f\r\x0b\x1b")
_MOST_CONTROL: Final = 0.02
"""Share of control characters from which a file is no text. A hole of NULs is left out: rotation by copying leaves one."""


def kind_of(head: bytes) -> FileKind | None:
    """Name the kind of a file that is no text; None for a text, and for a file without a byte.

    Parameters
    ----------
    head
        Its first bytes, decompressed; 512 are enough for the names, some thousands to tell text from none.
    """
    for pattern, kind in _KINDS:
        if re.match(pattern, head, re.DOTALL):
            return kind
    said = head.replace(b"\0", b"")
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"} or not said:  # UTF-16
        return None
    if len(said) - len(said.translate(None, _CONTROL)) > _MOST_CONTROL * len(said):
        return BINARY
    return None
